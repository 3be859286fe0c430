"""Latent autoregression: a summary of all the past, kept up to date step by step, from which the next steps follow.

    h_t = g(h_(t-1), x_(t-1)) = A h_(t-1) + B x_(t-1)
    x_t = C h_t + d

The past never ends: what was t steps ago counts by A^t. One number for h, with A = 1 - a and B = a, is exponential
smoothing. A tanh around the sum would make it the network of models/rnn.py.

Source: A. Zhang, Z. Lipton, M. Li and A. Smola, Dive into Deep Learning, 2023, section 9.1, latent autoregressive
models; with this g, the state-space form of R. Kalman, A new approach to linear filtering and prediction problems,
1960, whose gain is learned here.
Departures: the first leaves g open; it is linear here. A starts as a rotation shrunk to 0.9, so that about ten steps
count at first and gradients neither grow nor vanish before that.
Checked by: the equations by hand; statsmodels' exponential smoothing; gradients against the sum over A^t.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from fourfold.models.base import ModelConfig
from fourfold.tasks.forecasting import forecasting_spec
from fourfold.tasks.inputs import Series
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Spec, require_input, require_task

SHRINKS = 0.9  # what a state that is not fed is multiplied by in a step, at first


class LatentARConfig(ModelConfig):
    """Fields of `model: latent_ar`."""

    name: Literal["latent_ar"] = "latent_ar"
    width: int = Field(default=16, ge=1, le=10_000, description="numbers that sum up the past")

    def build(self, spec: Spec) -> "LatentAR":
        """Return the model; the data must give series with numbers to predict."""
        series = require_input(spec, Series, self.name)
        require_task(spec, RegressionSpec, self.name)
        return LatentAR(len(series.names), spec.num_outputs, self.width)

    def paper_spec(self) -> Spec:
        """Return sunspots: one year from those before it."""
        return forecasting_spec(("sunspots",), 22, 1, 1, (0.0,), (1.0,), (1.0,))


class LatentAR(nn.Module):
    """A linear state that is fed with a series.

    Args:
        variables: numbers in a step.
        num_outputs: numbers to predict.
        width: numbers in the state.
    """

    def __init__(self, variables: int, num_outputs: int, width: int = 16) -> None:
        super().__init__()
        self.stays = nn.Linear(width, width, bias=False)  # A
        self.fed = nn.Linear(variables, width, bias=False)  # B
        self.out = nn.Linear(width, num_outputs)  # C, d
        nn.init.orthogonal_(self.stays.weight, gain=SHRINKS)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, time, variables]` to `[batch, outputs]`."""
        fed = self.fed(x)  # of all steps at once, [batch, time, width]
        h = fed[:, 0]
        for t in range(1, x.shape[1]):
            h = self.stays(h) + fed[:, t]
        return self.out(h)
