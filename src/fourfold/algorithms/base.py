"""The base of all algorithm configs."""

from torch import nn

from fourfold.core.config import PartConfig
from fourfold.tasks.seam import Loss, Plan, Source, Training


class AlgorithmConfig(PartConfig):
    """The fields of an algorithm."""

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> Training:
        """Return the algorithm, ready for its first step.

        Raises:
            InputError: the algorithm does not fit the model, loss or data.
        """
        raise NotImplementedError
