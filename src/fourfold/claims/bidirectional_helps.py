"""Parts of speech in the Brown corpus, by an LSTM that reads forward and by one that reads both ways.

The claim that is tested is Graves and Schmidhuber's, of networks of one size that label each step of a sequence; they
label sounds, and here it is words. That pre-training with hidden words in both directions beats pre-training from left
to right, as Devlin et al. found in 2018, is another claim, and is not tested here.

A word is one token: of pieces of words, a network that reads forward would not have seen the end of the word it labels.
The words that stand most often in the training texts have a token each, the others share one, and capitals are small.
Tags are the corpus's without what it adds for titles, headlines and contractions. Both networks have the same number of
weights to within three parts in a hundred, of which the forward one has more. The split is by whole texts, and varies
with the seed. The quick size is few steps on few texts.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import greater
from fourfold.core.seeds import stream_seed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fourfold.data.text.padded import PaddedSource

    Sentence = Sequence[tuple[str, str]]  # words and their tags

NETWORKS: dict[str, dict[str, Any]] = {
    "both ways": {"name": "lstm", "embedding": 64, "width": 64, "bidirectional": True},
    "forward": {"name": "lstm", "embedding": 64, "width": 104},
}
STEPS = {"quick": 20, "full": 2_000}
TEXTS = {"quick": 20, "full": 500}
WORDS = 4_000  # that have a token of their own
LONGEST = 100  # words of a sentence; what is beyond is left out
PADDING, OTHER = 0, 1  # tokens


def score(arm: str, seed: int, size: Name) -> float:
    """Return the share of the words of the test texts whose tag a network says rightly."""
    import torch

    from fourfold.algorithms import ALGORITHMS
    from fourfold.losses import LOSSES
    from fourfold.models import MODELS
    from fourfold.run.build import build_model
    from fourfold.run.evaluate import evaluate
    from fourfold.tasks.seam import Plan

    source = tagged(seed, size)
    model = build_model(MODELS.parse(NETWORKS[arm], "model"), source.spec, seed)
    algorithm: Any = ALGORITHMS.parse(
        {
            "name": "supervised",
            "optimizer": {"name": "adam", "lr": 0.004},
            "schedule": {"name": "one_cycle"},
            "regularizers": [{"name": "gradient_clipping", "max_norm": 1.0}],
        },
        "algorithm",
    )
    config: Any = LOSSES.parse("cross_entropy", "loss")
    loss = config.build(source.spec)
    with torch.random.fork_rng(devices=[]):
        training = algorithm.build(model, loss, source, Plan(seed, STEPS[size], 32))
        for _ in range(STEPS[size]):
            training.step()
        training.check()
        training.finish()
    return evaluate(model, loss, source, "test")["accuracy"]


@lru_cache(maxsize=1)
def tagged(seed: int, size: Name) -> "PaddedSource":
    """Return the corpus, a tenth of its texts for the test."""
    import numpy as np

    from fourfold.data.cache import CachedFile, ensure
    from fourfold.data.text.brown import BrownConfig, sentences
    from fourfold.data.text.fetched import read
    from fourfold.run.build import data_cache

    folder = data_cache() / "brown"
    ensure(folder, [CachedFile(name, digest) for name, digest in BrownConfig.digests.items()], BrownConfig().fetch)
    texts = list(read(folder).values())
    order = np.random.default_rng(stream_seed(seed, "sample")).permutation(len(texts))[: TEXTS[size]]
    held_out = len(order) // 10
    parts = {"test": order[:held_out], "train": order[held_out:]}
    return source_of({name: [each for i in part for each in sentences(texts[i])] for name, part in parts.items()})


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


CLAIM = ComputedClaim(
    id="bidirectional-helps",
    says="A network that reads a sequence both ways labels its steps better than one of the same size that reads it "
    "forward.",
    source="A. Graves and J. Schmidhuber, Framewise phoneme classification with bidirectional LSTM and other neural "
    "network architectures, Neural Networks 18(5-6), 2005, the table of its main results",
    arms={
        "both ways": "a bidirectional LSTM of 64 numbers each way",
        "forward": "an LSTM of 104 numbers",
    },
    measured="share of the test texts' words whose part of speech is right",
    score=score,
    rule=greater("both ways", "forward", by=0.005),
    quick=Size(seeds=6),
    full=Size(seeds=8),
    scaled_from="sounds of speech, 3,696 sentences read aloud, about 100,000 weights, trained until they were best on "
    "a validation split",
)
