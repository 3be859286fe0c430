"""The base of all model configs. A model itself is a plain `nn.Module` with a plain constructor."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from fourfold.core.config import PartConfig
from fourfold.tasks.seam import Spec


class ModelConfig(PartConfig):
    """The fields of a model; sizes that the data knows are never among them.

    Attributes:
        task_layers: names of layers that belong to a task: weights of another task have others, which are left out,
            and have none of these, which stay as they were drawn.
        own_task: the name of the task that the model was made for, if it takes batches that others do not.
        published_names: what the config.json of a folder of Hugging Face's calls this config's fields, theirs first.
        shown_by: a weight, and which of its dimensions is a field's size; None: as many as stand numbered below it.
        token_rows: weights that have a row for each token.
    """

    task_layers: ClassVar[tuple[str, ...]] = ()
    own_task: ClassVar[str | None] = None
    published_names: ClassVar[Mapping[str, str]] = {}
    shown_by: ClassVar[Mapping[str, tuple[str, int | None]]] = {}
    token_rows: ClassVar[tuple[str, ...]] = ()

    def build(self, spec: Spec) -> nn.Module:
        """Return the model for this data, its weights drawn from torch's global generator.

        Raises:
            InputError: the model does not fit the data.
        """
        raise NotImplementedError

    def paper_spec(self) -> Spec | None:
        """Return the paper's own inputs and outputs, so that its network can be built and counted without data.

        None, the default, is for a model that has none.
        """
        return None

    def published(self) -> str | None:
        """Return the name of the file of weights that torchvision publishes for this network, None if it has none."""
        return None

    def renamed(self, name: str) -> str | None:
        """Return what a published weight is called here; None: there is no place for it."""
        return name

    def adopted(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return published weights under the names, and in the shapes, that they have here."""
        named = {self.renamed(name): value for name, value in weights.items()}
        return {name: value for name, value in named.items() if name is not None}

    def published_facts(self) -> Mapping[str, Any]:
        """Return what the config.json of a folder of Hugging Face's must say where its weights fit this network."""
        return {}

    def sizes_shown_by(self, weights: Mapping[str, Tensor]) -> dict[str, int]:
        """Return the fields whose sizes weights show, by names and in shapes that they have here."""
        found: dict[str, int] = {}
        for field, (name, dimension) in self.shown_by.items():
            if dimension is None:
                found[field] = len({each[len(name) :].split(".")[1] for each in weights if each.startswith(f"{name}.")})
            elif name in weights and weights[name].dim() > dimension:
                found[field] = weights[name].shape[dimension]
        return found
