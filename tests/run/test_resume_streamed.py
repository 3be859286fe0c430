"""Pictures that are not held in memory: `fourfold run`, killed after any step, and resumed."""

import json
from pathlib import Path
from typing import Any

import pytest
from killing import killed_and_resumed, run
from pictures import folder
from stopping import differences

STEPS = 6
MEMORY: dict[str, Any] = {}
WAYS: dict[str, tuple[dict[str, Any], list[int]]] = {  # and after which steps the run is killed
    "mapped": ({"memory_gb": 0.0}, [1, 2, 3, 4, 5]),
    "decoded by a worker": ({"memory_gb": 0.0, "cache_gb": 0.0, "workers": 1}, [3, 5]),
}

# 23 training pictures in batches of 7: an epoch is 4 steps, its last batch 2 pictures.
RECIPE: dict[str, Any] = {
    "model": {"name": "mlp", "widths": [6], "dropout": 0.3},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": "adam", "schedule": "cosine"},
    "budget": {"steps": STEPS, "batch_size": 7, "validate_every": 4, "log_every": 3, "checkpoint_every": 2},
    "runtime": {"device": "cpu", "threads": 1},
}
AUGMENT = [{"name": "pad_crop", "pad": 2}, "horizontal_flip", "pca_jitter"]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    root = folder(tmp_path / "photos", {"a": 14, "b": 12, "c": 7})

    def write(way: dict[str, Any]) -> Path:
        data = {"name": "image_folder", "path": str(root), "augment": AUGMENT, **way}
        file = tmp_path / "streamed.yaml"
        file.write_text(json.dumps({**RECIPE, "data": data}), encoding="utf-8")
        return file

    return write


@pytest.mark.promise("R1")
@pytest.mark.parametrize("way", ["mapped", pytest.param("decoded by a worker", marks=pytest.mark.slow)])
def test_killed_after_any_step_and_resumed(way: str, written: Any, tmp_path: Path) -> None:
    held = run(written(MEMORY), tmp_path / "held")
    data, steps = WAYS[way]
    recipe = written(data)
    whole = run(recipe, tmp_path / "whole")
    assert differences(whole["model"], held["model"]) == []
    assert whole["points"] == held["points"]
    assert any("not held in memory" in note or "not kept" in note for note in whole["result"]["notes"])
    killed_and_resumed(recipe, steps, whole, tmp_path)
