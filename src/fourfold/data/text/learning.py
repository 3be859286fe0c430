"""The tokenizer of a source of texts: learnt from its training texts, or somebody else's.

Learning takes many seconds where there are millions of words, so what was learnt from so much is kept in the data
cache.

Checked by: a tokenizer of a folder, of a run, and of neither.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError
from fourfold.data.splitting import Splits, subset
from fourfold.data.text.kept import kept_text
from fourfold.data.text.tokenizer import FILE, Kind, describe, tokenizer_from_folder, train_tokenizer
from fourfold.records.strict_json import read_mapping
from fourfold.tasks.tokenizer import BOS, CLS, EOS, MASK, PAD, SEP, UNK, Tokenizer, tokenizer_of

INPUTS = "inputs.json"  # what a run's folder keeps of its data
FRAME = (PAD, UNK, CLS, SEP, MASK)  # special tokens of texts that are read
BETWEEN = (PAD, UNK, BOS, EOS)  # of texts that are written


class TextFields(PartConfig):
    """The fields of every source of whole texts."""

    tokenizer: Kind = Field(
        default="wordpiece",
        description="tokens learnt from the training texts: characters, byte pairs, or words and their pieces",
    )
    vocab_size: int | None = Field(
        default=8192, ge=8, le=1_000_000, description="tokens at most; null: of characters all, else 4,096"
    )
    lowercase: bool = Field(default=False, description="whether capitals become small letters")
    tokenizer_from: str | None = Field(
        default=None,
        description="take the tokenizer of this run, or of a published model, instead: a folder with tokenizer.json",
    )
    max_length: int = Field(default=256, ge=8, le=65_536, description="tokens of a text; a longer one loses its end")
    train_examples: int | None = Field(
        default=None, ge=1, description="train on this many only, the first of a seeded permutation; null is all"
    )

    def fewer(self, splits: Splits, seed: int, notes: list[str]) -> Splits:
        """Return the splits with as many training examples as `train_examples` says, and note it."""
        if self.train_examples is None:
            return splits
        notes.append(f"training examples: at most {self.train_examples:,}, as data.train_examples says")
        return {**splits, "train": subset(splits["train"], self.train_examples, seed)}

    def learn(self, texts: Sequence[str], special: Sequence[str], cache: Path, notes: list[str]) -> Tokenizer:
        """Return the tokenizer, and note which.

        Args:
            texts: the training split's.
            special: its special tokens, where it is learnt.
            cache: folder for what takes long.
            notes: a line is added.

        Raises:
            InputError: `vocab_size` is too small, or `tokenizer_from` has none.
        """
        if self.tokenizer_from is not None:
            found = tokenizer_of_folder(Path(self.tokenizer_from).expanduser())
            notes.append(f"tokens: the tokenizer of {self.tokenizer_from}, {describe(found)}")
            return found
        learnt = learnt_tokenizer(self.tokenizer, texts, self.vocab_size, special, self.lowercase, cache)
        notes.append(f"tokens: {self.tokenizer}, learnt from the training texts, {describe(learnt)}")
        return learnt


def learnt_tokenizer(
    kind: Kind, texts: Sequence[str], vocab_size: int | None, special: Sequence[str], lowercase: bool, cache: Path
) -> Tokenizer:
    """Return `train_tokenizer`'s answer, from the cache where many texts were learnt from before.

    Raises:
        InputError: `vocab_size` is too small.
    """
    of = (kind, vocab_size, tuple(special), lowercase)
    return tokenizer_of(
        kept_text(cache, of, texts, lambda: train_tokenizer(kind, texts, vocab_size, special, lowercase).text)
    )


def tokenizer_of_folder(folder: Path) -> Tokenizer:
    """Return the tokenizer of a run's folder, or of a folder with a published model's tokenizer.json.

    Raises:
        InputError: it has none; or it holds none that can be read.
    """
    if (folder / FILE).is_file() or not (folder / INPUTS).is_file():
        if not folder.is_dir():
            raise InputError(f"data.tokenizer_from: {folder}: no such folder")
        return tokenizer_from_folder(folder)
    inputs = read_mapping(folder / INPUTS)
    for part in (inputs.get("encoding"), inputs.get("spec")):
        if isinstance(part, dict) and isinstance(part.get("tokenizer"), str):
            return tokenizer_of(part["tokenizer"])
    raise InputError(f"data.tokenizer_from: {folder}: that run's data are no texts")
