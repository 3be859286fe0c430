"""What is told from both sides, from one, or from neither: planted in sentences, and found where it was planted."""

import random

import pytest
import torch

from fourfold.claims import bilstm_helps as claim
from fourfold.claims.tagged_words import source_of
from fourfold.models import MODELS

NEIGHBOUR = {"the next": 1, "the one before": -1}


def sentences(neighbour: int, count: int) -> list[list[tuple[str, str]]]:
    """Return sentences of x and y in which a word's tag is its neighbour, and `none` at an end."""
    draw = random.Random(0)
    rows = [draw.choices("xy", k=9) for _ in range(count)]
    return [
        [(word, row[i + neighbour] if 0 <= i + neighbour < len(row) else "none") for i, word in enumerate(row)]
        for row in rows
    ]


@pytest.mark.parametrize("where", NEIGHBOUR)
def test_what_stands_behind_a_word_is_known_to_the_network_that_reads_both_ways_alone(where: str, monkeypatch):
    planted = sentences(NEIGHBOUR[where], 400)
    source = source_of({"test": planted[:100], "train": planted[100:]})
    monkeypatch.setattr(claim, "tagged", lambda seed, count: source)
    monkeypatch.setitem(claim.STEPS, "quick", 150)
    assert claim.score("both ways", 0, "quick") > 0.98
    forward = claim.score("forward", 0, "quick")
    assert forward > 0.98 if where == "the one before" else 0.3 < forward < 0.7


def test_the_forward_network_has_no_fewer_weights():
    source = source_of({"train": [[("a", str(i)) for i in range(90)]], "test": []})
    with torch.device("meta"):
        sizes = {
            arm: sum(
                parameter.numel()
                for name, parameter in MODELS.parse(fields, "model").build(source.spec).named_parameters()  # type: ignore[attr-defined]
                if not name.startswith("embedding")
            )
            for arm, fields in claim.NETWORKS.items()
        }
    assert sizes["both ways"] < sizes["forward"] < 1.03 * sizes["both ways"]
