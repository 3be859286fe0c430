"""The Brown corpus with the part of speech of each word, for claims about reading one way and reading both ways.

A word is one token: of pieces of words, a network that reads forward would not have seen the end of the word it labels.
The words that stand most often in the training texts have a token each, the others share one, and capitals are small.
Tags are the corpus's without what it adds for titles, headlines and contractions. The split is by whole texts.

Checked by: tokens and tags by hand.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fourfold.claims.in_process import trained
from fourfold.core.seeds import stream_seed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import nn

    from fourfold.data.text.padded import PaddedSource

    Sentence = Sequence[tuple[str, str]]  # words and their tags

WORDS = 4_000  # that have a token of their own
LONGEST = 100  # words of a sentence; what is beyond is left out
PADDING, OTHER = 0, 1  # tokens


@lru_cache(maxsize=1)
def tagged(seed: int, count: int) -> "PaddedSource":
    """Return `count` texts of the corpus, drawn by the seed; a tenth of them is for the test."""
    import numpy as np

    from fourfold.data.cache import CachedFile, ensure
    from fourfold.data.text.brown import BrownConfig, sentences
    from fourfold.data.text.fetched import read
    from fourfold.run.build import data_cache

    folder = data_cache() / "brown"
    ensure(folder, [CachedFile(name, digest) for name, digest in BrownConfig.digests.items()], BrownConfig().fetch)
    texts = list(read(folder).values())
    order = np.random.default_rng(stream_seed(seed, "sample")).permutation(len(texts))[:count]
    held_out = len(order) // 10
    parts = {"test": order[:held_out], "train": order[held_out:]}
    return source_of({name: [each for i in part for each in sentences(texts[i])] for name, part in parts.items()})


def accuracy(model: "nn.Module", source: "PaddedSource", seed: int, steps: int, lr: float) -> float:
    """Return the share of the test texts' words whose tag a network says rightly, after steps of 32 sentences."""
    from fourfold.losses import LOSSES
    from fourfold.run.evaluate import evaluate

    loss: Any = LOSSES.parse("cross_entropy", "loss")
    return evaluate(trained(model, source, seed, steps, 32, lr), loss.build(source.spec), source, "test")["accuracy"]


def source_of(parts: "Mapping[str, Sequence[Sentence]]") -> "PaddedSource":
    """Return a source of sentences whose every word is a token with a tag; the words are those of the training part."""
    from collections import Counter

    from fourfold.data.text.examples import TaggedTexts
    from fourfold.data.text.padded import PaddedSource
    from fourfold.data.text.ragged import Ragged
    from fourfold.tasks.inputs import Tokens
    from fourfold.tasks.tagging import TaggingSpec

    counts = Counter(word.lower() for sentence in parts["train"] for word, _ in sentence)
    tokens = {word: number for number, (word, _) in enumerate(counts.most_common(WORDS), start=OTHER + 1)}
    names = sorted({plain(tag) for part in parts.values() for sentence in part for _, tag in sentence})
    numbers = {name: number for number, name in enumerate(names)}
    examples = {
        name: TaggedTexts(
            Ragged.of([tokens.get(word.lower(), OTHER) for word, _ in sentence[:LONGEST]] for sentence in part),
            Ragged.of([numbers[plain(tag)] for _, tag in sentence[:LONGEST]] for sentence in part),
        )
        for name, part in parts.items()
    }
    texts = {name: [[word for word, _ in sentence[:LONGEST]] for sentence in part] for name, part in parts.items()}
    spec = TaggingSpec(Tokens(len(tokens) + OTHER + 1, LONGEST, 1), tuple(names))
    return PaddedSource(spec, examples, texts, None)


def plain(tag: str) -> str:
    """Return a tag without what is added to it: `nn-tl`, a noun in a title, is `nn`, and `ppss+md`, you'd, `ppss`."""
    return re.split(r"(?<=.)[-+*]", tag)[0]
