"""Acting: the action that seems worth most, and now and then a random one.

Source: Watkins, Learning from Delayed Rewards, 1989 (epsilon-greedy).
Checked by: the same actions by the network's own forward pass; the share of random ones.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from fourfold.core.seeds import stream_seed
from fourfold.nn.numpy_forward import numpy_forward
from fourfold.tasks.control import ControlSpec
from fourfold.tasks.playing import Sight


class Actor:
    """Chooses a move for each of several environments.

    Args:
        model: says what each action is worth.
        spec: what the environments promise.
        count: how many there are.
        seed: the run's, whose `environment` stream random actions are drawn from.
        device: where the model is.
    """

    def __init__(self, model: nn.Module, spec: ControlSpec, count: int, seed: int, device: torch.device) -> None:
        self.model, self.spec, self.device = model, spec, device
        self.sight = Sight(spec, count)
        self.draws = np.random.default_rng(stream_seed(seed, "environment"))
        self._forward = numpy_forward(model, spec.input.size) if len(spec.frame) == 1 and spec.scale == 1 else None
        self._rows = self.sight.seen[:, 0] if self._forward is not None else None

    def begin(self, which: int, observation: Any) -> None:
        """See the first observation of an episode."""
        self.sight.begin(which, observation)

    def see(self, which: int, observation: Any) -> None:
        """See the next observation."""
        self.sight.see(which, observation)

    def choose(self, epsilon: float) -> list[int]:
        """Return an action for each environment."""
        count, draws = len(self.sight.seen), self.draws
        bold = [draws.random() < epsilon for _ in range(count)]
        best = [0] * count if all(bold) else self._best()
        return [int(draws.integers(self.spec.num_outputs)) if bold[i] else best[i] for i in range(count)]

    def _best(self) -> list[int]:
        """Return what seems the best action for each environment."""
        if self._forward is not None:
            return self._forward(self._rows).argmax(1).tolist()  # type: ignore[arg-type]
        training = self.model.training
        self.model.eval()
        with torch.inference_mode():
            best = self.model(self.sight.inputs().to(self.device)).argmax(1).tolist()
        self.model.train(training)
        return best
