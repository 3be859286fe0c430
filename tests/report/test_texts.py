"""What the report shows of a run on texts, whose batches are padded each to their own longest."""

from pathlib import Path

import pytest
import torch

import fourfold as ff
from fourfold.report.predictions import predict_split
from fourfold.report.shown import show_predictions


def test_texts_of_unlike_lengths_are_ranked_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{' '.join(['good' if i % 2 else 'bad'] * (1 + i % 9))} {i},{'yes' if i % 2 else 'no'}" for i in range(90)]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    recipe = {
        "data": {"name": "labelled_text", "path": str(tmp_path / "texts.csv"), "vocab_size": 60, "max_length": 16},
        "model": {"name": "bert", "layers": 1, "width": 8, "heads": 2, "max_length": 16},
        "loss": "usual",
        "algorithm": "supervised",
        "budget": {"steps": 2, "batch_size": 8},
        "runtime": {"device": "cpu", "threads": 1},
    }
    run = ff.run(recipe, workspace=tmp_path)
    whole = predict_split(run)
    monkeypatch.setattr("fourfold.data.text.padded.MOST_SCORES", 2**15)
    assert len({batch.inputs[0].shape[1] for batch in run.parts.source.split("test", 1024)}) > 1
    parts = predict_split(run)
    assert torch.equal(parts.batch.inputs[0], whole.batch.inputs[0])
    assert torch.equal(parts.batch.inputs[1], whole.batch.inputs[1])
    torch.testing.assert_close(parts.output, whole.output)
    shown = show_predictions(run)
    assert [drawn.name for drawn in shown.all()] == ["confusion", "worst", "best"]
    assert not any("training mean" in str(drawn) for drawn in shown.examples)
