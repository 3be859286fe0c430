"""What the generated sequences share: how many are drawn, and by which seed."""

from typing import ClassVar

import torch
from pydantic import Field

from fourfold.core.seeds import stream_seed
from fourfold.data.base import DataConfig


class DrawnConfig(DataConfig):
    """The fields of sequences that are drawn here."""

    licence: ClassVar[str] = "none needed; the sequences are drawn here"

    train_examples: int = Field(default=10_000, ge=1, le=10_000_000, description="training sequences")
    validation_examples: int = Field(default=1000, ge=0, le=1_000_000, description="sequences that steer training")
    test_examples: int = Field(default=1000, ge=1, le=1_000_000, description="sequences that are kept for the end")
    data_seed: int | None = Field(default=0, ge=0, description="null: the sequences vary with the run's seed")

    def sizes(self) -> dict[str, int]:
        """Return how many sequences each split has."""
        return {"train": self.train_examples, "validation": self.validation_examples, "test": self.test_examples}

    def generators(self, seed: int) -> dict[str, torch.Generator]:
        """Return a stream of chance for each split, so that the size of one changes no other."""
        of = seed if self.data_seed is None else self.data_seed
        return {
            name: torch.Generator().manual_seed(stream_seed(of, "sample", i)) for i, name in enumerate(self.sizes())
        }

    def by(self, seed: int) -> str:
        """Say by which seed the sequences of a run with `seed` were drawn."""
        return f"the run's seed, {seed}" if self.data_seed is None else f"data.data_seed={self.data_seed}"
