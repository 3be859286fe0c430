"""Weights in 8 bits: the scheme number by number, and the layer against the exact product of what it stores."""

import pytest
import torch
from torch import nn
from verification import difference

from fourfold.models import GPT
from fourfold.nn.int8_weights import Int8Linear, to_int8_


def test_the_scheme_number_by_number() -> None:
    weight = torch.tensor([[127.0, -63.4, 0.6, 0.4], [-1.27, 0.635, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    layer = Int8Linear(weight)
    assert layer.weight[0].tolist() == [127, -63, 1, 0]
    assert layer.scale[0] == 1
    assert layer.weight[2].tolist() == [0, 0, 0, 0]
    stored = layer.weight.float() * layer.scale.float().unsqueeze(1)
    assert ((stored - weight).abs() <= layer.scale.float().unsqueeze(1) / 2 * 1.01).all()
    assert layer.weight.abs().max() <= 127


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 1, 64), (2, 3, 64), (5, 64)])
def test_a_layer_is_the_product_of_what_it_stores(bias: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    plain = nn.Linear(64, 96, bias)
    layer = Int8Linear.of(plain)
    x = torch.randn(shape).bfloat16()
    stored = layer.weight.double() * layer.scale.double().unsqueeze(1)
    exact = x.double() @ stored.T + (plain.bias.detach().bfloat16().double() if bias else 0)
    assert layer(x).shape == (*shape[:-1], 96)
    assert layer(x).dtype == torch.bfloat16
    assert difference(layer(x), exact) < 0.01  # of bf16, 1 / 256
    assert difference(layer(x), plain(x.float())) < 0.03


def test_every_linear_layer_of_a_network_is_replaced() -> None:
    network = nn.Sequential(nn.Linear(32, 32), nn.Sequential(nn.ReLU(), nn.Linear(32, 32)), nn.LayerNorm(32))
    to_int8_(network)
    assert [type(m).__name__ for m in network.modules() if not isinstance(m, nn.Sequential)] == [
        "Int8Linear",
        "ReLU",
        "Int8Linear",
        "LayerNorm",
    ]
    assert network[0].weight.dtype == torch.int8
    assert network[2].weight.dtype == torch.bfloat16


def test_a_gpt_in_8_bits_writes_by_its_cache_what_it_writes_all_at_once() -> None:
    torch.manual_seed(0)
    plain = GPT(96, 8, layers=2, width=32, heads=2).eval()
    for param in plain.parameters():
        if param.dim() > 1:
            nn.init.normal_(param, std=0.2)
    tokens = torch.randint(96, (2, 8))
    with torch.inference_mode():
        exact = plain(tokens)
        light = to_int8_(plain)
        whole = light(tokens)
        state = light.begin(2)
        for i in range(8):
            scores, state = light.extend(tokens[:, i : i + 1], state)
            assert difference(scores[:, 0], whole[:, i]) < 0.03  # of bf16
    assert isinstance(light.head, Int8Linear)
    assert difference(whole, exact) < 0.06
