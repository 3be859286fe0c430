"""Runs of GPT: its one table for input and output is saved and resumed, and a folder of Hugging Face's begins one."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from stopping import differences, remains, resumed, start_and_stop

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.models import GPT
from fourfold.run.generate import Sampling, generate
from fourfold.run.inspect import inspect_recipe
from fourfold.run.parts import load_recipe
from fourfold.run.run import start
from fourfold.tasks.tokenizer import EOS, PAD, tokenizer_of

TEXT = "the cat sat on the mat. 고양이가 앉았다.\n" * 40
STILL = {"algorithm.optimizer.lr": 1e-30}  # too small to move a weight


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "글.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


def recipe(text: Path, **changes: Any) -> Recipe:
    parts: dict[str, Any] = {
        "data": {"name": "text", "path": str(text), "length": 8},
        "model": {"name": "gpt", "layers": 1, "width": 8, "heads": 2, "dropout": 0.1},
        "loss": "cross_entropy",
        "algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.01}},
        "budget": {"steps": 5, "batch_size": 8, "validate_every": 2, "log_every": 1},
        "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
    }
    return load_recipe(parts, changes)[1]


@pytest.mark.promise("R1")
def test_stopped_after_any_step_and_resumed(text: Path, tmp_path: Path) -> None:
    whole = start("stopped", recipe(text), tmp_path / "whole")
    for after in (1, 2, 4):
        folder = start_and_stop(recipe(text), tmp_path / str(after), after)
        assert differences(remains(resumed(folder)), remains(whole)) == [], after


def test_the_table_stands_once_in_a_checkpoint_and_the_run_reads_it_again(text: Path, tmp_path: Path) -> None:
    run = start("whole", recipe(text), tmp_path)
    saved = load_file(run.folder.checkpoints / "last" / "model.safetensors")
    vocab = run.spec.num_outputs
    assert [name for name, value in saved.items() if value.shape == (vocab, 8)] == ["tokens.weight"]
    assert differences(run.model.state_dict(), saved) == []
    written = [token.text for token in generate(run, "the ", tokens=12, sampling=Sampling(temperature=0))]
    model, tokenizer = run.model.eval(), tokenizer_of(run.spec.tokenizer)
    known = torch.tensor(tokenizer.encode(["the "]))
    for _ in written[: 8 - known.shape[1]]:
        known = torch.cat([known, model(known)[:, -1:].argmax(2)], 1)
    assert "".join(written).startswith(tokenizer.decode([known[0, 4:].tolist()])[0])
    again = start("again", recipe(text, weights=str(run.folder.checkpoints / "last" / "model.safetensors")), tmp_path)
    assert any("begun from" in note for note in again.result["notes"])


def theirs(folder: Path, context: int = 8) -> dict[str, torch.Tensor]:
    """Write a folder as Hugging Face publishes a GPT-2, of our names turned back into theirs; return our weights."""
    folder.mkdir()
    tokenizer = train_tokenizer("bpe", [TEXT], 300, (PAD, EOS))
    (folder / "tokenizer.json").write_text(tokenizer.text, encoding="utf-8")
    torch.manual_seed(1)
    network = GPT(tokenizer.vocab_size, context, layers=1, width=8, heads=2)
    names = {"tokens": "wte", "positions": "wpe", "norm": "ln_f"}
    parts = {
        "norm1": "ln_1",
        "norm2": "ln_2",
        "attention.inputs": "attn.c_attn",
        "attention.output": "attn.c_proj",
        "inner": "mlp.c_fc",
        "outer": "mlp.c_proj",
    }
    for param in network.parameters():
        torch.nn.init.normal_(param)
    state = {}
    for name, value in network.state_dict().items():
        layer, _, kind = name.rpartition(".")
        their = names.get(layer) or f"h.0.{parts[layer.removeprefix('blocks.0.')]}"
        turned = value.T if value.dim() == 2 and their.startswith("h.") else value
        state[f"{their}.{kind}"] = turned.contiguous()
    save_file(state, folder / "model.safetensors")
    facts = {"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "n_head": 2, "n_positions": context}
    (folder / "config.json").write_text(json.dumps(facts), encoding="utf-8")
    return network.state_dict()


def test_a_folder_of_hugging_faces_begins_a_run(text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gpt2"
    weights = theirs(folder)
    run = start("begun", recipe(text, weights=str(folder), **STILL), tmp_path)
    assert differences(run.model.state_dict(), weights) == []
    assert run.folder.recipe()["data"]["tokenizer_from"] == str(folder)  # which nobody had to say
    assert inspect_recipe(recipe(text, weights=str(folder))).model.params == sum(w.numel() for w in weights.values())
    recorded = run.folder.recipe()["weights"]
    assert recorded["file"] == str(folder)
    assert len(recorded["sha256"]) == 64
    again = ff.run(run.recipe, workspace=tmp_path)
    assert differences(again.model.state_dict(), weights) == []


def test_a_folder_that_changed_is_refused(text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gpt2"
    theirs(folder)
    begun = {"weights": str(folder), "data.tokenizer_from": str(folder), **STILL}
    run = start("begun", recipe(text, **begun), tmp_path)
    state = load_file(folder / "model.safetensors")
    save_file({name: value + 1 for name, value in state.items()}, folder / "model.safetensors")
    with pytest.raises(InputError, match=r"^weights: .*model\.safetensors: the file has changed \(SHA-256 "):
        ff.run(run.recipe, workspace=tmp_path)


def test_other_tokens_and_longer_rows_than_the_folders_are_one_line(text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gpt2"
    theirs(folder)
    with pytest.raises(InputError, match=r"its tokens are others than those of this data; give data\.tokenizer_from="):
        start("other", recipe(text, weights=str(folder), **{"data.tokenizer": "wordpiece"}), tmp_path)
    longer = {"weights": str(folder), "data.length": 16}
    with pytest.raises(InputError, match=r"does not fit this gpt: model\.context: 8 there, 16 here$"):
        start("longer", recipe(text, **longer), tmp_path)
    with pytest.raises(
        InputError, match=r"^model\.context: gpt sees 8 tokens at once, but this data gives texts of up"
    ):
        start("longer", recipe(text, **longer, **{"model.context": 8}), tmp_path)
    with pytest.raises(
        InputError, match=r"gpt2 is of another network than this gpt: model\.context: 8 there, 16 here$"
    ):
        start("longer", recipe(text, **longer, **{"model.context": 16}), tmp_path)


def test_it_writes_in_fewer_bits_and_the_run_s_own_weights_stay(text: Path, tmp_path: Path) -> None:
    run = start("whole", recipe(text, **{"budget.steps": 150, "model.width": 32, "data.length": 32}), tmp_path)
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    greedily = Sampling(temperature=0)
    written = {
        precision: "".join(token.text for token in generate(run, "the c", 20, greedily, precision=precision))
        for precision in ("fp32", "bf16", "int8")
    }
    assert written["bf16"] == written["int8"] == written["fp32"]
    assert differences(run.model.state_dict(), before) == []
    with pytest.raises(InputError, match=r"^precision: 'int4' is not a choice; did you mean 'int8'\?$"):
        generate(run, precision="int4")  # type: ignore[arg-type]
    other = start("lstm", recipe(text, model={"name": "lstm", "width": 8}), tmp_path)
    with pytest.raises(InputError, match=r"^precision: int8 is for a gpt, and this LSTM writes in fp32$"):
        generate(other, precision="int8")
