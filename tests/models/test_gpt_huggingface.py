"""GPT beside Hugging Face's networks with the same weights, and folders as they write them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel, OpenAIGPTConfig, OpenAIGPTLMHeadModel
from verification import difference, record

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.huggingface import digest_of, files_of
from fourfold.models.named import builder
from fourfold.models.named_texts import TextBuilder
from fourfold.models.weights import locate, put_weights, read_weights
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.seam import Tokens

NAMES = [name for name in MODELS if name.startswith("gpt")]
WIDTH, HEADS, LAYERS, CONTEXT, VOCAB = 12, 3, 2, 10, 17


def theirs(name: str = "gpt2") -> nn.Module:
    """Return Hugging Face's network of a family, small, every weight drawn so that it matters."""
    sizes = {"n_embd": WIDTH, "n_head": HEADS, "n_layer": LAYERS, "n_positions": CONTEXT, "vocab_size": VOCAB}
    drop = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    torch.manual_seed(0)
    network = (
        OpenAIGPTLMHeadModel(OpenAIGPTConfig(**sizes, **drop))
        if name == "gpt1"
        else GPT2LMHeadModel(GPT2Config(**sizes, **drop))
    )
    for param in network.parameters():
        nn.init.normal_(param, std=0.4)
    return network


def config_of(name: str = "gpt2", **fields: object) -> Any:
    small = {"layers": LAYERS, "width": WIDTH, "heads": HEADS, "context": CONTEXT, "dropout": 0.0}
    return MODELS.parse({"name": name, **small, **fields}, "model")


def ours(name: str = "gpt2", vocab: int = VOCAB) -> nn.Module:
    return config_of(name).build(LanguageModellingSpec(Tokens(vocab, CONTEXT, 1), tokenizer=""))


def some_tokens() -> Tensor:
    return torch.randint(VOCAB, (4, CONTEXT), generator=torch.Generator().manual_seed(1))


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", NAMES)
def test_outputs_and_gradients_equal_hugging_faces_with_copied_weights(name: str) -> None:
    """Each name with its own fields but its sizes, and GPT-1 and 2's own networks of the same sizes."""
    other, mine = theirs(name).double(), ours(name).double()
    assert put_weights(mine, config_of(name), other.state_dict(), VOCAB, Path("theirs")) == []
    tokens = some_tokens()
    targets = tokens.roll(-1, 1).flatten()
    scores, expected = mine(tokens), other(tokens).logits
    for output in (scores, expected):
        F.cross_entropy(output.flatten(0, 1), targets).backward()
    gradients = {n: p.grad for n, p in other.named_parameters() if p.grad is not None}
    found = config_of(name).adopted(gradients)
    mine_by_name = dict(mine.named_parameters())
    assert set(found) == set(mine_by_name)
    differences = {
        "outputs": difference(scores, expected),
        "gradients": max(difference(mine_by_name[n].grad, gradient) for n, gradient in found.items()),
    }
    record("network", name, "Hugging Face's", differences)
    assert max(differences.values()) < 1e-9


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", NAMES[1:4])  # larger ones differ from these in their sizes alone
def test_every_published_size_takes_hugging_faces_names(name: str) -> None:
    build = builder(name)
    assert isinstance(build, TextBuilder)
    config: Any = MODELS.parse(name, "model")
    facts = {"n_embd": config.width, "n_head": config.heads, "n_layer": config.layers, "n_positions": config.context}
    with torch.device("meta"):
        if name == "gpt1":
            other = OpenAIGPTLMHeadModel(OpenAIGPTConfig(**facts)).transformer
        else:
            other = GPT2LMHeadModel(GPT2Config(**facts)).transformer  # the published file has no output layer
        mine = build()
    assert put_weights(mine, config, other.state_dict(), 50_257, Path("theirs")) == []
    assert sum(p.numel() for p in mine.parameters()) == sum(p.numel() for p in other.parameters())


TOKENIZER = {
    "version": "1.0",
    "added_tokens": [],
    "model": {"type": "BPE", "vocab": {letter: i for i, letter in enumerate("abcdefghijklmnopq")}, "merges": []},
    "decoder": {"type": "Fuse"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "남의 것"
    theirs().save_pretrained(place)
    (place / "tokenizer.json").write_text(json.dumps(TOKENIZER), encoding="utf-8")
    return place


@pytest.fixture
def in_small(monkeypatch: pytest.MonkeyPatch) -> TextBuilder:
    """`ff.models.gpt2`, of the sizes of the folder."""
    build = TextBuilder("gpt2")
    monkeypatch.setattr(build, "_config", config_of())
    return build


@pytest.mark.parametrize("shards", [False, True])
def test_a_folder_gives_network_and_tokenizer(tmp_path: Path, in_small: TextBuilder, shards: bool) -> None:
    other = theirs()
    place = tmp_path / "theirs"
    other.save_pretrained(place, max_shard_size="2KB" if shards else "5GB")
    (place / "tokenizer.json").write_text(json.dumps(TOKENIZER), encoding="utf-8")
    assert len(list(place.glob("*.safetensors"))) > 1 or not shards
    model, tokenizer = in_small.from_huggingface(place)
    assert not model.training
    assert tokenizer.encode(["cab"]) == [[2, 0, 1]]
    with torch.no_grad():
        assert difference(model(some_tokens()), other.eval()(some_tokens()).logits) < 1e-5


def test_the_names_of_sizes_are_attributes() -> None:
    assert isinstance(ff.models.gpt2_medium, TextBuilder)
    assert repr(ff.models.gpt2_medium).startswith("<gpt2-medium: ")
    assert "gpt2_medium" in dir(ff.models)


def test_a_folder_of_another_size_says_what_differs(folder: Path) -> None:
    line = (
        f"weights: {folder} is of another network than this gpt: model.layers: 2 there, 12 here; "
        f"model.width: 12 there, 768 here; model.heads: {HEADS} there, 12 here; "
        f"model.context: {CONTEXT} there, 1024 here"
    )
    with pytest.raises(InputError, match=f"^{re.escape(line)}$"):
        ff.models.gpt2.from_huggingface(folder)
    with pytest.raises(InputError, match=r"model_type of config\.json: gpt2 there, openai-gpt here"):
        locate(str(folder), config_of("gpt1"))


def test_every_name_that_does_not_fit_is_listed(folder: Path) -> None:
    state = {f"transformer.{name}": value for name, value in theirs().transformer.state_dict().items()}
    state["transformer.h.0.attn.extra"] = torch.zeros(1)
    del state["transformer.h.1.mlp.c_proj.bias"]
    state["transformer.ln_f.weight"] = torch.zeros(5)
    line = (
        "weights: F does not fit this gpt: unknown: blocks.0.attn.extra; missing: blocks.1.outer.bias; "
        "of another shape: norm.weight is 5, here 12"
    )
    with pytest.raises(InputError, match=f"^{re.escape(line)}$"):
        put_weights(ours(), config_of(), state, VOCAB, Path("F"))


def test_weights_of_other_sizes_without_a_config_name_the_fields() -> None:
    state = theirs().state_dict()
    other = config_of(layers=3, width=24, context=CONTEXT + 1)
    model = other.build(LanguageModellingSpec(Tokens(VOCAB, CONTEXT + 1, 1), ""))
    line = (
        "weights: F does not fit this gpt: model.layers: 2 there, 3 here; model.width: 12 there, 24 here; "
        f"model.context: {CONTEXT} there, {CONTEXT + 1} here"
    )
    with pytest.raises(InputError, match=f"^{re.escape(line)}$"):
        put_weights(model, other, state, VOCAB, Path("F"))


def test_masks_in_a_file_are_left_out_and_an_output_layer_of_its_own_is_refused() -> None:
    state = dict(theirs().state_dict())
    state["transformer.h.0.attn.bias"] = torch.ones(1, 1, CONTEXT, CONTEXT)
    state["transformer.h.0.attn.masked_bias"] = torch.tensor(-1e4)
    assert put_weights(ours(), config_of(), state, VOCAB, Path("F")) == []
    state["lm_head.weight"] = state["lm_head.weight"] + 1
    with pytest.raises(InputError, match=r"^weights: lm_head\.weight is not the embedding, as it is in a GPT$"):
        put_weights(ours(), config_of(), state, VOCAB, Path("F"))


def test_another_tokenizers_tokens_are_never_drawn_anew() -> None:
    state = theirs().state_dict()
    with pytest.raises(InputError, match=r"of another shape: tokens\.weight is 17x12, here 16x12"):
        put_weights(ours(vocab=16), config_of(), state, 16, Path("F"))


def test_rows_beyond_the_tokens_are_left_out_where_the_tokenizer_is_known_and_nowhere_else() -> None:
    state = theirs().state_dict()
    model = ours(vocab=VOCAB - 3)
    notes = put_weights(model, config_of(), state, VOCAB - 3, Path("F"), tokens=VOCAB - 3)
    assert notes == [f"weights: the last 3 of {VOCAB} rows of tokens.weight left out: they are no token's"]
    assert torch.equal(model.tokens.weight, state["transformer.wte.weight"][:-3])
    for tokens in (None, VOCAB - 4, VOCAB):
        with pytest.raises(InputError, match=r"of another shape: tokens\.weight is 17x12, here 14x12"):
            put_weights(ours(vocab=VOCAB - 3), config_of(), state, VOCAB - 3, Path("F"), tokens=tokens)
    with pytest.raises(InputError, match=r"of another shape: tokens\.weight is 17x12, here 18x12"):
        put_weights(ours(vocab=VOCAB + 1), config_of(), state, VOCAB + 1, Path("F"), tokens=VOCAB + 1)


def test_damaged_folders_are_one_line(folder: Path, tmp_path: Path) -> None:
    def refused(line: str) -> None:
        with pytest.raises(InputError, match=line) as told:
            TextBuilder("gpt2").from_huggingface(folder)
        assert "\n" not in str(told.value)

    (folder / "config.json").write_text("{", encoding="utf-8")
    refused(r"^weights: .*config\.json: not JSON$")
    (folder / "config.json").write_text("[]", encoding="utf-8")
    refused(r"^weights: .*config\.json: not a JSON object$")
    (folder / "config.json").write_text('{"vocab_size": "many"}', encoding="utf-8")
    refused(r"^vocab_size: must be at least 1 \(got 'many'\)$")
    (folder / "config.json").unlink()
    refused(r"^weights: .*config\.json: cannot be read: ")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    refused(r"^tokenizer: not the JSON of a tokenizer: ")
    (folder / "tokenizer.json").unlink()
    refused(r"no tokenizer\.json in this folder, nor vocab\.json and merges\.txt$")
    with pytest.raises(InputError, match=r"^weights: .*: no model\.safetensors in this folder$"):
        locate(str(tmp_path), config_of())


@pytest.mark.parametrize(
    ("index", "line"),
    [
        ("{", "not JSON"),
        ("{}", "names no files under weight_map"),
        ('{"weight_map": {"a": "gone.safetensors"}}', "names 'gone.safetensors', which is not beside it"),
        ('{"weight_map": {"a": "../theirs.safetensors"}}', "names '../theirs.safetensors', which is not beside it"),
    ],
)
def test_damaged_indices_are_one_line(tmp_path: Path, index: str, line: str) -> None:
    (tmp_path / "theirs.safetensors").write_bytes(b"")
    place = tmp_path / "folder"
    place.mkdir()
    (place / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    with pytest.raises(InputError, match=rf"^weights: .*{re.escape(line)}$"):
        read_weights(locate(str(place), config_of()))


def test_the_digest_of_several_files_changes_with_each(tmp_path: Path) -> None:
    theirs().save_pretrained(tmp_path, max_shard_size="2KB")
    index = locate(str(tmp_path), config_of())
    assert index.name == "model.safetensors.index.json"
    before = {digest_of(index)}
    for file in files_of(index):
        file.write_bytes(file.read_bytes() + b" ")
        before.add(digest_of(index))
    assert len(before) == 1 + len(files_of(index)) > 2


def test_vocabulary_and_merges_make_gpt_2s_tokenizer(tmp_path: Path, in_small: TextBuilder) -> None:
    theirs().save_pretrained(tmp_path)
    tokens = ["h", "e", "l", "o", "Ġ", "he", "ll", "hell", "Ġhell", "<|endoftext|>"]
    vocab = {token: i for i, token in enumerate(tokens)}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    merges = "#version: 0.2\nh e\nl l\nhe ll\nĠ hell\n"
    (tmp_path / "merges.txt").write_text(merges, encoding="utf-8")
    _, tokenizer = in_small.from_huggingface(tmp_path)
    assert tokenizer.encode(["hello hell"]) == [[7, 3, 8]]
    assert tokenizer.decode([[7, 3, 8, 9]]) == ["hello hell"]
    assert tokenizer.special == {"<|endoftext|>": 9}
