"""What is told from both sides, from one, or from neither: planted in sentences, and found where it was planted."""

import random

import pytest
import torch

from fourfold.claims import bidirectional_helps as claim
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
    source = claim.source_of({"test": planted[:100], "train": planted[100:]})
    monkeypatch.setattr(claim, "tagged", lambda seed, size: source)
    monkeypatch.setitem(claim.STEPS, "quick", 150)
    assert claim.score("both ways", 0, "quick") > 0.98
    forward = claim.score("forward", 0, "quick")
    assert forward > 0.98 if where == "the one before" else 0.3 < forward < 0.7


def test_every_word_is_a_token_with_its_tag_and_words_that_train_none_share_one():
    train = [[("The", "at"), ("dog", "nn"), ("barks", "vbz")], [("the", "at"), ("end", "nn-hl")]]
    source = claim.source_of({"train": train, "test": [[("THE", "at-tl"), ("cat", "nn"), ("you'd", "ppss+md")]]})
    (batch,) = source.split("test", 10)
    assert source.spec.tag_names == ("at", "nn", "ppss", "vbz")  # type: ignore[attr-defined]
    assert batch.inputs[0].tolist() == [[2, claim.OTHER, claim.OTHER]]  # "the" is the most frequent
    assert batch.targets.tolist() == [[0, 1, 2]]
    (batch,) = source.split("train", 10)
    assert sorted(batch.inputs[0].flatten().tolist()) == [claim.PADDING, 2, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("tag", "said"), [("nn-tl", "nn"), ("ppss+md", "ppss"), ("bez*", "bez"), ("*", "*"), ("--", "-"), ("fw-nn", "fw")]
)
def test_a_tag_is_without_its_additions(tag: str, said: str):
    assert claim.plain(tag) == said


def test_the_forward_network_has_no_fewer_weights():
    source = claim.source_of({"train": [[("a", str(i)) for i in range(90)]], "test": []})
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
