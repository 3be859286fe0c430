"""From texts with one answer each, a class or a number, to a source.

Checked by: the sources made of it; statistics of the training split by hand.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.notes import classes_note, targets_note
from fourfold.data.rows import class_counts
from fourfold.data.text.encoding import TextEncoding
from fourfold.data.text.examples import AnsweredTexts
from fourfold.data.text.kept import kept_tensors
from fourfold.data.text.learning import FRAME, TextFields
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.ragged import Ragged
from fourfold.tasks.sentence_pairs import SentencePairsSpec
from fourfold.tasks.text_classification import TextClassificationSpec
from fourfold.tasks.tokenizer import SEP

Texts = Sequence[tuple[str, ...]]  # rows of one text, or of two


class Read:
    """Texts that were read, before they become tokens.

    Args:
        texts: rows of one text, or of two.
        columns: what the text, or each of the two, is called.
        ignored: the file's other columns.
        files: digests of the user's own files.
    """

    def __init__(
        self,
        texts: Texts,
        columns: Sequence[str] = ("text",),
        ignored: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.texts, self.columns, self.ignored, self.files = texts, list(columns), list(ignored), dict(files or {})

    def of(self, members: Tensor) -> list[tuple[str, ...]]:
        """Return the rows `members`, int64."""
        return [self.texts[number] for number in members.tolist()]


def labelled_texts(
    fields: TextFields,
    read: Read,
    labels: Tensor,
    class_names: tuple[str, ...],
    splits: Mapping[str, Tensor],
    cache: Path,
    notes: list[str],
) -> PaddedSource:
    """Return a source that poses text classification.

    Args:
        fields: how texts become tokens.
        read: the texts.
        labels: class numbers, int64 `[texts]`.
        class_names: one a class.
        splits: numbers of the texts of each split.
        cache: folder for what takes long.
        notes: what was decided so far.
    """
    encoding = _encoding(fields, read, splits["train"], cache, notes)
    counts = class_counts(labels[splits["train"]], len(class_names))
    notes.append(classes_note(class_names, counts))
    spec = TextClassificationSpec(encoding.tokens, class_names, counts)
    examples = {name: _examples(encoding, read, labels, part, name, cache, notes) for name, part in splits.items()}
    return PaddedSource(spec, examples, _raw(read, splits), encoding, notes, read.files)


def scored_pairs(
    fields: TextFields,
    read: Read,
    scores: Tensor,
    name: str,
    splits: Mapping[str, Tensor],
    cache: Path,
    notes: list[str],
) -> PaddedSource:
    """Return a source that poses sentence pairs, its scores standardised over the training split.

    Args:
        fields: how texts become tokens.
        read: pairs of texts.
        scores: of each, in their own unit, float64 `[pairs]`.
        name: what the score is called.
        splits: numbers of the pairs of each split.
        cache: folder for what takes long.
        notes: what was decided so far.

    Raises:
        InputError: the score does not vary in the training split.
    """
    train = scores[splits["train"]]
    mean, deviation = float(train.mean()), float(train.std(correction=0))
    if not deviation > 1e-12 * abs(mean):
        raise InputError(f"data: '{name}' is {float(train[0]):g} in every training pair; nothing to learn")
    encoding = _encoding(fields, read, splits["train"], cache, notes)
    notes.append(targets_note([name], [mean], [deviation]))
    spec = SentencePairsSpec(encoding.tokens, (name,), (mean,), (deviation,))
    targets = ((scores - mean) / deviation).float().unsqueeze(1)
    examples = {part: _examples(encoding, read, targets, rows, part, cache, notes) for part, rows in splits.items()}
    return PaddedSource(spec, examples, _raw(read, splits), encoding, notes, read.files)


def _encoding(fields: TextFields, read: Read, train: Tensor, cache: Path, notes: list[str]) -> TextEncoding:
    learnt_from = [text for row in read.of(train) for text in row]
    tokenizer = fields.learn(learnt_from, FRAME, cache, notes)
    if len(read.columns) == 2 and SEP not in tokenizer.special:
        raise InputError(f"data.tokenizer_from: that tokenizer has no {SEP}, which stands between two texts")
    return TextEncoding(
        tokenizer=tokenizer.text, max_length=fields.max_length, columns=read.columns, ignored=read.ignored
    )


def _examples(
    encoding: TextEncoding,
    read: Read,
    answers: Tensor,
    members: Tensor,
    split: str,
    cache: Path,
    notes: list[str],
) -> AnsweredTexts:
    rows = read.of(members)

    def compute() -> dict[str, Tensor]:
        framed = encoding.framed(rows)
        tokens = Ragged.of(framed.tokens)
        first = torch.tensor(framed.first or [], dtype=torch.int64)
        return {"values": tokens.values, "lengths": tokens.lengths, "first": first, "cut": torch.tensor(framed.cut)}

    found = kept_tensors(cache, sorted(encoding.to_mapping().items()), [text for row in rows for text in row], compute)
    tokens = Ragged(found["values"], found["lengths"])
    if split == "train":
        notes.append(lengths_note(tokens, int(found["cut"]), encoding.max_length))
    return AnsweredTexts(tokens, answers[members], found["first"] if len(read.columns) == 2 else None)


def _raw(read: Read, splits: Mapping[str, Tensor]) -> dict[str, list[str | tuple[str, ...]]]:
    return {name: [row[0] if len(row) == 1 else row for row in read.of(members)] for name, members in splits.items()}


def lengths_note(tokens: Ragged, cut: int, max_length: int) -> str:
    """Say how long training texts are, and how many lost their ends."""
    lengths = tokens.lengths.double()
    kept = f"{cut:,} of {len(tokens):,} training texts are longer than {max_length} tokens and lose their ends"
    return (
        f"training texts: {lengths.mean().item():.0f} tokens in the mean, {int(lengths.median())} in the median, "
        f"{int(tokens.lengths.max())} at most; {kept if cut else 'none is cut'}; batches are of like lengths"
    )


def distinct(texts: Texts) -> list[int]:
    """Return the numbers of the texts that do not equal an earlier one, but for capitals and spaces."""
    seen: set[bytes] = set()
    kept = []
    for number, row in enumerate(texts):
        key = hashlib.sha256("\0".join(" ".join(text.casefold().split()) for text in row).encode("utf-8", "replace"))
        if key.digest() not in seen:
            seen.add(key.digest())
            kept.append(number)
    return kept
