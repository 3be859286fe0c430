"""Packed convolutions and linear layers beside torch's own."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from fourfold.models import MODELS
from fourfold.run import packing
from fourfold.run.packing import LARGE, PackedConv2d, PackedLinear, packed
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def kinds(network: nn.Module) -> list[type]:
    return [type(module) for module in network.modules() if not any(module.children())]


@needs_onednn
@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(4, 6, 3),
        nn.Conv2d(4, 6, (3, 5), stride=(2, 1), padding=(0, 2), bias=False),
        nn.Conv2d(4, 6, 3, padding=2, dilation=2),
        nn.Conv2d(4, 6, 1, groups=2),
        nn.Conv2d(4, 4, 3, groups=4),
    ],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equals_the_convolution(convolution, layout) -> None:
    network = nn.Sequential(copy.deepcopy(convolution)).to(memory_format=layout)
    changed = packed(network, drawn(1, 4, 12, 11))
    assert kinds(changed) == [PackedConv2d]
    for size in ((1, 4, 12, 11), (3, 4, 7, 16)):
        x = drawn(*size).contiguous(memory_format=layout)
        with torch.inference_mode():
            torch.testing.assert_close(changed(x), convolution(x), rtol=1e-5, atol=1e-5)


@needs_onednn
@pytest.mark.parametrize("bias", [True, False])
def test_equals_the_linear_layer(bias) -> None:
    large, small = nn.Linear(1024, 256, bias=bias), nn.Linear(256, 7)
    assert large.weight.numel() >= LARGE > small.weight.numel()
    network = nn.Sequential(large, small)
    changed = packed(network, drawn(1, 1024))
    assert kinds(changed) == [PackedLinear, nn.Linear]
    assert list(network) == [large, small]  # it is not changed itself
    assert changed[1].weight is small.weight  # nor kept twice
    for size in ((1, 1024), (5, 1024), (2, 3, 1024)):
        x = drawn(*size)
        with torch.inference_mode():
            torch.testing.assert_close(changed(x), network(x), rtol=1e-5, atol=1e-5)


@needs_onednn
def test_a_whole_network_answers_as_before() -> None:
    torch.manual_seed(0)
    config: Any = MODELS.parse({"name": "resnet_cifar", "depth": 8}, "model")
    model = config.build(ClassificationSpec(Image(3, 16, 16), tuple("0123456789"))).eval()
    x = drawn(3, 3, 16, 16)
    network = packed(model, x[:1])
    assert kinds(network).count(PackedConv2d) == kinds(model).count(nn.Conv2d)
    with torch.inference_mode():
        expected = model(x)
        torch.testing.assert_close(network(x), expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


class Doubled(nn.Conv2d):
    """Computes something else than its class's parent."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(2 * input)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(4, 6, 3, padding="same"),
        nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"),
        Doubled(4, 6, 1),
        nn.Conv2d(4, 6, 1, dtype=torch.float64),
    ],
)
def test_others_stay(convolution) -> None:
    network = nn.Sequential(convolution)
    assert packed(network, drawn(1, 4, 8, 8).to(convolution.weight.dtype)) is network


def wrong(*given: Any) -> Any:
    raise RuntimeError("no such operator")


@needs_onednn
@pytest.mark.parametrize("answer", [wrong, lambda weight, *given: (2 * weight.to_dense()).to_mkldnn()])
def test_where_torch_packs_otherwise_all_stays_as_it_was(answer, monkeypatch) -> None:
    monkeypatch.setattr(torch._C._nn, "mkldnn_reorder_conv2d_weight", answer)
    network, x = nn.Sequential(nn.Conv2d(4, 6, 3), nn.Conv2d(6, 2, 1)), drawn(1, 4, 8, 8)
    assert packed(network, x) is network
    assert kinds(network) == [nn.Conv2d, nn.Conv2d]


def test_without_onednn_nothing_is_done(monkeypatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(packing, "_pack", lambda *_: pytest.fail("it was run"))
    network = nn.Sequential(nn.Conv2d(4, 6, 3))
    assert packed(network, drawn(1, 4, 8, 8)) is network


class Called(nn.Module):
    """Calls its layer by keyword, and refuses small numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1024, 256)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.abs().max() < 1e-3:
            raise ValueError("too small")
        return self.layer(input=x)


@needs_onednn
def test_a_network_is_left_that_refuses_the_example() -> None:
    network, x = Called(), drawn(2, 1024)
    changed = packed(network, x)
    assert kinds(changed) == [PackedLinear]
    torch.testing.assert_close(changed(x), network(x), rtol=1e-5, atol=1e-5)
    assert packed(network, torch.zeros(1, 1024)) is network


@needs_onednn
@pytest.mark.parametrize("wrong", [1.5, float("nan")])
def test_a_linear_layer_that_answers_otherwise_is_left(wrong, monkeypatch) -> None:
    answer = PackedLinear.forward
    monkeypatch.setattr(PackedLinear, "forward", lambda self, input: wrong * answer(self, input))
    network = nn.Sequential(nn.Linear(1024, 256))
    assert packed(network, drawn(1, 1024)) is network
