"""GPT beside its equations, with a cache, with texts in a row, and what it refuses."""

import math
import re
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from verification import difference

from fourfold.core.errors import InputError
from fourfold.models import GPT, MODELS
from fourfold.models.gpt import Block, GPTConfig
from fourfold.nn.attention import MultiHeadAttention, weights_of
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.language_modelling import Continues, LanguageModellingSpec
from fourfold.tasks.seam import Image, Tokens

SPEC = LanguageModellingSpec(Tokens(11, 8, 1), tokenizer="")


def small(norm: str = "pre", dropout: float = 0.0) -> GPT:
    torch.manual_seed(0)
    network = GPT(11, 8, layers=2, width=6, heads=2, dropout=dropout, norm=norm).double()
    for param in network.parameters():  # as drawn, most of it is too small to matter
        torch.nn.init.normal_(param, std=0.5)
    return network


def some_tokens(batch: int = 3, length: int = 8) -> Tensor:
    return torch.randint(11, (batch, length), generator=torch.Generator().manual_seed(1))


def by_hand(network: GPT, tokens: Tensor) -> Tensor:
    """Return the scores of the papers' equations, block after block; layers normalised before."""

    def norm(x: Tensor, layer: torch.nn.Module) -> Tensor:
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return (x - mean) / (variance + 1e-5).sqrt() * layer.weight + layer.bias

    def attention(x: Tensor, layer: MultiHeadAttention) -> Tensor:
        q, k, v = (x @ layer.inputs.weight.T + layer.inputs.bias).chunk(3, -1)
        future = torch.ones(len(x), len(x)).triu(1).bool()
        heads = []
        for at in (slice(0, 3), slice(3, 6)):
            scores = (q[:, at] @ k[:, at].T / math.sqrt(3)).masked_fill(future, -math.inf)
            heads.append(scores.softmax(-1) @ v[:, at])
        return torch.cat(heads, 1) @ layer.output.weight.T + layer.output.bias

    def feed_forward(x: Tensor, block: Block) -> Tensor:
        x = x @ block.inner.weight.T + block.inner.bias
        x = 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return x @ block.outer.weight.T + block.outer.bias

    rows = []
    for row in tokens:
        x = network.tokens.weight[row] + network.positions.weight[: len(row)]
        for block in network.blocks:
            x = x + attention(norm(x, block.norm1), block.attention)
            x = x + feed_forward(norm(x, block.norm2), block)
        rows.append(norm(x, network.norm) @ network.tokens.weight.T)
    return torch.stack(rows)


def test_the_scores_are_the_equations() -> None:
    network = small()
    assert difference(network(some_tokens()), by_hand(network, some_tokens())) < 1e-12


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("pieces", [[1] * 8, [5, 1, 2], [8]])
def test_piece_by_piece_gives_the_scores_of_all_at_once(norm: str, pieces: list[int]) -> None:
    network, tokens = small(norm).eval(), some_tokens()
    whole, state, at = network(tokens), network.begin(3), 0
    for piece in tokens.split(pieces, 1):
        scores, state = network.extend(piece, state)
        at += piece.shape[1]
        assert scores.shape == (3, 1, 11)
        assert difference(scores[:, 0], whole[:, at - 1]) < 1e-12
    assert state.length == 8


def test_it_offers_what_the_task_asks_of_a_model_that_continues() -> None:
    assert isinstance(small(), Continues)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_no_token_sees_what_follows(norm: str) -> None:
    network, tokens = small(norm), some_tokens()
    changed = tokens.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 11
    before, after = network(tokens), network(changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_texts_in_a_row_are_read_as_if_each_were_alone() -> None:
    network, tokens = small(), some_tokens(2, 8)
    documents = torch.tensor([[1, 1, 1, 2, 2, 2, 2, 3], [1, 1, 1, 1, 1, 1, 0, 0]])
    packed = network(tokens, documents=documents)
    for row, start, end in [(0, 0, 3), (0, 3, 7), (0, 7, 8), (1, 0, 6)]:
        assert difference(packed[row, start:end], network(tokens[row : row + 1, start:end])[0]) < 1e-12
    assert not torch.allclose(packed[0, 3:], network(tokens)[0, 3:])


def test_padding_after_a_text_changes_nothing() -> None:
    network, tokens = small(), some_tokens()
    padded = tokens.clone()
    padded[0, 5:] = 0
    lengths = torch.tensor([5, 8, 8])
    assert torch.equal(network(padded, lengths)[0, :5], network(tokens, lengths)[0, :5])


def test_the_weights_are_drawn_as_the_papers_say() -> None:
    torch.manual_seed(0)
    network = GPT(500, 64, layers=8, width=64, heads=4)
    deviations = {name: float(p.detach().std()) for name, p in network.named_parameters() if p.dim() == 2}
    for name, deviation in deviations.items():
        expected = 0.02
        if name.endswith(("attention.output.weight", "outer.weight")):
            expected = 0.02 / math.sqrt(16)  # sixteen layers that add to the way around
        if name == "positions.weight":
            expected = 0.01
        assert deviation == pytest.approx(expected, rel=0.1), name
    post = GPT(500, 64, layers=2, width=64, heads=4, norm="post")
    assert all(p.detach().std() == pytest.approx(0.02, rel=0.1) for p in post.parameters() if p.dim() == 2)
    biases = [p for name, p in network.named_parameters() if name.endswith("bias")]
    assert all(not p.any() for p in biases)


def test_the_embedding_is_the_output_layer_and_stands_once_in_a_file() -> None:
    network = small()
    assert sum(value.numel() for value in network.state_dict().values()) == sum(p.numel() for p in network.parameters())
    before = network(some_tokens())
    with torch.no_grad():
        network.tokens.weight[7] += 1.0
    after = network(some_tokens() % 7)  # nobody reads token 7, but its score moves
    assert not torch.allclose(after[..., 7], small()(some_tokens() % 7)[..., 7])
    assert before.shape == after.shape


def test_weights_of_every_block_can_be_looked_at() -> None:
    network = small().eval()
    with weights_of(network) as weights:
        network(some_tokens())
    assert list(weights) == ["blocks.0.attention", "blocks.1.attention"]


def test_the_datas_rows_are_the_context_where_none_is_given() -> None:
    network = GPTConfig(layers=1, width=4, heads=2).build(SPEC)
    assert (network.context, network.positions.num_embeddings, network.tokens.num_embeddings) == (8, 8, 11)
    assert GPTConfig(layers=1, width=4, heads=2, context=20).build(SPEC).positions.num_embeddings == 20


def refused(line: str, config: GPTConfig, spec: object = SPEC) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(line)}"):
        config.build(spec)


def test_what_does_not_fit_is_one_line() -> None:
    config = GPTConfig(layers=1, width=4, heads=2)
    refused("gpt is for language_modelling, but this data poses classification", config, PICTURES)
    pairs = replace(SPEC, input=Tokens(11, 8, 2))
    refused("gpt reads one text, and this data gives pairs of texts of up to 8 tokens", config, pairs)
    refused(
        "model.context: gpt sees 5 tokens at once, but this data gives texts of up to 8 tokens out of 11",
        config.model_copy(update={"context": 5}),
    )
    with pytest.raises(InputError, match=r"model\.heads: 3 heads cannot share a width of 4"):
        MODELS.parse({"name": "gpt", "width": 4, "heads": 3}, "model")


PICTURES = ClassificationSpec(Image(1, 8, 8), ("a", "b"))


def test_more_tokens_than_it_was_made_for_are_one_line() -> None:
    network = small()
    line = r"^gpt: 9 tokens, but it was made for 8 at once \(model\.context\)$"
    with pytest.raises(InputError, match=line):
        network(torch.zeros(1, 9, dtype=torch.int64))
    _, state = network.extend(some_tokens(1), network.begin(1))
    with pytest.raises(InputError, match=line):
        network.extend(torch.zeros(1, 1, dtype=torch.int64), state)


def test_it_learns_a_text_by_heart() -> None:
    torch.manual_seed(0)
    network = GPT(11, 8, layers=1, width=16, heads=2, dropout=0.0)
    tokens = some_tokens(2, 9)
    for _ in range(250):
        network.zero_grad()
        F.cross_entropy(network(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten()).backward()
        with torch.no_grad():
            for param in network.parameters():
                param -= 0.5 * param.grad
    assert (network(tokens[:, :-1]).argmax(2) == tokens[:, 1:]).float().mean() > 0.9
