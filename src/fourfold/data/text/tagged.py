"""From tagged sentences to a source.

Checked by: the sources made of it; tags read back word by word.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from fourfold.data.text.answered import lengths_note
from fourfold.data.text.conll import Sentence, is_scheme, to_iob2
from fourfold.data.text.encoding import TaggedTextEncoding
from fourfold.data.text.examples import TaggedTexts
from fourfold.data.text.learning import FRAME, TextFields
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.ragged import Ragged
from fourfold.tasks.tagging import OUTSIDE, TaggingSpec, entities
from fourfold.tasks.tokens import IGNORED


def tagged_texts(
    fields: TextFields,
    sentences: Sequence[Sentence],
    splits: Mapping[str, Tensor],
    cache: Path,
    notes: list[str],
    files: Mapping[str, str] | None = None,
) -> PaddedSource:
    """Return a source that poses tagging.

    Args:
        fields: how texts become tokens.
        sentences: words and tags; tags of entities in any of the usual schemes.
        splits: numbers of the sentences of each split.
        cache: folder for what takes long.
        notes: what was decided so far.
        files: digests of the user's own files.
    """
    marks = is_scheme({tag for sentence in sentences for tag in sentence.tags})
    if marks:
        sentences = [Sentence(words, to_iob2(tags)) for words, tags in sentences]
    parts = {name: [sentences[number] for number in members.tolist()] for name, members in splits.items()}
    names = tag_names(sentences, marks)
    notes.append(_tags_note(parts, names, marks))
    tokenizer = fields.learn([" ".join(words) for words, _ in parts["train"]], FRAME, cache, notes)
    encoding = TaggedTextEncoding(tokenizer=tokenizer.text, max_length=fields.max_length)
    examples = {name: _examples(encoding, part, names, name, notes) for name, part in parts.items()}
    texts = {name: [words for words, _ in part] for name, part in parts.items()}
    return PaddedSource(TaggingSpec(encoding.tokens, names), examples, texts, encoding, notes, files)


def tag_names(sentences: Sequence[Sentence], marks: bool) -> tuple[str, ...]:
    """Return every tag there can be: O, and B- and I- of each type; or what the sentences have, in order."""
    found = {tag for sentence in sentences for tag in sentence.tags}
    if not marks:
        return tuple(sorted(found))
    kinds = sorted({tag.partition("-")[2] for tag in found if tag != OUTSIDE})
    return (OUTSIDE, *(f"{letter}-{kind}" for kind in kinds for letter in "BI"))


def _examples(
    encoding: TaggedTextEncoding, sentences: Sequence[Sentence], names: Sequence[str], split: str, notes: list[str]
) -> TaggedTexts:
    """Return tokens, and at the first of each word its tag."""
    numbers = {name: number for number, name in enumerate(names)}
    rows, places = encoding.placed([words for words, _ in sentences])
    tags: list[list[int]] = []
    lost = 0
    for row, begins, (words, said) in zip(rows, places, sentences, strict=True):
        targets = [IGNORED] * len(row)
        for place, tag in zip(begins, said, strict=False):
            targets[place] = numbers[tag]
        tags.append(targets)
        lost += len(words) - len(begins)
    tokens = Ragged.of(rows)
    if split == "train":
        notes.append(
            lengths_note(
                tokens, sum(len(p) < len(s.words) for p, s in zip(places, sentences, strict=True)), encoding.max_length
            )
        )
    if lost:
        notes.append(f"{lost:,} words of {split} texts stand beyond {encoding.max_length} tokens and have no tag there")
    return TaggedTexts(tokens, Ragged.of(tags))


def _tags_note(parts: Mapping[str, Sequence[Sentence]], names: Sequence[str], marks: bool) -> str:
    words = ", ".join(f"{name} {sum(len(each.words) for each in part):,}" for name, part in parts.items())
    if not marks:
        return f"words: {words}; {len(names):,} tags"
    kinds = [name[2:] for name in names if name.startswith("B-")]
    counts = ", ".join(f"{name} {sum(len(entities(each.tags)) for each in part):,}" for name, part in parts.items())
    return f"words: {words}; entities: {counts}; {len(kinds)} types: {', '.join(kinds[:20])}"
