"""Sentences of 4 to 20 words, translated through one vector and with attention, and what length costs each.

The language is invented, so that a small network can learn it in minutes: 20 words of one letter each, drawn evenly,
and translated one for one, in the same order. Every sentence is as likely as any other, and the longest say five times
as much as the shortest. Length is then all that differs between short and long: words and grammar are those of both.

The one vector has 128 numbers, as many as attention gives the writer at each word, which makes the network without
attention the larger of the two. Steps, batches and step size are alike. What is judged is how much BLEU falls from
short sentences to long ones: more without attention than with it. The quick size is too few steps to learn anything.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.in_process import train
from fourfold.claims.rules import greater, provided
from fourfold.core.seeds import stream_seed

if TYPE_CHECKING:
    from torch import nn

    from fourfold.tasks.seam import Source

WORDS, TRANSLATIONS = "abcdefghijklmnopqrst", "ABCDEFGHIJKLMNOPQRST"
SHORTEST, LONGEST = 4, 20
RANGES = {"short": range(4, 9), "long": range(16, 21)}  # words
NETWORKS: dict[str, dict[str, Any]] = {
    "attention": {"attention": "bahdanau", "width": 64},
    "one vector": {"attention": "none", "width": 128},
}
PAIRS = {"quick": 2_000, "full": 30_000}
STEPS = {"quick": 15, "full": 1_800}


def score(arm: str, seed: int, size: Name) -> float:
    """Return BLEU of an arm's sentences, or how much less it is of long ones than of short ones."""
    network, _, which = arm.partition(", ")
    found = scores_by_length(network, seed, size)
    return found["short"] - found["long"] if which == "fall" else found[which]


@cache
def scores_by_length(network: str, seed: int, size: Name) -> dict[str, float]:
    """Train a network, and return its BLEU on the short and on the long sentences of the test split, 0 to 100."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.tsv"
        path.write_text("".join(pairs(PAIRS[size], seed)), encoding="utf-8")
        recipe = {
            "data": {
                "name": "pairs",
                "path": str(path),
                "tokenizer": "char",
                "target_language": "ko",  # whose words, for BLEU, are characters
                "shared_vocabulary": False,
                "max_length": LONGEST + 1,
                "validation": 0.0,
                "test": 0.05,
                "split_seed": None,
            },
            "model": {"name": "seq2seq", "cell": "gru", "embedding": 32, **NETWORKS[network]},
            "loss": {"name": "cross_entropy"},
            "algorithm": {
                "name": "supervised",
                "optimizer": {"name": "adam", "lr": 0.004},
                "schedule": {"name": "one_cycle"},
                "regularizers": [{"name": "gradient_clipping", "max_norm": 1.0}],
            },
            "budget": {"steps": STEPS[size], "batch_size": 64},
        }
        _, parts = train(recipe, {"seed": seed})
    return {which: bleu(parts.model, parts.source, lengths) for which, lengths in RANGES.items()}


def pairs(count: int, seed: int) -> list[str]:
    """Return sentences with their translations as lines of a file, lengths evenly spread."""
    import numpy as np

    generator = np.random.default_rng(stream_seed(seed, "sample"))
    dictionary = str.maketrans(WORDS, "".join(generator.permutation(list(TRANSLATIONS))))
    lengths = generator.integers(SHORTEST, LONGEST, size=count, endpoint=True)
    sentences = ["".join(generator.choice(list(WORDS), size=length)) for length in lengths]
    return [f"{sentence}\t{sentence.translate(dictionary)}\n" for sentence in sentences]


def bleu(model: "nn.Module", source: "Source", lengths: range) -> float:
    """Return BLEU of a model's own translations of the sentences of the test split that have so many words."""
    import torch

    from fourfold.tasks.seam import Batch

    scorer = source.spec.scorer()
    with torch.inference_mode():
        for batch in source.split("test", 1024):
            words = batch.inputs[1] - 1  # without the token that ends a sentence
            chosen = (words >= lengths[0]) & (words <= lengths[-1])
            if chosen.any():
                part = Batch(tuple(each[chosen] for each in batch.inputs), batch.targets[chosen])
                scorer.ask(model, part)
                scorer.update(model(*part.inputs), part)
    return scorer.compute()["bleu"]


CLAIM = ComputedClaim(
    id="attention-long-sentences",
    says="A translator that has only one vector of a sentence loses more on long sentences than one with attention.",
    source="D. Bahdanau, K. Cho and Y. Bengio, Neural machine translation by jointly learning to align and translate, "
    "ICLR 2015, arXiv:1409.0473, section 5.1 and Fig. 2; K. Cho et al., On the properties of neural machine "
    "translation, SSST 2014, arXiv:1409.1259, Fig. 4",
    arms={
        f"{network}, {which}": f"BLEU {what}, {fields['width']} numbers in a state, attention: {fields['attention']}"
        for which, what in {
            "short": f"of {RANGES['short'][0]} to {RANGES['short'][-1]} words",
            "long": f"of {RANGES['long'][0]} to {RANGES['long'][-1]} words",
            "fall": "of short less that of long sentences",
        }.items()
        for network, fields in NETWORKS.items()
    },
    measured="BLEU of the test split, 0 to 100",
    score=score,
    rule=provided(
        greater("one vector, short", 50.0),  # else it has learnt nothing that length could take from it
        greater("one vector, fall", "attention, fall", by=5.0),
    ),
    quick=Size(seeds=7),
    full=Size(seeds=8),
    scaled_from="English into French, 348 million words, sentences of up to 50 words, states of 1,000 numbers",
)
