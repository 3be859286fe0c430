"""The copying problem: ten symbols are shown, nothing happens for a long while, and then they are asked for in order.

    3 1 4 1 5 2 6 5 3 5 . . . . . . . . . ? . . . . . . . . . .        the input: symbols, blanks, the sign to begin
                                          3 1 4 1 5 2 6 5 3 5        what is asked for: the symbols, one at each step

Who knows nothing of them is right one time in eight, and has a loss of log 8, 2.08.

Source: S. Hochreiter and J. Schmidhuber, Long short-term memory, 1997, in the form of M. Arjovsky, A. Shah and Y.
Bengio, Unitary evolution recurrent neural networks, ICML 2016, arXiv:1511.06464, section 5.1.
Departures: the blanks before are no targets, where the paper asks for a blank at each of them; so accuracy and loss
are those of the symbols.
Licence: none needed; the sequences are drawn here.
Checked by: every sequence by hand.
"""

from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.data.in_memory import InMemorySource
from fourfold.data.series.drawn import DrawnConfig
from fourfold.data.series.symbols import SymbolsEncoding
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.tagging import TaggingSpec
from fourfold.tasks.tokens import IGNORED

BLANK, SYMBOLS, BEGIN = 0, 8, 9  # the symbols are 1 to 8


class CopyConfig(DrawnConfig):
    """Fields of `data: copy`."""

    origin: ClassVar[str] = "drawn here: the copying problem of S. Hochreiter and J. Schmidhuber"

    name: Literal["copy"] = "copy"
    gap: int = Field(default=50, ge=1, le=100_000, description="steps from the last symbol to the sign to begin")
    symbols: int = Field(default=10, ge=1, le=1000, description="symbols to keep in mind")

    def build(self, seed: int, cache: Path) -> "CopySource":
        """Draw the sequences."""
        sizes, generators = self.sizes(), self.generators(seed)
        drawn = {name: draw(sizes[name], self.symbols, self.gap, generators[name]) for name in sizes}
        length = self.gap + 2 * self.symbols
        spec = TaggingSpec(Tokens(BEGIN + 1, length, 1), tuple(str(i + 1) for i in range(SYMBOLS)))
        notes = [
            f"sequences of {length} steps: {self.symbols} symbols of {SYMBOLS}, a gap of {self.gap}, and as many steps "
            f"to repeat them, drawn with {self.by(seed)}",
            "split: " + ", ".join(f"{name} {size:,}" for name, size in sizes.items()) + " sequences",
        ]
        examples = {name: x for name, (x, _) in drawn.items()}
        targets = {name: y for name, (_, y) in drawn.items()}
        encoding = SymbolsEncoding(length=length, count=BEGIN + 1)
        return CopySource(spec, examples, targets, encoding, notes=notes)


class CopySource(InMemorySource):
    """Sequences of symbols; what is drawn of them are the symbols that were shown, beside what the model repeats."""

    def raw(self, name: str, indices: list[int]) -> list[list[str]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the symbols that were shown, as texts."""
        asked = (super().raw(name, indices)[0] == BEGIN).int().argmax() + 1
        symbols = self.spec.input.length - int(asked)
        return [[str(symbol) for symbol in row[:symbols]] for row in super().raw(name, indices).tolist()]


def draw(count: int, symbols: int, gap: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return inputs and targets, int64 `[count, gap + 2 * symbols]`."""
    shown = torch.randint(1, SYMBOLS + 1, (count, symbols), generator=generator)
    inputs = torch.full((count, gap + 2 * symbols), BLANK)
    inputs[:, :symbols] = shown
    inputs[:, symbols + gap - 1] = BEGIN
    targets = torch.full_like(inputs, IGNORED)
    targets[:, symbols + gap :] = shown - 1
    return inputs, targets
