"""`fourfold run gpt2 --weights FOLDER` and `fourfold generate`, with a folder that transformers writes."""

import json
import math
import re
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

import fourfold as ff
from fourfold.cli import main
from fourfold.data.text.tokenizer import train_tokenizer

TEXT = "The cat sat on the mat, and the dog sat on the cat. 고양이가 앉았다.\n" * 40
LAYERS, WIDTH, HEADS, CONTEXT = 2, 12, 3, 32
FEW = [
    *(f"model.{name}={size}" for name, size in {"layers": LAYERS, "width": WIDTH, "heads": HEADS}.items()),
    *(f"model.context={CONTEXT}", "data=text", "data.length=16", "data.apart=true"),
    *("budget.steps=1", "budget.batch_size=1", "algorithm.optimizer.lr=0", "runtime.device=cpu", "runtime.threads=1"),
]


@pytest.fixture(params=["one file", "two files", "padded"])
def published(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a folder with a small network, its weights drawn so that they matter, and a tokenizer in GPT-2's form."""
    folder = tmp_path / "남의 gpt2"
    learnt = json.loads(train_tokenizer("bpe", [TEXT], 300, ("<|endoftext|>",)).text)
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps(learnt["model"]["vocab"]), encoding="utf-8")
    merges = "\n".join(" ".join(pair) for pair in learnt["model"]["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    if request.param != "two files":
        GPT2Tokenizer.from_pretrained(folder).save_pretrained(folder)
        (folder / "vocab.json").unlink(missing_ok=True)
        (folder / "merges.txt").unlink(missing_ok=True)
    torch.manual_seed(0)
    sizes = {"n_layer": LAYERS, "n_embd": WIDTH, "n_head": HEADS, "n_positions": CONTEXT}
    sizes["vocab_size"] = len(learnt["model"]["vocab"])
    if request.param == "padded":  # as many are, which is faster on a GPU
        sizes["vocab_size"] = 64 * math.ceil((sizes["vocab_size"] + 1) / 64)
    network = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=0))
    for param in network.parameters():
        torch.nn.init.normal_(param, std=0.3)
    bytes_alone = [number for token, number in learnt["model"]["vocab"].items() if not re.fullmatch(r"[a-zĠ]+", token)]
    with torch.no_grad():
        network.transformer.wte.weight[[*bytes_alone, *range(len(learnt["model"]["vocab"]), sizes["vocab_size"])]] = (
            0  # never the likeliest, so that what is written can be read
        )
    network.save_pretrained(folder)
    return folder


def test_a_published_model_is_scored_and_writes_what_it_writes_in_transformers(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.txt"
    file.write_text(TEXT, encoding="utf-8")
    place = ["--workspace", str(tmp_path / "runs"), "--json"]
    assert main(["run", "gpt2", *FEW, f"data.path={file}", "--weights", str(published), "--quiet", *place]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    run = ff.open_run(told["folder"])
    assert run.folder.recipe()["data"]["tokenizer_from"] == str(published)
    rows = json.loads((published / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    padding = rows - run.spec.num_outputs
    said = f"weights: the last {padding} of {rows} rows of tokens.weight left out: they are no token's"
    assert (said in run.result["notes"]) == (padding > 0)

    theirs, reads = GPT2LMHeadModel.from_pretrained(published).eval(), AutoTokenizer.from_pretrained(published)
    batch = next(iter(run.parts.source.split("test", 1000)))
    tokens = reads(run.parts.source.raw("test", [0])[0]).input_ids
    assert batch.inputs[0][0, : len(tokens)].tolist() == tokens[: batch.inputs[0].shape[1]]
    with torch.no_grad():
        scores = theirs(batch.inputs[0][:1]).logits[:, :, : len(reads)]
        torch.testing.assert_close(run.model(batch.inputs[0][:1]), scores, rtol=1e-4, atol=1e-4)

    prompt = "The cat"
    assert main(["generate", told["run_id"], "--prompt", prompt, "--tokens", "9", "--temperature", "0", *place]) == 0
    written = json.loads(capsys.readouterr().out.splitlines()[-1])["text"]
    begun = reads(prompt, return_tensors="pt").input_ids
    whole = theirs.generate(begun, max_new_tokens=9, do_sample=False, pad_token_id=0, attention_mask=begun * 0 + 1)
    assert written == reads.decode(whole[0, begun.shape[1] :], skip_special_tokens=True)
    assert len(written) > 3
