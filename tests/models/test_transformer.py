"""The Transformer beside torch's encoder and decoder with the same weights, and token by token beside all at once."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from verification import difference, record

from fourfold.core.errors import InputError
from fourfold.models import MODELS, Transformer
from fourfold.models.named import builder
from fourfold.models.transformer import TransformerConfig
from fourfold.nn.attention import weights_of
from fourfold.nn.positions import sinusoids
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Tokens
from fourfold.tasks.translation import TranslationSpec

WIDTH, HEADS, HIDDEN, LAYERS, VOCAB = 8, 2, 12, 2, 13
LENGTHS = torch.tensor([6, 3, 1])
SPEC = TranslationSpec(Tokens(13, 6, 1), Tokens(13, 5, 1), tokenizer="one", languages=("en", "ko"))


def some_tokens(length: int, seed: int = 0) -> Tensor:
    return torch.randint(1, VOCAB, (3, length), generator=torch.Generator().manual_seed(seed))


SOURCE, TARGET = some_tokens(6), some_tokens(5, seed=1)


def small(shared: bool = True, source_vocab: int = VOCAB) -> Transformer:
    torch.manual_seed(0)
    network = Transformer(source_vocab, VOCAB, LAYERS, WIDTH, HEADS, HIDDEN, dropout=0.0, shared=shared, longest=6)
    network = network.double()
    for param in network.parameters():
        nn.init.normal_(param, std=0.5)
    return network


class Torchs(nn.Module):
    """Torch's encoder and decoder, between the same embeddings."""

    def __init__(self, like: Transformer) -> None:
        super().__init__()
        kind = {"d_model": WIDTH, "nhead": HEADS, "dim_feedforward": HIDDEN, "dropout": 0.0, "batch_first": True}
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**kind), LAYERS, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**kind), LAYERS)
        self.tokens = nn.Embedding(VOCAB, WIDTH)
        self.source_tokens = None if like.source_tokens is None else nn.Embedding(VOCAB, WIDTH)
        self.double()
        for name, param in self.named_parameters():
            if "attn" in name and name.endswith("bias"):
                nn.init.zeros_(param)  # the paper's projections have none
            else:
                param.data.copy_(like.get_parameter(here(name)))

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        padding = torch.arange(source.shape[1]) >= lengths[:, None]
        future = torch.ones(target.shape[1], target.shape[1]).triu(1).bool()
        memory = self.encoder(self.embedded(source, self.source_tokens or self.tokens), src_key_padding_mask=padding)
        x = self.decoder(self.embedded(target, self.tokens), memory, future, memory_key_padding_mask=padding)
        return x @ self.tokens.weight.T

    def embedded(self, tokens: Tensor, table: nn.Module) -> Tensor:
        return table(tokens) * math.sqrt(WIDTH) + sinusoids(tokens.shape[1], WIDTH).double()


def here(name: str) -> str:
    """Return what a weight of torch's is called here."""
    for theirs, ours in [
        (".layers.", "."),
        ("self_attn", "attention"),
        ("multihead_attn", "source_attention"),
        ("in_proj_weight", "inputs.weight"),
        ("out_proj", "output"),
        ("linear1", "inner"),
        ("linear2", "outer"),
    ]:
        name = name.replace(theirs, ours)
    return name


@pytest.mark.promise("R14")
@pytest.mark.parametrize("shared", [True, False])
def test_outputs_and_gradients_equal_torchs_with_copied_weights(shared: bool) -> None:
    ours = small(shared)
    theirs = Torchs(ours)
    mine, other = ours(SOURCE, LENGTHS, TARGET), theirs(SOURCE, LENGTHS, TARGET)
    for scores in (mine, other):
        F.cross_entropy(scores.flatten(0, 1), TARGET.roll(-1, 1).flatten()).backward()
    gradients = {here(name): p.grad for name, p in theirs.named_parameters() if not ("attn" in name and "bias" in name)}
    assert set(gradients) == {name for name, _ in ours.named_parameters()}
    differences = {
        "outputs": difference(mine, other),
        "gradients": max(difference(ours.get_parameter(name).grad, grad) for name, grad in gradients.items()),
    }
    for name in ("transformer-base", "transformer-big"):  # which differ in their sizes alone
        record("network", name, "torch's encoder and decoder", differences)
    assert max(differences.values()) < 1e-9


def test_what_stands_in_the_padding_changes_nothing() -> None:
    network, changed = small(), SOURCE.clone()
    for row, length in enumerate(LENGTHS):
        changed[row, length:] = 0
    assert torch.equal(network(SOURCE, LENGTHS, TARGET), network(changed, LENGTHS, TARGET))
    assert not torch.allclose(network(SOURCE, LENGTHS, TARGET), network(SOURCE, torch.full((3,), 6), TARGET))


@pytest.mark.parametrize("pieces", [[1] * 5, [2, 3]])
def test_token_by_token_gives_the_scores_of_all_at_once(pieces: list[int]) -> None:
    network = small()
    whole = network(SOURCE, LENGTHS, TARGET)
    state, at = network.begin(network.encode(SOURCE, LENGTHS), room=5), 0
    for piece in TARGET.split(pieces, 1):
        scores, state = network.extend(piece, state)
        at += piece.shape[1]
        assert difference(scores[:, 0], whole[:, at - 1]) < 1e-12
    assert difference(network.decode(TARGET[:, :3], network.encode(SOURCE, LENGTHS)), whole[:, :3]) < 1e-12


def test_texts_longer_than_expected_work() -> None:
    network = small()
    longer = some_tokens(9)
    assert network(longer, torch.full((3,), 9), TARGET).shape == (3, 5, VOCAB)


def test_one_table_serves_both_languages_and_the_output() -> None:
    network = small()
    assert [name for name, p in network.named_parameters() if p.shape == (VOCAB, WIDTH)] == ["tokens.weight"]
    with torch.no_grad():
        before = network.encode(SOURCE, LENGTHS).states
        network.tokens.weight[SOURCE[0, 0]] += 1
        assert not torch.allclose(network.encode(SOURCE, LENGTHS).states[0], before[0])
    apart = small(shared=False)
    assert {name for name, _ in apart.named_parameters()} == {
        *(name for name, _ in network.named_parameters()),
        "source_tokens.weight",
    }


def test_the_tokenizers_say_whether_there_is_one_table() -> None:
    config = TransformerConfig(layers=1, width=4, heads=2, hidden=4)
    assert config.build(SPEC).source_tokens is None
    assert config.build(replace(SPEC, source_tokenizer="one")).source_tokens is None
    apart = config.build(replace(SPEC, source_tokenizer="another", input=Tokens(21, 6, 1)))
    assert apart.source_tokens is not None
    assert (apart.source_tokens.num_embeddings, apart.tokens.num_embeddings) == (21, 13)


def count(width: int, hidden: int, vocab: int) -> int:
    """Return the parameters of six layers each, by hand."""
    attention = 4 * width**2
    feed_forward = 2 * width * hidden + hidden + width
    norm = 2 * width
    return 6 * (attention + feed_forward + 2 * norm) + 6 * (2 * attention + feed_forward + 3 * norm) + vocab * width


SIZES = [("transformer-base", 512, 2048), ("transformer-big", 1024, 4096)]


@pytest.mark.parametrize(("name", "width", "hidden"), SIZES)
def test_the_papers_sizes(name: str, width: int, hidden: int) -> None:
    with torch.device("meta"):
        network = builder(name)()
    assert sum(p.numel() for p in network.parameters()) == count(width, hidden, 37_000)


def test_which_vocabularies_would_give_the_counts_of_the_papers_table_3() -> None:
    """As the module's docstring says: no one number of tokens gives both 65 and 213 million, to the digits given."""
    assert [round(count(512, 2048, vocab) / 1e6) for vocab in (39_840, 39_841, 41_793, 41_794)] == [64, 65, 65, 66]
    assert [round(count(1024, 4096, vocab) / 1e6) for vocab in (35_367, 35_368, 36_344, 36_345)] == [212, 213, 213, 214]


def test_maps_of_every_attention_can_be_looked_at() -> None:
    network = small().eval()
    with weights_of(network) as weights:
        network(SOURCE, LENGTHS, TARGET)
    layers = ["encoder.0.attention", "encoder.1.attention"]
    layers += [f"decoder.{i}.{name}" for i in (0, 1) for name in ("attention", "source_attention")]
    assert list(weights) == layers
    alignment = weights["decoder.1.source_attention"]
    assert alignment.shape == (3, HEADS, 5, 6)
    assert alignment[1, :, :, 3:].max() == 0


def test_weights_are_drawn_as_the_docstring_says() -> None:
    torch.manual_seed(0)
    network = Transformer(300, 300, layers=1, width=64, heads=4, hidden=256)
    assert float(network.tokens.weight.detach().std()) == pytest.approx(1 / 8, rel=0.05)
    for matrix in network.encoder[0].attention.inputs.weight.detach().split(64):
        assert float(matrix.abs().max()) == pytest.approx(math.sqrt(6 / 128), rel=0.01)
    assert float(network.encoder[0].inner.weight.detach().abs().max()) == pytest.approx(math.sqrt(6 / 320), rel=0.01)
    assert not network.encoder[0].inner.bias.any()


def test_what_does_not_fit_is_one_line() -> None:
    with pytest.raises(InputError, match=r"^transformer is for translation, but this data poses classification$"):
        TransformerConfig().build(ClassificationSpec(Image(1, 8, 8), ("a", "b")))
    with pytest.raises(InputError, match=r"model\.heads: 3 heads cannot share a width of 4"):
        MODELS.parse({"name": "transformer", "width": 4, "heads": 3}, "model")
    with pytest.raises(InputError, match=r"^model\.width: .*multiple of 2"):
        MODELS.parse({"name": "transformer", "width": 5, "heads": 5}, "model")
