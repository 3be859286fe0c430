"""Gradients by lag, where they are known: a power of a matrix, gates that stand still, a product of singular values."""

import math

import pytest
import torch
from torch import Tensor, nn

from fourfold.claims import gradients_fade as claim
from fourfold.models.gru import GRU
from fourfold.models.lstm import LSTM
from fourfold.models.rnn import RNN
from fourfold.tasks.inputs import Series

SERIES = Series(("value", "marker"), 12)


class Linear(nn.Module):
    """h_t = W h_{t-1} + U x_t, and the answer v h at the end."""

    def __init__(self, inner: Tensor, inputs: Tensor, answer: Tensor) -> None:
        super().__init__()
        self.inner, self.inputs, self.answer = inner, inputs, answer

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), len(self.inner))
        for step in x.unbind(1):
            state = state @ self.inner.T + step @ self.inputs.T
        return state @ self.answer


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def test_a_linear_networks_gradient_is_a_power_of_its_matrix():
    inner, inputs, answer = drawn(5, 5), drawn(5, 2), drawn(5)
    found = claim.logarithms(Linear(inner, inputs, answer), drawn(3, 12, 2))
    for lag in range(12):
        expected = inputs.T @ torch.linalg.matrix_power(inner.T, lag) @ answer
        assert float(found[lag]) == pytest.approx(math.log10(float(expected.norm())), abs=1e-9)


def test_rows_are_averaged_as_logarithms():
    class Scaled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, 0, 0] * torch.tensor([1.0, 100.0])

    assert claim.logarithms(Scaled(), torch.ones(2, 2, 1))[1] == pytest.approx(1.0)


@pytest.mark.parametrize("orthogonal", [False, True])
def test_elmans_network_stays_below_the_product_of_its_largest_singular_values(orthogonal: bool):
    torch.manual_seed(0)
    network = RNN(SERIES, 1, "last", 16).double()
    if orthogonal:
        claim.make_orthogonal_(network, 0)
    inner, inputs, answer = (
        torch.linalg.matrix_norm(network.get_parameter(name), 2).item()
        for name in ("layers.weight_hh_l0", "layers.weight_ih_l0", "head.out.weight")
    )
    found = claim.logarithms(network, drawn(4, 12, 2))
    for lag in range(12):
        assert float(found[lag]) <= math.log10(inputs * inner**lag * answer)
    if orthogonal:
        assert inner == pytest.approx(1)


@pytest.mark.parametrize("bias", [0.0, 1.0, 10.0])
def test_an_lstm_of_gates_that_stand_still_keeps_what_its_forget_gate_lets_stay(bias: float):
    """Without weights but those of what is new, c_t = sigmoid(bias) c_{t-1} + tanh(w x_t) / 2, from which h is read."""
    network = LSTM(SERIES, 1, "last", 4, forget_bias=bias).double()
    still(network, "layers.weight_ih_l0", blocks=4, moving=2)
    with torch.no_grad():
        for name in ("layers.bias_ih_l0", "layers.bias_hh_l0"):
            kept = network.get_parameter(name)[4:8].clone()
            network.get_parameter(name).zero_()[4:8] = kept
    found = claim.logarithms(network, 0.7 * torch.ones(1, 12, 2, dtype=torch.float64))
    slope = math.log10(1 / (1 + math.exp(-bias)))
    assert (found.diff() - slope).abs().max() < 1e-9


def test_a_gru_of_gates_that_stand_still_keeps_half():
    network = GRU(SERIES, 1, "last", 4).double()
    still(network, "layers.weight_ih_l0", blocks=3, moving=2)
    with torch.no_grad():
        network.get_parameter("layers.bias_ih_l0").zero_()
        network.get_parameter("layers.bias_hh_l0").zero_()
    found = claim.logarithms(network, 0.7 * torch.ones(1, 12, 2, dtype=torch.float64))
    assert (found.diff() - math.log10(0.5)).abs().max() < 1e-9


def still(network: nn.Module, name: str, blocks: int, moving: int) -> None:
    """Take away all weights of the state, and those of the inputs at every gate but one."""
    with torch.no_grad():
        network.get_parameter("layers.weight_hh_l0").zero_()
        for block, rows in enumerate(network.get_parameter(name).chunk(blocks)):
            if block != moving:
                rows.zero_()


@pytest.mark.parametrize("name", claim.ARMS)
def test_arms_have_the_state_and_the_forget_gates_that_they_say(name: str):
    arm = claim.ARMS[name]
    layers = claim.built(arm._replace(when="drawn"), 0, 1).model.get_submodule("layers")
    assert isinstance(layers, nn.RNNBase)
    assert layers.hidden_size == 32
    if isinstance(layers, nn.LSTM):
        gates = (layers.bias_ih_l0 + layers.bias_hh_l0)[32:64]
        assert torch.equal(gates, torch.full((32,), float(arm.model.get("forget_bias", 1.0))))


def test_training_changes_the_weights_and_arms_of_a_seed_begin_alike():
    rnn, trained = claim.ARMS["rnn, drawn"], claim.ARMS["rnn, trained"]
    first, again, after = (claim.built(arm, 3, 2).model.state_dict() for arm in (rnn, rnn, trained))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["layers.weight_hh_l0"], after["layers.weight_hh_l0"])


def test_the_score_is_what_comes_through_from_lag_1_to_lag_50(monkeypatch):
    assert claim.score("rnn, drawn", 0, "quick") < claim.FADED
    assert claim.score("orthogonal rnn, drawn", 0, "quick") > claim.score("rnn, drawn", 0, "quick")
    monkeypatch.setattr(claim, "logarithms", lambda *_: torch.arange(51.0) ** 2)
    assert claim.score("rnn, drawn", 0, "quick") == 50**2 - 1
