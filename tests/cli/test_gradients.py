"""`fourfold gradients`."""

import json
from pathlib import Path

import pytest

from fourfold.cli import main

CHANGES = ["model.widths=[6,5]", "budget.steps=12", "budget.epochs=null"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs")
    for optimizer in ("{name: sgd, lr: 0.3}", "adam"):
        changes = [*CHANGES, f"algorithm.optimizer={optimizer}"]
        assert main(["run", "digits-mlp", *changes, "--workspace", str(place), "--quiet"]) == 0
    return place


def test_the_steps_of_a_run_are_measured_again(workspace: Path, capsys) -> None:
    before = {path: path.stat().st_mtime_ns for path in (workspace / "digits-mlp-1").glob("*.json")}
    assert main(["gradients", "digits-mlp-1", "--workspace", str(workspace), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    run = found["runs"]["digits-mlp-1"]
    assert run["effective_rates"] == pytest.approx([0.3] * 12, rel=1e-4)
    assert list(run["layers"]) == ["layers.1", "layers.3", "layers.5"]
    assert {len(each) for each in (run["losses"], run["step_sizes"], *run["layers"].values())} == {12}
    assert [Path(each).name for each in found["files"]] == ["gradients.html"]
    page = Path(found["files"][0]).read_text(encoding="utf-8")
    for figure in ("layers", "layers-over-time", "steps", "effective-rates"):
        assert f'<figure id="{figure}"' in page
    assert before == {path: path.stat().st_mtime_ns for path in (workspace / "digits-mlp-1").glob("*.json")}


def test_several_runs_are_drawn_together(workspace: Path, capsys) -> None:
    words = ["gradients", "digits-mlp-1", "digits-mlp-2", "--workspace", str(workspace)]
    assert main([*words, "--png", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(found["runs"]) == ["digits-mlp-1", "digits-mlp-2"]
    figures = ["layers", "layers-over-time-1", "layers-over-time-2", "steps", "effective-rates"]
    assert [Path(each).stem for each in found["files"]] == ["gradients", *figures]
    page = Path(found["files"][0]).read_text(encoding="utf-8")
    assert "digits-mlp-2 after" in page
    assert "fourfold gradients digits-mlp-1 digits-mlp-2" in page


@pytest.mark.parametrize(
    ("runs", "says"),
    [(["digits-mlp-9"], "no run 'digits-mlp-9' in"), (["digits-mlp-1"] * 2, "the same run is given twice")],
)
def test_a_mistake_is_one_line(runs, says, workspace: Path, capsys) -> None:
    assert main(["gradients", *runs, "--workspace", str(workspace)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"error: {says}")
