"""Rows of a stack whose optimizer has the same settings: one call moves them all, as it would move each.

Checked by: `algorithms.stacked`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from fourfold.algorithms.supervised import Supervised, SupervisedConfig

# What acts on each number by itself, and so on any number of networks at once.
ELEMENTWISE_OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam")
ELEMENTWISE_REGULARIZERS = ("weight_decay", "l1", "decoupled_weight_decay", "gradient_value_clipping")
# What acts on one network's gradients as a whole.
NETWORKWISE_REGULARIZERS = ("gradient_clipping",)
ALIGNED = 16  # numbers of a vector instruction, at most


class Layout:
    """Where a network's parameters are in its row of the table.

    Each begins where a vector instruction begins, so that a number is computed by the same instructions, and has the
    same bits, whichever row it is in.

    Args:
        shapes: of one network's parameters.

    Attributes:
        width: numbers in a row.
    """

    def __init__(self, shapes: Sequence[torch.Size]) -> None:
        self._places: list[tuple[int, torch.Size]] = []
        self.width = 0
        for shape in shapes:
            self._places.append((self.width, shape))
            self.width += -(-shape.numel() // ALIGNED) * ALIGNED

    @property
    def count(self) -> int:
        """How many parameters a network has."""
        return len(self._places)

    def split(self, numbers: Tensor) -> list[Tensor]:
        """Return each parameter's view of `numbers [..., width]`, `[..., *shape]`."""
        outer = numbers.shape[:-1]
        return [numbers.narrow(-1, start, shape.numel()).view(*outer, *shape) for start, shape in self._places]


class Rows:
    """Neighbouring rows of a stack.

    Where optimizer or regularizers look at a network as a whole there is one row, and they see its parameters as if it
    were alone. Else they see the rows as one parameter.

    Args:
        config: optimizer, schedule and regularizers of these rows.
        training: one of these runs; its regularizers and schedule serve all.
        size: how many rows.
    """

    def __init__(self, config: SupervisedConfig, training: Supervised, size: int) -> None:
        self.size = size
        self._config, self._schedule, self._regularizers = config, training.schedule, training.regularizers
        self._alone = not is_elementwise(config)
        assert size == 1 or not self._alone
        self._state: dict[str, Any] | None = None  # to begin from, at the next `bind`

    @staticmethod
    def key(config: SupervisedConfig, number: int) -> str:
        """Return what rows of one block have in common; `number` tells a network apart that must be alone."""
        return config.model_dump_json() + ("" if is_elementwise(config) else f" {number}")

    def bind(self, table: Tensor, grads: Tensor, start: int, layout: Layout) -> None:
        """Move the rows `start` to `start + size` of `table` along those of `grads` from now on."""
        self._layout = layout
        rows, row_grads = table[start : start + self.size], grads[start : start + self.size]
        if self._alone:
            moved, along = layout.split(rows[0]), layout.split(row_grads[0])
            self._weights, self._weight_grads = moved, along
        else:
            moved, along = [rows], [row_grads]
            self._weights, self._weight_grads = _apart(layout.split(rows)), _apart(layout.split(row_grads))
        for param, grad in zip(moved, along, strict=True):
            param.grad = grad
        self._optimizer = self._config.optimizer.build(moved)  # type: ignore[arg-type]
        self._base_lrs = [float(group["lr"]) for group in self._optimizer.param_groups]
        if self._state is not None:
            self._optimizer.load_state_dict(self._state)
            self._state = None

    def move(self, step: int) -> None:
        """Move the rows."""
        factor = self._schedule(step)
        for group, base in zip(self._optimizer.param_groups, self._base_lrs, strict=True):
            group["lr"] = base * factor
        weights: list[Any] = self._weights
        for regularizer in self._regularizers:
            regularizer.on_gradients(weights, self._weight_grads)
        for regularizer in self._regularizers:
            regularizer.before_update(weights, float(self._optimizer.param_groups[0]["lr"]))
        self._optimizer.step()

    def keep(self, own: Sequence[int]) -> None:
        """Go on with some of the rows, counted from the block's first; `bind` comes next."""
        state = self._optimizer.state_dict()
        if not self._alone:
            state["state"] = [_each(one, lambda rows: rows[list(own)]) for one in state["state"]]
        self.size, self._state = len(own), state

    def state_of(self, row: int) -> dict[str, Any]:
        """Return the optimizer's state for one row, counted from the block's first, as if it were alone."""
        state = self._optimizer.state_dict()
        if self._alone:
            return {**state, "state": [_each(one, torch.clone) for one in state["state"]]}
        (whole,), (group,) = state["state"], state["param_groups"]
        parts = {name: self._layout.split(rows[row].clone()) for name, rows in whole.items() if name != "step"}
        count = self._layout.count
        own = [{name: each[i] for name, each in parts.items()} for i in range(count)]
        if "step" in whole:
            own = [{**each, "step": whole["step"]} for each in own]
        return {"param_groups": [{**group, "params": list(range(count))}], "state": own}


def is_elementwise(config: SupervisedConfig) -> bool:
    """Return whether optimizer and regularizers act on each number by itself."""
    return config.optimizer.name in ELEMENTWISE_OPTIMIZERS and all(
        regularizer.name in ELEMENTWISE_REGULARIZERS for regularizer in config.regularizers
    )


def _apart(stacked: list[Tensor]) -> list[Tensor]:
    """Return stacked matrices whole and stacked vectors one by one: penalties know biases by their one axis."""
    parts: list[Tensor] = []
    for tensor in stacked:
        parts += [tensor] if tensor.dim() > 2 else list(tensor)
    return parts


def _each(state: dict[str, Any], change: Any) -> dict[str, Any]:
    """Change the tensors of one parameter's state."""
    return {name: change(value) if isinstance(value, Tensor) else value for name, value in state.items()}
