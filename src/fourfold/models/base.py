"""The base of all model configs. A model itself is a plain `nn.Module` with a plain constructor."""

from torch import nn

from fourfold.core.config import PartConfig
from fourfold.tasks.seam import Spec


class ModelConfig(PartConfig):
    """The fields of a model; sizes that the data knows are never among them."""

    def build(self, spec: Spec) -> nn.Module:
        """Return the model for this data, its weights drawn from torch's global generator.

        Raises:
            InputError: the model does not fit the data.
        """
        raise NotImplementedError

    @classmethod
    def paper_spec(cls) -> Spec | None:
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
