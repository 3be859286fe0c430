"""The share of sixes and nines that are misread is that of the run's own predictions."""

import math
from types import SimpleNamespace
from typing import Any

import torch

import fourfold as ff
from fourfold.claims import six_or_nine


def test_it_counts_sixes_and_nines_of_the_test_split_only(tmp_path) -> None:
    run = ff.run("digits-mlp", {"budget.epochs": 1, "runtime.device": "cpu"}, workspace=tmp_path)
    cell: Any = SimpleNamespace(status="done", folder=run.folder.path)
    (batch,) = run.parts.source.split("test", 10_000)
    answers = run.model(*batch.inputs).argmax(1)
    pairs = [(int(t), int(a)) for t, a in zip(batch.targets, answers, strict=True) if int(t) in (6, 9)]
    assert 40 < len(pairs) < 70
    assert six_or_nine.misread(cell) == sum(t != a for t, a in pairs) / len(pairs)
    assert 0 < six_or_nine.misread(cell) < 1
    assert torch.isnan(torch.tensor(six_or_nine.misread(SimpleNamespace(status="diverged", folder=None))))  # type: ignore[arg-type]
    assert not math.isnan(six_or_nine.misread(cell))
