"""Half epochs to a level: found once, they are found again however long one looks; the network is the source's form."""

import torch
from torch import nn

from fourfold.claims import relu_in_a_convnet as claim
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

COLOUR = ClassificationSpec(Image(3, 32, 32), tuple("0123456789"))


def test_the_level_is_reached_after_a_half_epoch_and_not_before():
    found = claim.halves_to_level("tanh", 0.008, 0, "digits", 8)
    assert 1 < found < 8
    assert claim.halves_to_level("tanh", 0.008, 0, "digits", found) == found
    assert claim.halves_to_level("tanh", 0.008, 0, "digits", found - 1) == found - 1  # it counts all it was given


def test_the_fastest_step_size_counts_in_epochs(monkeypatch):
    needs = {0.1: 30, 1.0: 12, 10.0: 99}
    monkeypatch.setattr(claim, "LRS", {"full": tuple(needs)})
    monkeypatch.setattr(claim, "halves_to_level", lambda activation, lr, seed, data, most: min(needs[lr], most))
    assert claim.fastest("relu", 0, "full") == 6


def test_it_has_four_layers_of_the_activation_and_the_seed_leaves_the_global_stream_alone():
    before = torch.random.get_rng_state()
    network = claim.four_layers(COLOUR, "tanh", 3)
    assert torch.equal(before, torch.random.get_rng_state())
    shapes = [tuple(layer.weight.shape) for layer in network if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert shapes == [(16, 3, 5, 5), (16, 16, 5, 5), (32, 16, 5, 5), (10, 32 * 4 * 4)]
    assert sum(isinstance(layer, nn.Tanh) for layer in network) == 3
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    again, other = claim.four_layers(COLOUR, "tanh", 3), claim.four_layers(COLOUR, "tanh", 4)
    assert torch.equal(network[0].weight, again[0].weight)  # type: ignore[arg-type]
    assert not torch.equal(network[0].weight, other[0].weight)  # type: ignore[arg-type]
