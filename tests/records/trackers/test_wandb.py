"""Weights & Biases: offline where it is installed, against a stand-in everywhere."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fourfold.records.trackers.wandb import WeightsAndBiases

SCRIPT = """
import pathlib, sys
from fourfold.records.trackers.wandb import WeightsAndBiases
tracker = WeightsAndBiases(pathlib.Path(sys.argv[1]))
tracker.start("digits-mlp-1", {"model": {"name": "mlp"}})
for step in range(3):
    tracker.log(step, {"train.loss": step / 2})
tracker.finish("done")
"""


@pytest.mark.parametrize(("status", "code"), [("done", 0), ("interrupted", 1), ("diverged", 1)])
def test_it_is_told_everything(tmp_path: Path, monkeypatch, status: str, code: int):
    calls: list[Any] = []
    package = ModuleType("wandb")
    run = SimpleNamespace(
        log=lambda values, step: calls.append((step, values)), finish=lambda exit_code: calls.append(exit_code)
    )
    package.init = lambda **options: (calls.append(options), run)[1]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", package)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    tracker = WeightsAndBiases(tmp_path)
    tracker.start("digits-mlp-1", {"model": {"name": "mlp"}})
    tracker.log(3, {"train.loss": 0.5})
    tracker.finish(status)
    options = {"project": "fourfold", "name": "digits-mlp-1", "config": {"model": {"name": "mlp"}}}
    assert calls == [{**options, "dir": str(tmp_path), "reinit": "create_new"}, (3, {"train.loss": 0.5}), code]


@pytest.mark.skipif(find_spec("wandb") is None, reason="needs the extra wandb")
def test_a_real_offline_run_is_written(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    subprocess.run([sys.executable, "-X", "utf8", "-c", SCRIPT, str(tmp_path)], check=True)
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    data = file.read_bytes()
    assert b"train.loss" in data
    assert b"digits-mlp-1" in data
