"""The adding problem: two numbers of a long sequence are marked, and their sum is asked for at its end.

Each step has a number, uniform on 0 to 1, and a marker, which is 1 at one step of the first half and at one of the
second, and 0 elsewhere. Who always answers 1, the mean of the sum, has an rmse of 0.408 (the root of 1/6).

Source: S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997, section 5.4, in the
form of Q. Le, N. Jaitly and G. Hinton, A simple way to initialize recurrent networks of rectified linear units, 2015,
arXiv:1504.00941, section 4.1, and M. Arjovsky, A. Shah and Y. Bengio, arXiv:1511.06464, section 5.2 (where the markers
stand). The first has numbers on -1 to 1, lengths that vary by a tenth, and markers in the first half only.
Licence: none needed; the sequences are drawn here.
Checked by: each sum from its markers; the error of the constant answer; what shortening a sequence changes.
"""

from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import targets_note
from fourfold.data.rows import standardised_targets
from fourfold.data.series.drawn import DrawnConfig
from fourfold.data.series.encoding import SeriesEncoding
from fourfold.tasks.inputs import Series

NAMES = ("value", "marker")


class AddingConfig(DrawnConfig):
    """Fields of `data: adding`."""

    origin: ClassVar[str] = "drawn here: S. Hochreiter and J. Schmidhuber's problem"

    name: Literal["adding"] = "adding"
    length: int = Field(default=100, ge=2, le=100_000, description="steps of a sequence")

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Draw the sequences."""
        sizes, generators = self.sizes(), self.generators(seed)
        drawn = {name: draw(sizes[name], self.length, generators[name]) for name in sizes}
        sums = {name: (x[:, :, 0] * x[:, :, 1]).double().sum(1, keepdim=True) for name, x in drawn.items()}
        spec, targets = standardised_targets(Series(NAMES, self.length), ("sum",), sums, "regression")
        notes = [
            f"sequences of {self.length} steps, two numbers of each marked, drawn with {self.by(seed)}",
            "split: " + ", ".join(f"{name} {size:,}" for name, size in sizes.items()) + " sequences",
            targets_note(spec.target_names, spec.target_mean, spec.target_deviation),
        ]
        return InMemorySource(spec, drawn, targets, SeriesEncoding.unchanged(NAMES, self.length), notes=notes)


def draw(count: int, length: int, generator: torch.Generator) -> Tensor:
    """Return numbers and markers, float32 `[count, length, 2]`."""
    values = torch.rand(count, length, generator=generator)
    half = length // 2
    first = torch.randint(half, (count, 1), generator=generator)
    second = torch.randint(half, length, (count, 1), generator=generator)
    markers = torch.zeros(count, length).scatter_(1, torch.cat([first, second], dim=1), 1.0)
    return torch.stack([values, markers], dim=2)
