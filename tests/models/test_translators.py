"""Every network that translates, searched: with its cache as without it, and a text among others as if alone."""

from typing import Any

import pytest
import torch
from torch import Tensor

from fourfold.models import Seq2Seq, Transformer
from fourfold.tasks.decoding import beam_search, greedy

BEGIN, END, LONGEST = 1, 2, 7
SOURCE = torch.tensor([[5, 6, 7, 8, 9, 2], [4, 3, 2, 0, 0, 0], [9, 9, 4, 5, 2, 0], [2, 0, 0, 0, 0, 0]])
LENGTHS = torch.tensor([6, 3, 5, 1])
NETWORKS: dict[str, Any] = {
    "transformer": lambda: Transformer(11, 11, layers=2, width=16, heads=2, hidden=16, dropout=0.0),
    "transformer, two vocabularies": lambda: Transformer(11, 13, 1, 16, 2, 16, dropout=0.0, shared=False),
    "seq2seq with attention": lambda: Seq2Seq(11, 11, "bahdanau", "gru", 16, 8),
    "seq2seq without": lambda: Seq2Seq(11, 11, "none", "lstm", 16, 8, layers=2, reverse=True),
}


class WithoutCache:
    """A network's `encode` and `decode` alone."""

    def __init__(self, network: Any) -> None:
        self.encode, self.decode = network.encode, network.decode


def made(name: str) -> Any:
    torch.manual_seed(3)  # with which no network says the same of every text
    network = NETWORKS[name]().double().eval()
    for key, param in network.named_parameters():
        if param.dim() > 1:  # a tied table with large numbers would say the last token again and again
            torch.nn.init.normal_(param, std=0.1 if key == "tokens.weight" else 0.7)
    return network


def search(network: Any, rows: Tensor, beams: int) -> list[list[int]]:
    found = SOURCE[rows], LENGTHS[rows], BEGIN, END, LONGEST
    return greedy(network, *found) if beams == 1 else beam_search(network, *found, beams=beams)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_with_a_cache_as_without_it(name: str, beams: int) -> None:
    network = made(name)
    found = search(network, torch.arange(4), beams)
    assert found == search(WithoutCache(network), torch.arange(4), beams)
    assert len(set(map(tuple, found))) > 1  # the texts differ, and so do their translations


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_text_among_others_is_translated_as_if_alone(name: str, beams: int) -> None:
    network = made(name)
    alone = [search(network, torch.tensor([i]), beams)[0] for i in range(4)]
    assert search(network, torch.arange(4), beams) == alone
