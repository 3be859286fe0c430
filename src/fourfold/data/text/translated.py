"""From texts and their translations to a source.

Both languages are cut into the same tokens, learnt from both, unless two vocabularies are asked for (Vaswani et al.,
2017, section 5.1, share one). A text ends with the end token; a translation begins with the begin token, too.

Checked by: the sources made of it; every translation comes back from its tokens.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.text.examples import TranslatedTexts
from fourfold.data.text.learning import BETWEEN, TextFields
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.ragged import Ragged
from fourfold.data.text.tokenizer import Kind
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.tokenizer import BOS, EOS, Tokenizer
from fourfold.tasks.translation import TranslationSpec, Words

Pairs = Sequence[tuple[str, str]]
PIECE = 10_000  # pairs that become tokens together: as Python's numbers they take ten times the memory


class TranslationFields(TextFields):
    """The fields of every source of translated texts."""

    tokenizer: Kind = Field(
        default="bpe",
        description="tokens learnt from the training texts: characters, byte pairs, or words and their pieces",
    )
    max_length: int = Field(
        default=128, ge=8, le=65_536, description="tokens of a text; pairs with a longer one are left out"
    )
    shared_vocabulary: bool = Field(default=True, description="one vocabulary for both languages, or one for each")


def numbered(
    rows: Mapping[str, Iterable[tuple[str, str]]], notes: list[str]
) -> tuple[list[tuple[str, str]], dict[str, Tensor]]:
    """Return the pairs of all splits, and which numbers each split has; pairs with an empty text are left out."""
    pairs: list[tuple[str, str]] = []
    splits: dict[str, Tensor] = {}
    for split, given in rows.items():
        start, blank = len(pairs), 0
        for source, translation in given:
            pair = source.strip(), translation.strip()
            if all(pair):
                pairs.append(pair)
            else:
                blank += 1
        if blank:
            notes.append(f"{counted(blank, f'{split} pair')} with an empty text left out")
        splits[split] = torch.arange(start, len(pairs))
    return pairs, splits


def words_of_bleu(language: str) -> Words:
    """Return what sacrebleu is to count as words in a language, by its code such as `ko` (see `tasks.translation`)."""
    return "char" if language.lower().split("-")[0] in ("ko", "ja", "zh", "th", "lo", "km", "my") else "13a"


def translated_texts(
    fields: TranslationFields,
    pairs: Pairs,
    languages: tuple[str, str],
    splits: Mapping[str, Tensor],
    cache: Path,
    notes: list[str],
    files: Mapping[str, str] | None = None,
) -> PaddedSource:
    """Return a source that poses translation.

    Args:
        fields: how texts become tokens.
        pairs: texts and their translations.
        languages: from which into which.
        splits: numbers of the pairs of each split.
        cache: folder for what takes long.
        notes: what was decided so far.
        files: digests of the user's own files.

    Raises:
        InputError: no training pair is short enough, or a tokenizer has no begin or end token.
    """
    reads, writes = _tokenizers(fields, [pairs[number] for number in splits["train"].tolist()], cache, notes)
    parts: dict[str, TranslatedTexts] = {}
    texts: dict[str, list[tuple[str, str]]] = {}
    for name, members in splits.items():
        chosen = [pairs[number] for number in members.tolist()]
        parts[name], texts[name] = _examples(fields, chosen, reads, writes, name, notes)
    if not len(parts["train"]):
        raise InputError(f"data.max_length: no training pair fits into {fields.max_length} tokens")
    sources, translations = parts["train"].sources.lengths, parts["train"].translations.lengths
    notes.append(
        f"training pairs: {float(sources.double().mean()):.1f} tokens of {languages[0]} and "
        f"{float(translations.double().mean()):.1f} of {languages[1]} in the mean; batches are of like lengths"
    )
    most = fields.max_length
    spec = TranslationSpec(
        Tokens(reads.vocab_size, most, 1),
        Tokens(writes.vocab_size, most, 1),
        writes.text,
        languages,
        words_of_bleu(languages[1]),
        "" if reads.text == writes.text else reads.text,
    )
    notes.append(f"BLEU by sacrebleu, {spec.signature}")
    return PaddedSource(spec, parts, texts, None, notes, files)


def _tokenizers(fields: TranslationFields, pairs: Pairs, cache: Path, notes: list[str]) -> tuple[Tokenizer, Tokenizer]:
    """Return what reads, and what writes."""
    sources, translations = [source for source, _ in pairs], [translation for _, translation in pairs]
    if fields.shared_vocabulary or fields.tokenizer_from is not None:
        shared = fields.learn([*sources, *translations], BETWEEN, cache, notes)
        found = shared, shared
    else:
        found = fields.learn(sources, BETWEEN, cache, notes), fields.learn(translations, BETWEEN, cache, notes)
    for token in (BOS, EOS):
        if token not in found[1].special:
            raise InputError(f"data.tokenizer_from: that tokenizer has no {token}, which a translation needs")
    return found


def _examples(
    fields: TranslationFields, pairs: Pairs, reads: Tokenizer, writes: Tokenizer, split: str, notes: list[str]
) -> tuple[TranslatedTexts, list[tuple[str, str]]]:
    """Return the pairs that are short enough, as tokens and as they were."""
    begin, end, stop = writes.special[BOS], writes.special[EOS], reads.special[EOS]
    most = fields.max_length
    sources: list[Ragged] = []
    translations: list[Ragged] = []
    texts: list[tuple[str, str]] = []
    changed = 0
    for start in range(0, max(1, len(pairs)), PIECE):
        part = pairs[start : start + PIECE]
        read = reads.encode([source for source, _ in part])
        written = writes.encode([translation for _, translation in part])
        kept = [n for n, rows in enumerate(zip(read, written, strict=True)) if max(map(len, rows)) < most]
        sources.append(Ragged.of([*read[n], stop] for n in kept))
        translations.append(Ragged.of([begin, *written[n], end] for n in kept))
        texts += [part[n] for n in kept]
        if split != "train":  # whose texts are no reference of BLEU but in passing
            back = writes.decode([written[n] for n in kept])
            firsts = (part[n][1] for n in kept)
            changed += sum(
                unicodedata.normalize("NFC", text) != again for text, again in zip(firsts, back, strict=True)
            )
    if len(texts) < len(pairs):
        notes.append(f"{len(pairs) - len(texts):,} {split} pairs are longer than {most} tokens and are left out")
    if changed:
        notes.append(
            f"{changed:,} of {len(texts):,} {split} translations do not come back from their tokens as they were; "
            "BLEU is counted against what comes back"
        )
    return TranslatedTexts(Ragged.joined(sources), Ragged.joined(translations)), texts
