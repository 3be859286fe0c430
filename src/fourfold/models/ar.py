"""Autoregression: the next steps of a series as weighted sums of its last tau steps.

    x_(t+h) = b_h + sum over i < tau of w_hi x_(t-i)

With tau = 1 it is a Markov model: nothing but the present counts. With tau = null every step of the past that the data
give has a weight of its own.

Paper: G. U. Yule, On a method of investigating periodicities in disturbed series, Phil. Trans. R. Soc. A 226, 1927,
who explained sunspots by the last two years. The names are those of A. Zhang, Z. Lipton, M. Li and A. Smola, Dive into
Deep Learning, 2023, section 9.1.
Departures: each step ahead has weights of its own (direct forecasts), where a model of one step would be iterated;
one step ahead they are the same. Weights start at zero, from where every algorithm here reaches the same solution.
Checked by: statsmodels' AutoReg and numpy's lstsq on the same steps; Yule's coefficients on his years; the sum by hand.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.tasks.forecasting import forecasting_spec
from fourfold.tasks.inputs import Series
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Spec, require_input, require_task


class ARConfig(ModelConfig):
    """Fields of `model: ar`."""

    name: Literal["ar"] = "ar"
    tau: int | None = Field(default=2, ge=1, description="steps that count; 1 is a Markov model, null is all the past")

    def build(self, spec: Spec) -> "AR":
        """Return the model; the data must give series with numbers to predict."""
        series = require_input(spec, Series, self.name)
        require_task(spec, RegressionSpec, self.name)
        tau = series.length if self.tau is None else self.tau
        if tau > series.length:
            raise InputError(
                f"model.tau: {tau}, but the data show {series.length} steps; use data.length={tau} or more"
            )
        return AR(len(series.names), spec.num_outputs, tau)

    def paper_spec(self) -> Spec:
        """Return Yule's sunspots: one year from those before it."""
        return forecasting_spec(("sunspots",), 22, 1, 1, (0.0,), (1.0,), (1.0,))


class AR(nn.Module):
    """A weighted sum of the last steps for each output.

    Args:
        variables: numbers in a step.
        num_outputs: numbers to predict.
        tau: steps that count.
    """

    def __init__(self, variables: int, num_outputs: int, tau: int) -> None:
        super().__init__()
        self.tau = tau
        self.weight = nn.Parameter(torch.zeros(num_outputs, tau * variables))
        self.bias = nn.Parameter(torch.zeros(num_outputs))

    def regressors(self, x: Tensor) -> Tensor:
        """Return what is weighted, `[batch, tau * variables]`, the oldest step first."""
        return x[:, -self.tau :].flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, time, variables]` to `[batch, outputs]`."""
        return F.linear(self.regressors(x), self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"tau={self.tau}"
