"""Attention is what tells contexts apart: the proof holds, and without attention's mixing it would not."""

import torch

from fourfold.claims import attention_context


def test_it_holds_and_says_what_was_compared() -> None:
    proof = attention_context.prove("quick")
    assert proof.holds
    assert "190 pairs of contexts" in proof.evidence[0]


def test_where_attention_gives_nothing_contexts_are_alike() -> None:
    seen, alone = (attention_context._vectors(1, 4, attends) for attends in (True, False))
    assert seen.shape == alone.shape == (4, 32)
    assert attention_context._distances(seen)[0] > 0.01
    torch.testing.assert_close(alone, alone[:1].expand(4, -1), rtol=0, atol=1e-12)


def test_distances_are_the_least_and_the_greatest_of_all_pairs() -> None:
    assert attention_context._distances(torch.tensor([[0.0, 0.0], [3.0, 3.0], [0.0, 2.0]]).double()) == (2.0**0.5, 3.0)
