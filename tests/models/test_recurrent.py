"""The recurrent networks: torch's modules with the same weights, parameters by hand, padding, going on from a state."""

import pytest
import torch
from torch import nn
from verification import verified

from fourfold import models
from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.nn.recurrent_cells import unroll
from fourfold.run.inspect import measure_model
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.inputs import Features, Series, Tokens
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.tokens import TokenSpec

TOKENS = Tokens(11, 7, 1)
BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}
CLASSES = {"rnn": models.RNN, "lstm": models.LSTM, "gru": models.GRU}
LENGTHS = torch.tensor([3, 7, 1, 5])


class Tagging(TokenSpec):
    """Four classes of a token."""

    task, headline, higher_is_better, metrics = "tagging", "accuracy", True, {}
    num_outputs = 4  # pyright: ignore

    def __init__(self, inputs: Tokens) -> None:
        self.input = inputs

    scorer = predictions = draw = lambda self: None  # pyright: ignore


def tokens(count: int = 4) -> torch.Tensor:
    return torch.randint(1, 11, (count, 7), generator=torch.Generator().manual_seed(0))


def network(name: str, *arguments, **fields) -> nn.Module:
    torch.manual_seed(0)
    return CLASSES[name](*arguments, **fields)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", BLOCKS)
def test_it_is_torchs_module_between_an_embedding_and_an_affine_map(name, layers, bidirectional) -> None:
    ours = network(name, TOKENS, 4, "each", 6, layers, bidirectional, 5).double()
    kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[name]
    theirs = kind(5, 6, layers, batch_first=True, bidirectional=bidirectional).double()
    theirs.load_state_dict({k.removeprefix("layers."): v for k, v in ours.state_dict().items() if "layers." in k})
    expected = theirs(ours.embedding.weight[tokens()])[0] @ ours.head.out.weight.T + ours.head.out.bias
    torch.testing.assert_close(ours(tokens()), expected, rtol=1e-12, atol=1e-12)
    grads = [
        list(torch.autograd.grad((y**2).sum(), list(layers.parameters())))
        for y, layers in ((ours(tokens()), ours.layers), (expected, theirs))
    ]
    verified("network", name, f"torch's {name.upper()} with copied weights", "outputs", ours(tokens()), expected)
    verified("network", name, f"torch's {name.upper()} with copied weights", "gradients", *grads)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", BLOCKS)
def test_padded_rows_are_what_the_equations_say(name, bidirectional) -> None:
    ours = network(name, TOKENS, 4, "last", 6, 2, bidirectional).double()
    parts = 2 if name == "lstm" else 1
    state = tuple(torch.zeros(2 * (1 + bidirectional), 4, 6, dtype=torch.float64) for _ in range(parts))
    _, after = unroll(ours.layers, ours.embedding(tokens()), state, LENGTHS)
    ends = torch.cat(list(after[0][-2:] if bidirectional else after[0][-1:]), dim=1)  # the last layer's, side by side
    torch.testing.assert_close(ours(tokens(), LENGTHS), ours.head.out(ends), rtol=1e-12, atol=1e-12)
    pair = (ours(tokens(), LENGTHS), ours.head.out(ends))
    grads = [list(torch.autograd.grad((y**2).sum(), list(ours.parameters()))) for y in pair]
    for mine, expected in zip(*grads, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-9, atol=1e-12)
    verified("network", name, "the equations, step by step, with padding", "outputs", *pair)
    verified("network", name, "the equations, step by step, with padding", "gradients", *grads)


@pytest.mark.parametrize("reads", ["each", "last", "mean", "first"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", BLOCKS)
def test_a_padded_row_is_that_row_alone(name, bidirectional, reads) -> None:
    ours = network(name, TOKENS, 4, reads, 6, 2, bidirectional).double()

    def gradients(outputs) -> list[torch.Tensor]:
        return list(torch.autograd.grad(sum((row**2).sum() for row in outputs), list(ours.parameters())))

    together = ours(tokens(), LENGTHS)
    rows = [row[:length] for row, length in zip(together, LENGTHS, strict=True)] if reads == "each" else together
    alone = [ours(row[None, :length])[0] for row, length in zip(tokens(), LENGTHS, strict=True)]
    for ours_row, row in zip(rows, alone, strict=True):
        torch.testing.assert_close(ours_row, row, rtol=1e-12, atol=1e-12)
    for ours_grad, grad in zip(gradients(rows), gradients(alone), strict=True):
        torch.testing.assert_close(ours_grad, grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("name", BLOCKS)
def test_reading_on_step_by_step_is_reading_at_once(name, layers) -> None:
    ours = network(name, TOKENS, 11, "each", 6, layers).double().eval()
    state, scores = ours.begin(4), []
    for new in tokens().split([1, 1, 3, 2], dim=1):
        some, state = ours.extend(new, state)
        scores.append(some)
    torch.testing.assert_close(torch.cat(scores, dim=1), ours(tokens()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", BLOCKS)
def test_parameters_by_hand(name) -> None:
    def count(ours: nn.Module) -> int:
        return sum(p.numel() for p in ours.parameters())

    blocks = BLOCKS[name]
    assert count(network(name, Series(("a", "b"), 9), 3, "last", 10)) == blocks * 10 * (2 + 10 + 2) + 3 * 11
    two_ways = 2 * blocks * 10 * ((5 + 10 + 2) + (20 + 10 + 2))
    assert count(network(name, TOKENS, 3, "last", 10, 2, True, 5)) == 11 * 5 + two_ways + 3 * 21


def test_a_gru_has_three_quarters_of_an_lstms_weights() -> None:
    counts = {
        name: sum(p.numel() for p in network(name, TOKENS, 2, "last", 64, 3).layers.parameters()) for name in BLOCKS
    }
    assert 4 * counts["gru"] == 3 * counts["lstm"]
    assert 4 * counts["rnn"] == counts["lstm"]


@pytest.mark.parametrize("value", [1.0, -0.5])
def test_the_forget_gates_bias_starts_where_it_is_told(value) -> None:
    layers = network("lstm", TOKENS, 2, "last", 6, 2, True, forget_bias=value).layers
    for end in ("l0", "l1", "l0_reverse", "l1_reverse"):
        total = getattr(layers, f"bias_ih_{end}") + getattr(layers, f"bias_hh_{end}")
        assert (total[6:12] == value).all()
        assert (total.abs() <= 2 * 6**-0.5)[torch.arange(24) // 6 != 1].all()
        assert len(total.unique()) == 19  # the others are drawn
    assert network("lstm", TOKENS, 2, "last", 6).layers.bias_ih_l0[6:12].eq(1).all()


@pytest.mark.parametrize("name", BLOCKS)
def test_dropout_is_for_training(name) -> None:
    ours = network(name, TOKENS, 4, "each", 6, 2, dropout=0.5)
    assert not torch.equal(ours(tokens()), ours(tokens()))
    plain = network(name, TOKENS, 4, "each", 6, 2)
    plain.load_state_dict(ours.state_dict())
    assert torch.equal(ours.eval()(tokens()), plain.eval()(tokens()))


def test_the_second_text_of_a_pair_is_told_apart() -> None:
    ours = network("gru", Tokens(11, 7, 2), 4, "last", 6)
    segments = torch.tensor([[0, 0, 0, 1, 1, 1, 1]]).expand(4, -1)
    assert not torch.equal(ours(tokens(), None, segments), ours(tokens(), None, 1 - segments))


def test_several_texts_in_a_row_are_refused() -> None:
    with pytest.raises(InputError, match="LSTM carries its state from text to text; use data without packing"):
        network("lstm", TOKENS, 4, "each", 6)(tokens(), None, None, torch.ones(4, 7, dtype=torch.int64))


@pytest.mark.parametrize("name", BLOCKS)
def test_the_task_decides_the_output(name) -> None:
    config = MODELS.parse({"name": name, "width": 6}, "model")
    texts = config.build(ClassificationSpec(TOKENS, ("a", "b", "c")))
    series = config.build(RegressionSpec(Series(("a", "b"), 9), ("sum",), (0.0,), (1.0,)))
    assert config.build(Tagging(TOKENS))(tokens(), LENGTHS).shape == (4, 7, 4)
    assert texts(tokens(), LENGTHS).shape == (4, 3)
    assert series(torch.zeros(5, 9, 2)).shape == (5, 1)


@pytest.mark.parametrize(
    ("fields", "spec", "says"),
    [
        ({}, ClassificationSpec(Features(("a",)), ("x", "y")), "lstm needs texts or series, but this data gives rows"),
        (
            {"embedding": 8},
            RegressionSpec(Series(("a",), 9), ("sum",), (0.0,), (1.0,)),
            r"model\.embedding: 8 for series of 9 steps of a; only tokens are embedded, use null",
        ),
    ],
)
def test_what_does_not_fit_is_refused(fields, spec, says) -> None:
    with pytest.raises(InputError, match=says):
        MODELS.parse({"name": "lstm", **fields}, "model").build(spec)


def test_a_language_model_reads_one_way() -> None:
    spec = Tagging(TOKENS)
    spec.task = "language_modelling"
    with pytest.raises(InputError, match=r"model\.bidirectional: true lets a language model see the token it predicts"):
        MODELS.parse({"name": "gru", "bidirectional": True}, "model").build(spec)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", BLOCKS)
def test_half_precision_is_taken_on_every_processor(name, bidirectional) -> None:
    ours = network(name, TOKENS, 4, "last", 6, 2, bidirectional)
    expected = ours(tokens(), LENGTHS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = ours(tokens(), LENGTHS)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), expected, rtol=0.05, atol=0.02)
    half.float().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in ours.parameters())


def test_every_products_flops_are_counted_whatever_kernel_runs() -> None:
    spec = RegressionSpec(Series(("a", "b"), 9), ("sum",), (0.0,), (1.0,))
    for name, blocks in BLOCKS.items():
        facts = measure_model(MODELS.parse({"name": name, "width": 6}, "model").build(spec), spec)
        assert facts.flops == 2 * (9 * blocks * 6 * (2 + 6) + 6)
