"""Early stopping: end when validation stops improving, and go back to the best weights.

Source: Prechelt, Early Stopping - But When?, 1998; Goodfellow, Bengio and Courville, Deep Learning, 2016, Alg. 7.1.
Departures: an improvement smaller than `min_delta` is kept as the best but does not renew the patience.
Checked by: traces of a metric worked out by hand; the weights it ends with are those of the best validation.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.words import counted
from fourfold.tasks.seam import Plan, Spec


class EarlyStoppingConfig(RegularizerConfig):
    """Fields of `early_stopping`."""

    name: Literal["early_stopping"] = "early_stopping"
    patience: int = Field(default=5, ge=1, description="validations without improvement before the end")
    min_delta: float = Field(default=0.0, ge=0, description="improvement that renews the patience must be above this")
    metric: str | None = Field(default=None, description="validation metric to watch; null is the task's headline")
    higher_is_better: bool | None = Field(
        default=None, description="which way it improves; null is known for the headline and the loss"
    )

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "EarlyStopping":
        """Return the regularizer of `model`.

        Raises:
            InputError: which way the metric improves is not known.
        """
        metric = self.metric or spec.headline
        known = {"loss": False, spec.headline: spec.higher_is_better}
        higher = self.higher_is_better if self.higher_is_better is not None else known.get(metric)
        if higher is None:
            raise InputError(f"early_stopping.higher_is_better: say whether more '{metric}' is better, true or false")
        return EarlyStopping(model, plan, metric, higher, self.patience, self.min_delta)


class EarlyStopping(Regularizer):
    """Watches a validation metric and keeps the weights that scored best.

    Args:
        model: the network.
        plan: the run's plan.
        metric: name among the validation metrics.
        higher_is_better: which way it improves.
        patience: validations without improvement before the end.
        min_delta: improvements must be above this to renew the patience.
    """

    def __init__(
        self, model: nn.Module, plan: Plan, metric: str, higher_is_better: bool, patience: int, min_delta: float
    ) -> None:
        super().__init__(model, plan)
        self.metric, self.higher_is_better = metric, higher_is_better
        self.patience, self.min_delta = patience, min_delta
        self._watched = model
        self._best: float | None = None
        self._best_step = 0  # updates made when the best was seen
        self._best_weights: dict[str, Tensor] = {}
        self._bar: float | None = None  # what the next validation must pass to renew the patience
        self._waited = 0
        self._last_step = 0

    def watch(self, model: nn.Module) -> None:
        self._watched = model

    def validated(self, step: int, metrics: Mapping[str, float]) -> str | None:
        """Compare with the best so far.

        Raises:
            InputError: there is no such metric.
        """
        if self.metric not in metrics:
            if not metrics:
                raise InputError("early_stopping: this data has no validation split to watch")
            raise InputError(f"early_stopping.metric: no metric '{self.metric}'{did_you_mean(self.metric, metrics)}")
        value = metrics[self.metric]
        self._last_step = step
        if self._improves(value, self._best, 0.0):
            self._best, self._best_step = value, step
            self._best_weights = {name: t.detach().clone() for name, t in self._watched.state_dict().items()}
        if self._improves(value, self._bar, self.min_delta):
            self._bar, self._waited = value, 0
            return None
        self._waited += 1
        if self._waited < self.patience:
            return None
        return f"validation {self.metric} did not improve in {counted(self._waited, 'validation')}"

    def _improves(self, value: float, on: float | None, by: float) -> bool:
        """Return whether `value` is better than `on` by more than `by`; NaN never is."""
        if on is None:
            return value == value
        return value > on + by if self.higher_is_better else value < on - by

    @torch.no_grad()
    def finish(self) -> str | None:
        """Restore the best weights."""
        if self._best is None:
            return f"early stopping: validation {self.metric} was never a number; the weights are the last ones"
        if self._best_step == self._last_step:
            return f"early stopping: the last validation was the best, {self.metric} {self._best:.4g}"
        self._watched.load_state_dict(self._best_weights)
        return (
            f"early stopping: the weights are those after step {self._best_step}, "
            f"where validation {self.metric} was best, {self._best:.4g}"
        )

    def kept_step(self) -> int | None:
        return None if self._best is None or self._best_step == self._last_step else self._best_step

    def explain(self) -> list[tuple[str, str]]:
        return [
            (
                "validated",
                f"early stopping: end after {counted(self.patience, 'validation')} without better {self.metric}",
            )
        ]

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self._best,
            "best_step": self._best_step,
            "best_weights": dict(self._best_weights),
            "bar": self._bar,
            "waited": self._waited,
            "last_step": self._last_step,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._best, self._bar = state["best"], state["bar"]
        self._best_step, self._last_step = int(state["best_step"]), int(state["last_step"])
        self._waited = int(state["waited"])
        self._best_weights = {name: value.clone() for name, value in state["best_weights"].items()}
