"""Turning raw examples into what a model takes, and remembering how, as plain data.

An encoder is fitted on the training split only and stored in the run folder, so that `predict` and `export` treat a
new example exactly as training did, without the training data.
"""

from typing import Any, Mapping, Protocol

import torch
from torch import Tensor


class Encoder(Protocol):
    """Raw inputs `[batch, …]` to model inputs `[batch, …]` float32."""

    def encode(self, raw: Tensor) -> Tensor:
        """Encode a batch."""
        ...

    def to(self, device: torch.device) -> None:
        """Move the statistics to `device`."""
        ...

    def to_mapping(self) -> dict[str, Any]:
        """Return everything `encode` depends on as JSON-ready data."""
        ...


class Standardise:
    """Subtract the mean and divide by the deviation, per feature `[features]` or per channel `[channels]`.

    A column that never varies is left at zero.
    """

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        self.mean = mean.float()
        self.deviation = torch.where(deviation > 0, deviation, torch.ones_like(deviation)).float()

    @classmethod
    def fit(cls, raw: Tensor) -> "Standardise":
        """Fit on training inputs: features `[examples, features]` or images `[examples, channels, height, width]`."""
        axes = (0,) if raw.dim() == 2 else (0, 2, 3)
        values = raw.double()
        return cls(values.mean(axes), values.std(axes, correction=0))

    def encode(self, raw: Tensor) -> Tensor:
        """Return the standardised batch, float32; images come out channels-last in memory when they went in so."""
        shape = (1, -1, *([1] * (raw.dim() - 2)))
        return (raw.float() - self.mean.view(shape)) / self.deviation.view(shape)

    def to(self, device: torch.device) -> None:
        """Move the statistics to `device`."""
        self.mean, self.deviation = self.mean.to(device), self.deviation.to(device)

    def to_mapping(self) -> dict[str, Any]:
        """Return `{"name": "standardise", "mean": […], "deviation": […]}`."""
        return {"name": "standardise", "mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_mapping(cls, fields: Mapping[str, Any]) -> "Standardise":
        """Rebuild from `to_mapping`'s data."""
        return cls(torch.tensor(fields["mean"]), torch.tensor(fields["deviation"]))
