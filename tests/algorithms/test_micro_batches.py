"""Micro-batches: nothing of a batch is lost, and none of them is empty."""

from typing import NamedTuple

import torch
from torch import Tensor

from fourfold.algorithms.micro_batches import cut_batch
from fourfold.tasks.seam import Batch


def test_pieces_are_nearly_equal_whole_and_never_empty() -> None:
    inputs, targets = torch.arange(24.0).view(12, 2), torch.arange(12)
    for count in (1, 5, 12, 40):
        cut = cut_batch(Batch((inputs, inputs * 2), targets), count)
        assert len(cut) == min(count, 12)
        assert torch.equal(torch.cat([piece.targets for piece in cut]), targets)
        assert torch.equal(torch.cat([piece.inputs[1] for piece in cut]), inputs * 2)
        sizes = [len(piece.targets) for piece in cut]
        assert max(sizes) - min(sizes) <= 1


class Two(NamedTuple):
    words: Tensor
    pairs: Tensor


def test_targets_of_several_tensors_are_cut_together() -> None:
    inputs, targets = torch.arange(7), Two(torch.arange(14).view(7, 2), torch.arange(7) * 10)
    cut = cut_batch(Batch((inputs,), targets), 3)
    assert [len(piece.inputs[0]) for piece in cut] == [3, 2, 2]
    for piece in cut:
        assert torch.equal(piece.targets.words[:, 0], 2 * piece.inputs[0])
        assert torch.equal(piece.targets.pairs, 10 * piece.inputs[0])
