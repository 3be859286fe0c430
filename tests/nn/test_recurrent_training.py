"""Training steps written out, against torch's kernels: outputs, last states and gradients."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from verification import verified

from fourfold.nn.recurrent_cells import run_layers
from fourfold.nn.recurrent_training import suits, train_layers

KINDS = [nn.RNN, nn.GRU]
BATCH, TIME, INPUTS, WIDTH = 4, 6, 3, 5


def drawn(kind: type[Any], count: int = 1, bidirectional: bool = False) -> tuple[Any, Tensor, Tensor]:
    torch.manual_seed(0)
    layers = kind(INPUTS, WIDTH, count, batch_first=True, bidirectional=bidirectional).double()
    x = torch.randn(BATCH, TIME, INPUTS, dtype=torch.float64, requires_grad=True)
    state = torch.randn(count * (1 + bidirectional), BATCH, WIDTH, dtype=torch.float64, requires_grad=True)
    return layers, x, state


@pytest.mark.promise("R14")
@pytest.mark.parametrize("begun", [True, False], ids=["from-a-state", "from-zeros"])
@pytest.mark.parametrize(("count", "bidirectional"), [(1, False), (1, True), (3, False), (2, True)])
@pytest.mark.parametrize("kind", KINDS)
def test_states_and_gradients_are_those_of_torchs_kernels(kind, count, bidirectional, begun) -> None:
    layers, x, state = drawn(kind, count, bidirectional)
    wanted = [x, *layers.parameters(), *([state] if begun else [])]
    found = []
    for run in (train_layers, layers):
        before = state if begun else None
        outputs, after = train_layers(layers, x, before) if run is train_layers else run(x, before)
        weight = torch.sin(torch.arange(outputs.numel(), dtype=torch.float64)).view_as(outputs)
        found.append([outputs, after, *torch.autograd.grad((outputs * weight).sum() + (after**3).sum(), wanted)])
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-10, atol=1e-12)
    name, oracle, (ours, torchs) = f"{kind.__name__.lower()}_by_hand", "torch's kernel", found
    verified("layer", name, oracle, "outputs", ours[:2], torchs[:2])
    verified("layer", name, oracle, "gradients", ours[2:], torchs[2:])


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_finite_differences(kind) -> None:
    layers, x, state = drawn(kind)
    assert torch.autograd.gradcheck(
        lambda x, state, *_: train_layers(layers, x, state), (x, state, *layers.parameters())
    )


@pytest.mark.parametrize("kind", KINDS)
def test_bf16_stays_as_near_as_torchs(kind) -> None:
    layers, x, _ = drawn(kind, 2)
    layers, x = layers.float(), x.detach().float()
    exact = layers(x)[0]
    with torch.autocast("cpu", torch.bfloat16):
        errors = [(states.float() - exact).abs().max().item() for states in (train_layers(layers, x)[0], layers(x)[0])]
    assert 0 < errors[0] < max(2 * errors[1], 0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_trains_by_it_and_leaves_the_rest_to_torch(kind, monkeypatch) -> None:
    layers, x, state = drawn(kind, 2)
    taken: list[int] = []
    monkeypatch.setattr(
        "fourfold.nn.recurrent_cells.train_layers", lambda *given: taken.append(1) or train_layers(*given)
    )
    run_layers(layers, x, (state,))
    assert len(taken) == 1
    with torch.no_grad():
        run_layers(layers, x, (state,))
    run_layers(layers, x[:, :1], (state,))  # a step at a time, as a translation is written
    torch.func.grad(lambda each: run_layers(layers, each)[0].sum())(x.detach())
    assert len(taken) == 1


def test_what_it_does_not_compute_is_torchs() -> None:
    x = torch.randn(BATCH, TIME, INPUTS)
    assert not suits(nn.LSTM(INPUTS, WIDTH, batch_first=True), x)
    assert not suits(nn.RNN(INPUTS, WIDTH, batch_first=True, nonlinearity="relu"), x)


def test_dropout_stands_between_layers_in_training_only() -> None:
    torch.manual_seed(0)
    layers = nn.GRU(INPUTS, WIDTH, 2, batch_first=True, dropout=0.5)
    x = torch.randn(BATCH, TIME, INPUTS)
    first, again = (train_layers(layers, x)[0] for _ in range(2))
    assert not torch.equal(first, again)
    layers.eval()
    torch.testing.assert_close(train_layers(layers, x)[0], layers(x)[0])
