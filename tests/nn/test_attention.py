"""Attention: the equation against the kernel and torch's own module, every mask, and a cache against all at once."""

import math

import pytest
import torch
from torch import Tensor, nn
from verification import difference, record

from fourfold.nn import attention
from fourfold.nn.attention import (
    MultiHeadAttention,
    attend,
    attention_weights,
    by_equation,
    by_kernel,
    causal_mask,
    documents_mask,
    padding_mask,
    weights_of,
)

BATCH, HEADS, QUERIES, KEYS, WIDTH = 3, 2, 5, 5, 4
LENGTHS = torch.tensor([5, 2, 1])
DOCUMENTS = torch.tensor([[1, 1, 2, 2, 2], [1, 2, 3, 0, 0], [1, 1, 1, 1, 1]])
MASKS: dict[str, Tensor | None] = {
    "all": None,
    "causal": causal_mask(QUERIES, KEYS),
    "padding": padding_mask(LENGTHS, KEYS),
    "documents": documents_mask(DOCUMENTS),
    "causal documents": documents_mask(DOCUMENTS) & causal_mask(QUERIES, KEYS),
}


def some(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def heads(queries: int = QUERIES, keys: int = KEYS) -> list[Tensor]:
    shapes = ((queries, 0), (keys, 1), (keys, 2))
    return [some(BATCH, HEADS, length, WIDTH, seed=seed).requires_grad_() for length, seed in shapes]


def gradients(output: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    return list(torch.autograd.grad((output * some(*output.shape, seed=9)).sum(), inputs))


def test_the_equation_by_hand() -> None:
    queries, keys = torch.tensor([[[[2.0, 0.0]]]]), torch.tensor([[[[1.0, 0.0], [0.0, 7.0]]]])
    first = math.exp(2 / math.sqrt(2)) / (math.exp(2 / math.sqrt(2)) + 1)
    assert attention_weights(queries, keys).flatten().tolist() == pytest.approx([first, 1 - first])
    values = torch.tensor([[[[10.0], [20.0]]]])
    assert by_equation(queries, keys, values).item() == pytest.approx(20 - 10 * first)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("mask", MASKS)
def test_the_equation_is_the_kernel(mask: str) -> None:
    ours, theirs = heads(), heads()
    readable, fused = by_equation(*ours, MASKS[mask]), by_kernel(*theirs, MASKS[mask])
    differences = {
        "outputs": difference(readable, fused),
        "gradients": difference(gradients(readable, ours), gradients(fused, theirs)),
    }
    record("layer", "attention", "torch's fused kernel", differences)
    assert max(differences.values()) < 1e-12


@pytest.mark.parametrize("form", ["equation", "kernel"])
@pytest.mark.parametrize(("queries", "keys"), [(5, 5), (2, 5), (1, 5)])
@pytest.mark.parametrize("masked", [False, True])
def test_either_form_is_chosen_with_the_same_answer(monkeypatch, form, queries, keys, masked) -> None:
    monkeypatch.setattr(attention, "is_equation_faster", lambda _: form == "equation")
    allowed = padding_mask(torch.tensor([5, 4, 1]), keys) if masked else None
    mask = causal_mask(queries, keys) if allowed is None else allowed & causal_mask(queries, keys)
    mine = heads(queries, keys)
    if masked and queries == 1:
        mask = allowed  # the last position may see all that is real
    assert difference(attend(*mine, allowed, causal=True), by_kernel(*mine, mask)) < 1e-12


def test_masks_by_hand() -> None:
    assert causal_mask(2, 3)[0, 0].tolist() == [[True, True, False], [True, True, True]]
    assert padding_mask(torch.tensor([2, 0]), 3)[:, 0, 0].tolist() == [[True, True, False], [True, False, False]]
    assert documents_mask(torch.tensor([[1, 1, 2]]))[0, 0].int().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_what_is_not_allowed_changes_nothing() -> None:
    queries, keys, values = heads()
    changed_keys, changed_values = keys.clone(), values.clone()
    for i, length in enumerate(LENGTHS):
        changed_keys[i, :, length:] = 99.0
        changed_values[i, :, length:] = -99.0
    mask = padding_mask(LENGTHS, KEYS)
    assert torch.equal(
        by_equation(queries, keys, values, mask), by_equation(queries, changed_keys, changed_values, mask)
    )


def pair(bias: bool) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    """Return our layer and torch's with the same weights, in float64."""
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(8, 2, bias=bias, batch_first=True, dtype=torch.float64)
    ours = MultiHeadAttention(8, 2, bias=bias).double()
    state = {name: torch.randn_like(value) for name, value in theirs.state_dict().items()}
    theirs.load_state_dict(state)
    names = {"in_proj_weight": "inputs.weight", "in_proj_bias": "inputs.bias"}
    ours.load_state_dict({names.get(name, name.replace("out_proj", "output")): v for name, v in state.items()})
    return ours, theirs


@pytest.mark.promise("R14")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["self", "causal", "cross"])
def test_several_heads_are_torchs(kind: str, bias: bool) -> None:
    ours, theirs = pair(bias)
    x, memory = some(3, 5, 8), some(3, 4, 8, seed=1)
    if kind == "self":
        mine = ours(x)
        other, _ = theirs(x, x, x)
    elif kind == "causal":
        mine = ours(x, causal=True)
        other, _ = theirs(x, x, x, attn_mask=~causal_mask(5, 5)[0, 0])
    else:
        lengths = torch.tensor([4, 3, 1])
        mine = ours(x, memory, padding_mask(lengths, 4))
        other, _ = theirs(x, memory, memory, key_padding_mask=torch.arange(4) >= lengths[:, None])
    mine.square().sum().backward()
    other.square().sum().backward()
    pairs = {"inputs.weight": theirs.in_proj_weight, "output.weight": theirs.out_proj.weight}
    if bias:
        pairs |= {"inputs.bias": theirs.in_proj_bias, "output.bias": theirs.out_proj.bias}
    assert set(pairs) == {name for name, _ in ours.named_parameters()}
    differences = {
        "outputs": difference(mine, other),
        "gradients": max(difference(ours.get_parameter(name).grad, param.grad) for name, param in pairs.items()),
    }
    record("layer", "heads_of_attention", "torch's MultiheadAttention", differences)
    assert max(differences.values()) < 1e-12


@pytest.mark.promise("R14")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("pieces", [[1] * 6, [4, 1, 1], [3, 3]])
def test_piece_by_piece_with_a_cache_is_all_at_once(pieces: list[int], bias: bool) -> None:
    ours, _ = pair(bias)
    x = some(2, 6, 8)
    cache, start, found = ours.room(2, 9, x), 0, []
    for piece in x.split(pieces, 1):
        found.append(ours.extend(piece, cache, start))
        start += piece.shape[1]
    assert difference(torch.cat(found, 1), ours(x, causal=True)) < 1e-12


@pytest.mark.parametrize("bias", [True, False])
def test_a_memory_that_is_remembered_is_the_memory(bias: bool) -> None:
    ours, _ = pair(bias)
    x, memory, allowed = some(3, 2, 8), some(3, 4, 8, seed=1), padding_mask(torch.tensor([4, 3, 1]), 4)
    assert difference(ours.recall(x, ours.remember(memory), allowed), ours(x, memory, allowed)) < 1e-12


def test_weights_are_told_inside_and_the_answer_stays() -> None:
    ours, _ = pair(bias=True)
    network = nn.ModuleDict({"first": ours, "second": pair(bias=False)[0]}).eval()
    x = some(2, 5, 8)
    plain = network["second"](network["first"](x, causal=True))
    with weights_of(network) as weights:
        assert difference(network["second"](network["first"](x, causal=True)), plain) < 1e-12
    assert list(weights) == ["first", "second"]
    assert weights["first"].shape == (2, 2, 5, 5)
    assert torch.allclose(weights["first"].sum(-1), torch.ones(2, 2, 5, dtype=torch.float64))
    assert weights["first"].triu(1).abs().max() == 0
    assert all(layer.heard is None for layer in (network["first"], network["second"]))
    values = ours._heads_of(ours.inputs(x), 3)[2]
    seen = (weights["first"] @ values).transpose(1, 2).flatten(2)
    assert difference(ours.output(seen), network["first"](x, causal=True)) < 1e-12


def test_nobody_listens_after_an_error() -> None:
    ours, _ = pair(bias=True)
    with pytest.raises(RuntimeError), weights_of(ours):
        ours(some(2, 5, 3))
    assert ours.heard is None


def test_dropout_acts_on_the_weights_in_training_only(monkeypatch) -> None:
    x = some(2, 40, 8)
    layer = MultiHeadAttention(8, 2, dropout=0.5).double()
    still = layer.eval()(x)
    assert torch.equal(still, layer(x))
    for form in (True, False):
        monkeypatch.setattr(attention, "is_equation_faster", lambda _, form=form: form)
        torch.manual_seed(0)
        moved = layer.train()(x)
        assert not torch.allclose(moved, still)
        mean = torch.stack([layer(x) for _ in range(200)]).mean(0)
        assert (mean - still).abs().mean() < 0.2 * (moved - still).abs().mean()  # by chance it is right


def test_the_equation_is_for_bf16_with_a_gradient_on_a_cpu_that_multiplies_it(monkeypatch) -> None:
    queries = torch.zeros(1, 1, 1, 1, dtype=torch.bfloat16)
    monkeypatch.setattr(attention, "NATIVE_BF16", True)
    assert attention.is_equation_faster(queries)
    assert not attention.is_equation_faster(queries.float())
    with torch.no_grad():
        assert not attention.is_equation_faster(queries)
    monkeypatch.setattr(attention, "NATIVE_BF16", False)
    assert not attention.is_equation_faster(queries)
