"""Fine-tuning: parts of a network that stand still, and parts that move at a learning rate of their own.

A pattern is the beginning of names, whole words of them (`features`, `layer1.0`), or has wildcards (`*.bias`). A frozen
parameter takes no gradient, so it is neither decayed, nor clipped with, nor moved. A normalisation whose running
statistics a pattern names is in evaluation mode all the while: it standardises by them, and they stand still too.

Sources: Yosinski, Clune, Bengio and Lipson, How transferable are features in deep neural networks?, NeurIPS 2014,
arXiv:1411.1792 (frozen layers); Howard and Ruder, Universal Language Model Fine-tuning for Text Classification, ACL
2018, arXiv:1801.06146, section 3.2 (a learning rate for each layer, there 1 / 2.6 of the next one's).
Departures: what is frozen stays so for the whole run; Howard and Ruder thaw a layer after another.
Checked by: a torch loop with torch.optim's parameter groups, torch's batch normalisation in evaluation mode among
them, for every optimizer.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.optimizers.base import Optimizer, OptimizerConfig
from fourfold.core.config import Config
from fourfold.core.errors import InputError, did_you_mean

STATISTIC = "running_mean"  # what tells a normalisation that keeps statistics


class LrFactor(Config):
    """A factor on the learning rate of some parameters."""

    of: str = Field(min_length=1, description="the beginning of the parameters' names, or a pattern with wildcards")
    factor: float = Field(gt=0, description="times the optimizer's learning rate, at every step")


def listed(factors: Any) -> Any:
    """Turn `{"features": 0.1}` into the list of factors that it is short for."""
    return [{"of": of, "factor": each} for of, each in factors.items()] if isinstance(factors, Mapping) else factors


class FineTuning:
    """What of a network moves, and how fast; frozen parameters take no gradient from now on.

    Args:
        model: the network.
        freeze: patterns of what stands still.
        factors: on the learning rate; of several that name a parameter the last counts.

    Attributes:
        groups: of the parameters that move, the first one with the factor 1.
        still: normalisations that stay in evaluation mode.

    Raises:
        InputError: a pattern names nothing, or nothing that moves; or nothing is left to move.
    """

    def __init__(self, model: nn.Module, freeze: Sequence[str], factors: Sequence[LrFactor]) -> None:
        self._freeze, self._factors = list(freeze), list(factors)
        params = dict(model.named_parameters(remove_duplicate=False))  # a tied one has several names
        layers = {
            f"{name}.{STATISTIC}".lstrip("."): layer
            for name, layer in model.named_modules()
            if isinstance(getattr(layer, STATISTIC, None), Tensor)
        }
        for i, pattern in enumerate(freeze):
            _require([*params, *layers], pattern, f"algorithm.freeze.{i}", model)
        self.still = [layer for name, layer in layers.items() if any(_names(each, name) for each in freeze)]
        self.hold()
        for name, param in params.items():
            if any(_names(pattern, name) for pattern in freeze):
                param.requires_grad_(False)
        every = sum(p.numel() for p in model.parameters())
        moving = sum(p.numel() for p in model.parameters() if p.requires_grad)
        self._counts = every - moving, every
        if freeze and not moving:
            raise InputError("algorithm.freeze: no parameter is left to move")
        for factor in factors:
            found = _require(list(params), factor.of, "algorithm.lr_factors", model)
            if not any(params[name].requires_grad for name in found):
                raise InputError(f"algorithm.lr_factors: all of '{factor.of}' is frozen, and has no learning rate")
        chosen: dict[nn.Parameter, int] = {param: 0 for param in model.parameters() if param.requires_grad}
        for name, param in params.items():
            for number, factor in enumerate(factors, start=1):
                if param.requires_grad and _names(factor.of, name):
                    chosen[param] = number
        numbers = range(len(factors) + 1)
        self.groups = [[param for param, number in chosen.items() if number == own] for own in numbers]

    def hold(self) -> None:
        """Keep in evaluation mode what stands still, whatever the network around it is in."""
        for layer in self.still:
            if layer.training:
                layer.eval()

    def build(self, config: OptimizerConfig) -> Optimizer:
        """Return the optimizer of what moves, with a group for each factor."""
        if not self._factors:
            return config.build(self.groups[0])
        optimizer = config.build([{"params": group} for group in self.groups])
        for group, each in zip(optimizer.param_groups[1:], self._factors, strict=True):
            group["lr"] *= each.factor
        return optimizer

    def explain_frozen(self) -> list[str]:
        """Return what stands still, in a line, or nothing."""
        if not self._freeze:
            return []
        frozen, every = self._counts
        kept = f", and running statistics (in evaluation mode: {len(self.still)})" if self.still else ""
        return [f"keep {', '.join(self._freeze)} still: {frozen:,} of {every:,} parameters{kept}"]

    def explain_lr(self) -> str:
        """Return what sets the learning rate."""
        return ", ".join(["set the learning rate", *(f"x {each.factor:g} for {each.of}" for each in self._factors)])


def _names(pattern: str, name: str) -> bool:
    """Return whether a pattern is a name, or the beginning of it, or matches either."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def _require(names: Sequence[str], pattern: str, at: str, model: nn.Module) -> list[str]:
    """Return what a pattern names; where that is nothing, offer what it may have meant."""
    found = [name for name in names if _names(pattern, name)]
    if not found:
        words = [name.split(".") for name in names]
        depth = pattern.count(".") + 1
        level = {".".join(each[:depth]) for each in words if len(each) >= depth} or {each[0] for each in words}
        raise InputError(
            f"{at}: '{pattern}' names no parameter of {type(model).__name__}{did_you_mean(pattern, level)}"
        )
    return found
