"""The base of all algorithm configs."""

from collections.abc import Callable, Mapping

from torch import nn

from fourfold.core.config import PartConfig
from fourfold.tasks.seam import Loss, Plan, Source, Spec, Training


class AlgorithmConfig(PartConfig):
    """The fields of an algorithm."""

    def network(self, draw: Callable[[int], nn.Module], spec: Spec, seed: int) -> nn.Module:
        """Return the network that is trained, scored and saved: the recipe's model, unless it takes several of it.

        A run's weights are loaded into what this returns, so it depends on the config and the spec alone.

        Args:
            draw: returns the recipe's model, its weights drawn from a seed's `init` stream.
            spec: what the data promises.
            seed: the run's.

        Raises:
            InputError: the algorithm does not fit the task.
        """
        return draw(seed)

    def work(self) -> Mapping[str, float]:
        """Return what each step takes beside its batch, by name: arms of a fair comparison take as much."""
        return {}

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> Training:
        """Return the algorithm, ready for its first step.

        Raises:
            InputError: the algorithm does not fit the model, loss or data.
        """
        raise NotImplementedError
