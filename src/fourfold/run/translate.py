"""Translating new texts with a recorded run, without its training data.

Checked by: a model that spells, whose translations are known.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.text.encoding import Framed, inputs_of
from fourfold.data.text.padded import WIDTH, portions
from fourfold.run.run import Run
from fourfold.tasks.tokenizer import EOS, tokenizer_of
from fourfold.tasks.tokens import MOST_SCORES
from fourfold.tasks.translation import TranslationSpec, texts_of
from fourfold.tasks.translation import translate as translate_tokens

BATCH_SIZE = 64


class Translations(NamedTuple):
    """One translation a text, and what was done to the texts."""

    texts: list[str]
    notes: list[str]


def translate(run: Run, texts: Sequence[str], beams: int = 1) -> Translations:
    """Return the run's translation of each text.

    Args:
        run: a run with weights that translates.
        texts: in the language that it was trained to read; an empty one stays empty.
        beams: beginnings kept of each translation; 1 is the likeliest token each time. A paper's scores are of 4 to 12.

    Raises:
        InputError: the run does not translate, there are no texts, or `beams` is out of range.
    """
    spec = spec_of(run)
    if not texts:
        raise InputError("nothing to translate: no texts were given")
    if not 1 <= beams <= spec.num_outputs:
        raise InputError(f"beams: {beams}; the nearest valid number is {1 if beams < 1 else spec.num_outputs}")
    reads, writes = tokenizer_of(spec.source_tokenizer or spec.tokenizer), tokenizer_of(spec.tokenizer)
    longest, stop = spec.input.length, reads.number_of(EOS)
    places = [place for place, text in enumerate(texts) if text.strip()]
    whole = reads.encode([texts[place] for place in places])
    rows = [[*row[: longest - 1], stop] for row in whole]
    found: list[str] = []
    with torch.inference_mode():
        for start, end in portions(
            [len(row) for row in rows], BATCH_SIZE, MOST_SCORES // (beams * max(WIDTH, spec.num_outputs))
        ):
            tokens, lengths = inputs_of(Framed(rows[start:end], None, 0))
            found += texts_of(translate_tokens(run.predictor, tokens, lengths, spec, beams), writes, spec.end)
    cut = sum(len(row) >= longest for row in whole)
    translations = [""] * len(texts)
    for place, translation in zip(places, found, strict=True):
        translations[place] = translation
    return Translations(
        translations, [f"{counted(cut, 'text')} longer than {longest} tokens: the end is cut"] if cut else []
    )


def spec_of(run: Run) -> TranslationSpec:
    """Return what a run that translates was trained for, or raise InputError that says what it does."""
    if not isinstance(run.spec, TranslationSpec):
        raise InputError(f"{run.run_id}: this run does not translate; its data pose {run.spec.task.replace('_', ' ')}")
    return run.spec
