"""What exact claims about networks count and look at: it is told apart from what a claim denies."""

import torch
from torch import nn

from fourfold.claims import dense_transitions, one_by_one_saves, two_3x3_is_5x5


def test_a_square_is_seen_only_where_the_network_sees_one():
    def sides(*layers: nn.Module) -> int:
        return two_3x3_is_5x5._side_seen(nn.Sequential(*layers), 2, seed=0)

    three, five = (nn.Conv2d(2, 2, side, padding=side // 2, bias=False) for side in (3, 5))
    assert (sides(three), sides(five), sides(three, nn.ReLU(), five)) == (3, 5, 7)
    assert sides(nn.Conv2d(2, 2, 3, padding=2, dilation=2, bias=False)) == 0  # as wide as five, with holes
    assert sides(nn.Conv2d(2, 2, (1, 3), padding=(0, 1), bias=False)) == 0  # one row


def test_two_layers_are_one_convolution_without_relu_only():
    assert two_3x3_is_5x5._apart_from_one(3) < 1e-12
    assert 0.01 < two_3x3_is_5x5._left_by_best_one(3) < 1


def test_weights_of_inception_3a_are_those_of_the_papers_table():
    threes, fives, *others = one_by_one_saves._ways_of_googlenet()
    assert threes == (192 * 96 + 96 * 9 * 128, 192 * 9 * 128)
    assert fives == (192 * 16 + 16 * 25 * 32, 192 * 25 * 32)
    assert len(others) == 16


def test_bottlenecks_without_an_identity_are_left_out():
    blocks = one_by_one_saves._bottlenecks_of_resnet50()
    assert [width for width, _, _ in blocks] == [64] * 2 + [128] * 3 + [256] * 5 + [512] * 2
    assert blocks[0][1:] == (17 * 64**2, 2 * 9 * 256**2)


def test_widths_of_dense_layers_depend_on_what_transitions_keep():
    told = dense_transitions._widths_told((2, 3), 32, 0.5)
    assert told == [64, 96, 64, 96, 128]
    assert dense_transitions._widths_seen(dense_transitions._network((2, 3), 32, 0.5)) == told
    assert dense_transitions._widths_seen(dense_transitions._network((2, 3), 32, 1.0)) == [64, 96, 128, 160, 192]


def test_counting_draws_nothing_from_the_global_stream():
    before = torch.random.get_rng_state()
    dense_transitions._network((2, 3), 4, 0.5)
    one_by_one_saves._ways_of_googlenet()
    two_3x3_is_5x5._blocks_of_vgg16()
    two_3x3_is_5x5._side_seen(two_3x3_is_5x5._stack(2, 4), 4, seed=0)
    assert torch.equal(before, torch.random.get_rng_state())
