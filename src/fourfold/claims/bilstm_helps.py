"""Parts of speech in the Brown corpus, by an LSTM that reads forward and by one that reads both ways.

The claim that is tested is Graves and Schmidhuber's, of networks of one size that label each step of a sequence; they
label sounds, and here it is words. That pre-training both ways helps is another claim, bidirectional-helps.

Both networks have the same number of weights to within three parts in a hundred, of which the forward one has more. The
split is by whole texts, and varies with the seed. The quick size is few steps on few texts.
"""

from typing import Any

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import greater
from fourfold.claims.tagged_words import accuracy, tagged

NETWORKS: dict[str, dict[str, Any]] = {
    "both ways": {"name": "lstm", "embedding": 64, "width": 64, "bidirectional": True},
    "forward": {"name": "lstm", "embedding": 64, "width": 104},
}
LR = 0.004
STEPS = {"quick": 20, "full": 2_000}
TEXTS = {"quick": 20, "full": 500}


def score(arm: str, seed: int, size: Name) -> float:
    """Return the share of the words of the test texts whose tag a network says rightly."""
    from fourfold.models import MODELS
    from fourfold.run.build import build_model

    source = tagged(seed, TEXTS[size])
    return accuracy(build_model(MODELS.parse(NETWORKS[arm], "model"), source.spec, seed), source, seed, STEPS[size], LR)


CLAIM = ComputedClaim(
    id="bilstm-helps",
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
