"""Reader and writer against their equations, token by token, in float64."""

import pytest
import torch
from torch import Tensor, nn
from verification import verified

from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.seq2seq import Seq2Seq, reversed_rows
from fourfold.nn.recurrent_cells import Weights, gru_step, lstm_step, unroll

SOURCE = torch.tensor([[3, 1, 4, 1, 5], [2, 6, 5, 0, 0], [7, 0, 0, 0, 0]])
LENGTHS = torch.tensor([5, 3, 1])
TARGET = torch.tensor([[1, 4, 2, 3], [1, 3, 3, 0], [1, 5, 4, 2]])
FORMS = [("none", "gru", 1), ("none", "lstm", 2), ("bahdanau", "gru", 1), ("bahdanau", "lstm", 1)]


def network(attention="bahdanau", cell="gru", layers=1, reverse=False) -> Seq2Seq:
    torch.manual_seed(0)
    return Seq2Seq(8, 6, attention, cell, 4, 3, layers, reverse).double()


def by_hand(net: Seq2Seq, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores `[t, vocabulary]` and weights `[t, s]` of one text by the paper's equations."""
    writer, width = net.writer, 4
    zero = tuple(torch.zeros(2, 1, width, dtype=torch.float64) for _ in range(1 + isinstance(net.reader, nn.LSTM)))
    h, _ = unroll(net.reader, net.source_embedding(source)[None], zero)
    h = h[0]  # [s, 2 * width]
    s = torch.tanh(writer.start.weight @ h[0, width:] + writer.start.bias)
    state = (s[None], torch.zeros(1, width, dtype=torch.float64))[: len(zero)]
    cell = Weights(*writer.cell.parameters())
    step = lstm_step if isinstance(writer.cell, nn.LSTMCell) else gru_step
    scores, weights = [], []
    for token in target:
        s, y = state[0][0], net.target_embedding.weight[token]
        e = torch.stack(
            [
                writer.fit.weight[0] @ torch.tanh(writer.query.weight @ s + writer.query.bias + writer.key.weight @ h_j)
                for h_j in h
            ]
        )
        a = e.exp() / e.exp().sum()  # Eq. 6
        c = sum(a_j * h_j for a_j, h_j in zip(a, h, strict=True))  # Eq. 5
        t = writer.before_out.weight @ torch.cat([s, y, c]) + writer.before_out.bias
        t = torch.stack([torch.maximum(t[2 * k], t[2 * k + 1]) for k in range(width // 2)])
        scores.append(writer.out.weight @ t + writer.out.bias)
        weights.append(a)
        state = step(torch.cat([y, c])[None], state, cell)
    return torch.stack(scores), torch.stack(weights)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_attention_is_what_the_equations_say(cell) -> None:
    net = network("bahdanau", cell)
    together, looks = net(SOURCE, LENGTHS, TARGET), net.attention_weights(SOURCE, LENGTHS, TARGET)
    hand = [by_hand(net, text[:n], target) for text, n, target in zip(SOURCE, LENGTHS, TARGET, strict=True)]
    for i, (scores, weights) in enumerate(hand):
        torch.testing.assert_close(together[i], scores, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(looks[i, :, : LENGTHS[i]], weights, rtol=1e-10, atol=1e-12)
        assert looks[i, :, LENGTHS[i] :].eq(0).all()
    ours = torch.autograd.grad((together**2).sum(), list(net.parameters()))
    theirs = torch.autograd.grad(sum((scores**2).sum() for scores, _ in hand), list(net.parameters()))
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-8, atol=1e-11)
    verified("network", "seq2seq", "the equations, token by token", "outputs", list(together), [s for s, _ in hand])
    verified("network", "seq2seq", "the equations, token by token", "gradients", ours, theirs)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("cell", "layers"), [("gru", 1), ("lstm", 2)])
def test_without_attention_the_writer_begins_where_the_reader_ended(cell, layers, reverse) -> None:
    net = network("none", cell, layers, reverse)
    together = net(SOURCE, LENGTHS, TARGET)
    for i, length in enumerate(LENGTHS.tolist()):
        text = SOURCE[i, :length].flip(0) if reverse else SOURCE[i, :length]
        _, last = net.reader(net.source_embedding(text)[None])
        states, _ = net.writer.layers(net.target_embedding(TARGET[i : i + 1]), last)
        torch.testing.assert_close(together[i], net.writer.out(states[0]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("attention", "cell", "layers"), FORMS)
def test_padding_changes_nothing(attention, cell, layers) -> None:
    net = network(attention, cell, layers)
    padded = torch.cat([SOURCE, torch.full((3, 2), 7)], dim=1)
    padded[1, 3:], padded[2, 1:] = 6, 5
    torch.testing.assert_close(net(padded, LENGTHS, TARGET), net(SOURCE, LENGTHS, TARGET), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("attention", "cell", "layers"), FORMS)
def test_no_token_sees_those_after_it_and_writing_on_is_writing_at_once(attention, cell, layers) -> None:
    net = network(attention, cell, layers)
    whole, memory = net(SOURCE, LENGTHS, TARGET), net.encode(SOURCE, LENGTHS)
    torch.testing.assert_close(net.decode(TARGET[:, :2], memory), whole[:, :2], rtol=1e-12, atol=1e-14)
    state = net.begin(memory, 4)
    for i, new in enumerate(TARGET.split(1, dim=1)):
        scores, state = net.extend(new, state)
        torch.testing.assert_close(scores[:, 0], whole[:, i], rtol=1e-12, atol=1e-14)


def test_a_text_backwards_keeps_its_padding() -> None:
    assert reversed_rows(SOURCE, LENGTHS).tolist() == [[5, 1, 4, 1, 3], [5, 6, 2, 0, 0], [7, 0, 0, 0, 0]]


def test_without_attention_there_are_no_weights() -> None:
    assert network("none").attention_weights(SOURCE, LENGTHS, TARGET).eq(0).all()


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_parameters_by_hand() -> None:
    tokens = 8 * 3 + 6 * 3
    reader = 3 * 4 * (3 + 4 + 2)
    looking = (16 + 4) + (16 + 4) + 32 + 4  # W_s, W with biases, U, v
    writer = 3 * 4 * (3 + 8 + 4 + 2) + (15 + 1) * 4 + (2 + 1) * 6
    assert count(network("bahdanau")) == tokens + 2 * reader + looking + writer
    assert count(network("none")) == tokens + 2 * reader + 6 * 5
    assert count(network("none", "lstm", 2)) == tokens + 2 * 4 * 4 * ((3 + 4 + 2) + (4 + 4 + 2)) + 6 * 5


def test_every_parameter_gets_a_gradient() -> None:
    for attention, cell, layers in FORMS:
        net = network(attention, cell, layers)
        net(SOURCE, LENGTHS, TARGET).square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"layers": 2}, r"model\.layers: 2, but with attention=bahdanau there is 1"),
        ({"reverse": True}, r"model\.reverse: with attention=bahdanau the text is read both ways"),
    ],
)
def test_what_the_papers_do_not_combine_is_refused(fields, says) -> None:
    with pytest.raises(InputError, match=says):
        MODELS.parse({"name": "seq2seq", **fields}, "model")
