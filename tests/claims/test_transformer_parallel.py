"""Chains of operations and multiplications, counted where they are known by hand."""

import pytest
import torch
from torch import nn

from fourfold.claims import transformer_parallel as claim


def test_it_holds():
    proof = claim.prove("quick")
    assert proof.holds
    assert "not so" not in " ".join(proof.evidence)


def test_the_longest_way_is_the_one_that_is_counted():
    leaf, other = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    assert claim.longest_way(leaf * 2, leaf) == 1
    assert claim.longest_way(leaf * 2 + leaf.exp().sin(), leaf) == 3
    assert claim.longest_way(leaf * 2 + other.exp().sin().cos(), leaf) == 2  # the other leaf's way is not its own
    with pytest.raises(AssertionError, match="does not depend"):
        claim.longest_way(other * 2, leaf)


def test_a_layer_that_waits_for_each_word_in_turn_is_told_from_one_that_does_not():
    def in_turn(x: torch.Tensor) -> torch.Tensor:
        states = [x[:, 0]]
        for word in x.unbind(1)[1:]:
            states.append((states[-1] + word).tanh())
        return torch.stack(states, dim=1)

    def at_once(x: torch.Tensor) -> torch.Tensor:
        return x.cumsum(1).tanh()

    lengths = (2, 4, 8)
    assert claim.each_word(lengths, [claim.chain(in_turn, n) for n in lengths]) == 2
    assert claim.each_word(lengths, [claim.chain(at_once, n) for n in lengths]) == 0
    with pytest.raises(AssertionError, match="does not see the first"):
        claim.chain(nn.Identity(), 4)


def test_growth_that_is_not_one_number_is_none():
    assert claim.each_word((2, 4, 8), (5, 9, 17)) == 2
    assert claim.each_word((2, 4, 8), (5, 9, 25)) is None
    assert claim.each_word((2, 4), (5, 6)) is None


def test_an_encoder_of_two_layers_follows_on_twice():
    """A recurrent layer that stands behind attention makes the whole wait for every word."""
    encoder, rnn = claim.attentive_layers()["encoder"], claim.recurrent_layers(claim.WIDTH)["rnn"]
    lengths = (2, 4, 8)
    one = claim.chain(encoder, 4)
    two = claim.chain(lambda x: encoder(encoder(x)), 4)
    assert one < two <= 2 * one
    more = claim.each_word(lengths, [claim.chain(lambda x: rnn(encoder(x)), n) for n in lengths])
    assert more == claim.each_word(lengths, [claim.chain(rnn, n) for n in lengths])


def test_multiplications_are_those_of_products_of_matrices():
    x = torch.empty(3, 5, device="meta")
    assert claim.products(lambda: x @ x.T) == 3 * 5 * 3
    assert claim.products(lambda: nn.functional.linear(x, x)) == 3 * 5 * 3
