"""`fourfold run reviews-bert --weights FOLDER`, with a folder that transformers writes."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForPreTraining, BertModel, BertTokenizer

import fourfold as ff
from fourfold.cli import main
from fourfold.data.text.tokenizer import train_tokenizer

WORDS = ("good", "bad", "fine", "dull", "bright", "slow", "quick", "odd")
TEXTS = [f"It is a {WORDS[i % 8]} and {WORDS[i // 8]} film" for i in range(64)]


@pytest.mark.parametrize("padding", [0, 7])
def test_a_published_bert_is_fine_tuned_with_its_tokens(
    padding: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bert"
    folder.mkdir()
    vocab = json.loads(train_tokenizer("wordpiece", TEXTS, 80, lowercase=True).text)["model"]["vocab"]
    (folder / "vocab.txt").write_text("\n".join(sorted(vocab, key=lambda token: vocab[token])), encoding="utf-8")
    BertTokenizer.from_pretrained(folder, do_lower_case=True).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 32}
    padded = len(vocab) + padding
    BertForPreTraining(BertConfig(**sizes, vocab_size=padded, max_position_embeddings=16)).save_pretrained(folder)
    table = tmp_path / "texts.csv"
    rows = [f"{text},{'yes' if i % 2 else 'no'}" for i, text in enumerate(TEXTS)]
    table.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    few = ["model.layers=1", "model.width=8", "model.max_length=16", "budget.steps=1", "runtime.device=cpu"]
    data = ["data=labelled_text", f"data.path={table}", "data.max_length=16", "algorithm.optimizer.lr=0"]
    place = ["--workspace", str(tmp_path / "runs"), "--json", "--quiet"]
    assert main(["run", "reviews-bert", *few, *data, "--weights", str(folder), *place]) == 0
    run = ff.open_run(json.loads(capsys.readouterr().out.splitlines()[-1])["folder"])

    theirs, reads = BertModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    (tokens, lengths), _ = next(iter(run.parts.source.split("test", 3)))
    for row, length, text in zip(
        tokens.tolist(), lengths.tolist(), run.parts.source.raw("test", [0, 1, 2]), strict=True
    ):
        assert row[:length] == reads(text).input_ids
    mask = torch.arange(tokens.shape[1]) < lengths[:, None]
    with torch.no_grad():
        expected = theirs(tokens, attention_mask=mask.long()).last_hidden_state[mask]
        torch.testing.assert_close(run.model.encode(tokens, lengths)[mask], expected, rtol=1e-4, atol=1e-5)  # type: ignore[operator]
    assert any("head.weight, head.bias drawn anew" in note for note in run.result["notes"])
    said = f"weights: the last 7 of {padded} rows of embeddings.words.weight left out: they are no token's"
    assert (said in run.result["notes"]) == bool(padding)
