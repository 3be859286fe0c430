"""The base of the sources of running text: from the texts of three splits to windows of tokens.

The tokenizer is learnt from the training texts alone, or is that of a model in Hugging Face's form. Texts stand one
after another, with a token between them that ends one and begins the next.

Checked by: the tokens of each split decoded again; a text cut in pieces has the tokens of the whole.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.base import DataConfig
from fourfold.data.text.learning import INPUTS, tokenizer_of_folder
from fourfold.data.text.tokenizer import FILE, MERGES, describe, train_tokenizer
from fourfold.data.text.windows import RunningText, WindowsSource
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.tokenizer import ENDS, EOS, PAD, UNK, Tokenizer

SPECIAL = {"char": (PAD, UNK, EOS), "bpe": (PAD, EOS), "wordpiece": (PAD, UNK, EOS)}
PIECE = 100_000  # characters encoded at once, about: the library needs a hundred bytes a token
BREAK = re.compile(r"(?<=\S\n)(?=\S)")  # no tokenizer of ours joins what stands on the two sides of it

Texts = Mapping[str, Sequence[str]]  # the texts of each split


class RunningTextConfig(DataConfig):
    """The fields of a source of running text."""

    tokenizer: Literal["char", "bpe", "wordpiece"] = Field(
        default="char",
        description="what a token is: a character, a group of bytes (GPT-2's way), or of letters (BERT's)",
    )
    vocab_size: int | None = Field(
        default=None, ge=2, description="tokens at most; null: all characters, or 4,096 groups of bytes or letters"
    )
    tokenizer_from: str | None = Field(
        default=None,
        min_length=1,
        description="take the tokenizer of this run, or of a published model, instead: a folder with tokenizer.json",
    )
    length: int = Field(default=128, ge=2, le=1 << 20, description="tokens of a window: what a model sees at once")
    apart: bool = Field(
        default=False, description="pack several texts into a row, but let no token attend to another text's"
    )

    def windows(self, texts: Texts, notes: Sequence[str], files: Mapping[str, str] | None = None) -> WindowsSource:
        """Return the source of these texts.

        Args:
            texts: "train", "validation" and "test", each in order.
            notes: decisions made so far.
            files: SHA-256 of the user's own files.

        Raises:
            InputError: the tokenizer cannot be made or read, or the training text is shorter than a window.
        """
        files = dict(files or {})
        if self.tokenizer_from is None:
            learnt = self.tokenizer, self.vocab_size
        else:
            folder = Path(self.tokenizer_from).expanduser()
            text = tokenizer_of_folder(folder).text
            holder = next(name for name in (FILE, INPUTS, MERGES[0]) if (folder / name).is_file())
            files[str(folder / holder)] = hashlib.sha256(text.encode()).hexdigest()
            learnt = text
        tokenizer, encoded = _encoded(learnt, tuple((name, tuple(each)) for name, each in texts.items()))
        tokens = Tokens(tokenizer.vocab_size, self.length, 1)
        counts = torch.bincount(encoded["train"].tokens, minlength=tokens.vocab_size)
        spec = LanguageModellingSpec(tokens, tokenizer.text, tuple(counts.tolist()))
        kept = encoded if self.apart else {name: RunningText(text.tokens) for name, text in encoded.items()}
        source = WindowsSource(spec, kept, files=files)
        source.notes = [*notes, *self._notes(texts, encoded, tokenizer, source)]
        return source

    def _notes(
        self,
        texts: Texts,
        encoded: Mapping[str, RunningText],
        tokenizer: Tokenizer,
        source: WindowsSource,
    ) -> list[str]:
        sizes = ", ".join(
            f"{name} {counted(len(texts[name]), 'text')} of {sum(map(len, texts[name])):,} characters, "
            f"{len(encoded[name].tokens):,} tokens"
            for name in texts
        )
        made = f"read from {self.tokenizer_from}" if self.tokenizer_from else "learnt from the training texts"
        return [
            f"split: {sizes}",
            f"tokenizer: {describe(tokenizer)}, {made}",
            f"windows of {self.length} tokens, cut anew each epoch"
            + (", one text of a row not seen from another" if self.apart else ", one text after another")
            + f"; scores of the training split are of {source.num_scored():,} of its {source.sizes['train']:,} windows",
        ]


@lru_cache(maxsize=2)  # the runs of a study share what takes long
def _encoded(
    learnt: str | tuple[Literal["char", "bpe", "wordpiece"], int | None],
    splits: tuple[tuple[str, tuple[str, ...]], ...],
) -> tuple[Tokenizer, dict[str, RunningText]]:
    """Return the tokenizer, which is given as JSON or else learnt, and each split's tokens."""
    texts = dict(splits)
    if isinstance(learnt, str):
        tokenizer = Tokenizer(learnt)
    else:
        kind, size = learnt
        tokenizer = train_tokenizer(
            kind, [piece for text in texts["train"] for piece in cut(text)], size, SPECIAL[kind]
        )
    end = tokenizer.end
    if end is None:
        raise InputError(f"data.tokenizer_from: it has no token that ends a text; one of {', '.join(ENDS)} is needed")
    return tokenizer, {name: _in_a_row(tokenizer, each, end) for name, each in texts.items()}


def _in_a_row(tokenizer: Tokenizer, texts: Sequence[str], end: int) -> RunningText:
    """Return texts in one row, `end` before, between and after them; what begins a text is of that text."""
    parts: list[Tensor] = []
    numbers: list[Tensor] = []
    for number, text in enumerate(texts, start=1):
        pieces = tokenizer.encode(list(cut(text)))
        tokens = np.concatenate([np.array(piece, dtype=np.int32) for piece in [[end], *pieces]])
        parts.append(torch.from_numpy(tokens))
        numbers.append(torch.full((len(tokens),), number, dtype=torch.int32))
    parts.append(torch.full((min(1, len(texts)),), end, dtype=torch.int32))
    numbers.append(torch.full((min(1, len(texts)),), len(texts) + 1, dtype=torch.int32))
    return RunningText(torch.cat(parts), torch.cat(numbers))


def cut(text: str) -> Iterator[str]:
    """Cut a long text at line breaks where no token reaches across, into pieces of about `PIECE` characters."""
    start = 0
    while len(text) - start > PIECE:
        found = BREAK.search(text, start + PIECE)
        if found is None:
            break
        yield text[start : found.start()]
        start = found.start()
    yield text[start:]
