"""`fourfold landscape`."""

import json
import math
from pathlib import Path

import pytest

import fourfold as ff
from fourfold.cli import main, waiting

CHANGES = ["model.widths=[6]", "budget.steps=12", "budget.epochs=null"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs")
    assert main(["run", "digits-mlp", *CHANGES, "--workspace", str(place), "--quiet"]) == 0
    return place


def _ask(workspace: Path, capsys, *options: str) -> dict:
    assert (
        main(["landscape", "digits-mlp-1", "--resolution", "3", "--workspace", str(workspace), "--json", *options]) == 0
    )
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_centre_is_the_loss_that_the_run_recorded(split: str, workspace: Path, capsys) -> None:
    found = _ask(workspace, capsys, "--split", split, "--examples", "0")
    recorded = json.loads((workspace / "digits-mlp-1" / "result.json").read_text(encoding="utf-8"))
    assert found["loss"] == pytest.approx(recorded["metrics"][split]["loss"], rel=1e-5)
    assert found["losses"][1][1] == found["loss"]
    assert found["alphas"] == found["betas"] == [-1, 0, 1]
    assert found["sharpness"] > 0
    assert found["largest_curvature"] > 0


def test_the_page_goes_into_the_run_s_figures_and_pictures_on_request(workspace: Path, capsys) -> None:
    figures = workspace / "digits-mlp-1" / "figures"
    assert [Path(each).name for each in _ask(workspace, capsys)["files"]] == ["landscape.html"]
    written = _ask(workspace, capsys, "--png", "--range", "0.5", "--examples", "40")
    assert [Path(each).name for each in written["files"]] == ["landscape.html", "landscape.png", "landscape-3d.png"]
    assert all(Path(each).parent == figures.resolve() for each in written["files"])
    assert (written["alphas"], written["examples"]) == ([-0.5, 0, 0.5], 40)
    assert "40 of 1,257 train" in (figures / "landscape.html").read_text(encoding="utf-8")


def test_the_way_of_the_training_is_drawn_on_request(workspace: Path, capsys) -> None:
    written = _ask(workspace, capsys, "--path", "--png")["files"]
    assert [Path(each).name for each in written] == ["landscape.html", "landscape.png", "landscape-3d.png", "path.png"]
    assert 'id="path"' in Path(written[0]).read_text(encoding="utf-8")


def test_the_same_seed_is_the_same_plane_and_another_is_another(workspace: Path, capsys) -> None:
    first, again, other = (_ask(workspace, capsys, "--seed", seed)["losses"] for seed in ("1", "1", "2"))
    assert first == again != other


def test_each_part_of_the_work_says_how_far_it_is(workspace: Path, capsys, monkeypatch) -> None:
    """A point of a large network takes a second, and there are 1,681: silence would last half an hour."""
    monkeypatch.setattr(waiting, "LINE_SECONDS", 0.0)
    command = ["landscape", "digits-mlp-1", "--resolution", "3", "--path", "--workspace", str(workspace), "--json"]
    assert main(command) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    said = [line.strip() for line in told.err.splitlines()]
    for words in ("points of the plane: 9 of 9", "steps of the way: 12 of 12", "points of its plane: 9 of 9"):
        assert words in said
    assert any(line.startswith("points of the plane: 1 of 9 ") for line in said)
    for words in ("gradients for the sharpness", "products for the largest curvature"):
        numbers = [int(line.split()[-3]) for line in said if line.startswith(words)]
        assert numbers == list(range(1, len(numbers) + 1)) != []


TASKS = {
    "two players": {
        "data": {"name": "gaussians", "examples": 40, "scored": 30},
        "model": {"name": "gan", "latent": 2, "generator_widths": [6], "discriminator_widths": [6]},
        "loss": "non_saturating",
        "algorithm": "adversarial",
    },
    "two players of pictures": {
        "data": {"name": "unlabelled_pictures", "of": "digits", "scored": 20},
        "model": {"name": "dcgan", "width": 4, "latent": 5},
        "loss": "minimax",
        "algorithm": "adversarial",
    },
    "two views": {
        "data": {"name": "two_views", "of": "digits"},
        "model": {"name": "simclr", "encoder": {"name": "mlp", "widths": [12]}, "projected": 5},
        "loss": "nt_xent",
        "algorithm": "supervised",
    },
}


@pytest.mark.parametrize("task", TASKS)
def test_networks_of_other_tasks_have_a_landscape_too(task: str, tmp_path: Path, capsys) -> None:
    """Curvature is taken in float64, and what such a network draws for itself must follow."""
    budget = {"budget": {"steps": 2, "batch_size": 16}, "runtime": {"device": "cpu", "threads": 1}}
    run = ff.run({**TASKS[task], **budget}, workspace=tmp_path)
    command = ["landscape", run.run_id, "--resolution", "3", "--examples", "40", "--workspace", str(tmp_path), "--json"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["losses"][1][1] == pytest.approx(found["loss"])
    assert math.isfinite(found["largest_curvature"])


@pytest.fixture(scope="module")
def two(workspace: Path) -> Path:
    assert main(["run", "digits-mlp", *CHANGES, "seed=1", "--workspace", str(workspace), "--quiet"]) == 0
    other = ["digits-mlp", "model.widths=[7]", *CHANGES[1:]]
    assert main(["run", *other, "--workspace", str(workspace), "--quiet"]) == 0
    return workspace


def test_between_two_runs_there_is_a_line_whose_ends_are_their_losses(two: Path, capsys) -> None:
    between = ["landscape", "digits-mlp-1", "digits-mlp-2", "--workspace", str(two), "--resolution", "5", "--json"]
    assert main([*between, "--split", "test", "--examples", "0", "--png"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["alphas"] == [-0.25, 0, 0.25, 0.5, 0.75, 1, 1.25]
    recorded = json.loads((two / "digits-mlp-1" / "result.json").read_text(encoding="utf-8"))
    assert found["losses"][1] == pytest.approx(recorded["metrics"]["test"]["loss"], rel=1e-5)
    assert found["barrier"] == pytest.approx(max(found["losses"][1:6]) - max(found["losses"][1], found["losses"][5]))
    names = ["line-to-digits-mlp-2.html", "line.png"]
    assert [Path(each).name for each in found["files"]] == names
    assert "fourfold landscape digits-mlp-1 digits-mlp-2" in Path(found["files"][0]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["digits-mlp-1", "digits-mlp-3"], "no line between different networks: layers.1.weight is [6, 64] in one"),
        (["digits-mlp-1", "digits-mlp-2", "--path"], "--path: for the plane around one run"),
        (["digits-mlp-1", "digits-mlp-2", "--seed", "3"], "--seed: for the plane around one run"),
        (["digits-mlp-1", "digits-mlp-2", "--resolution", "1"], "--resolution: a line has at least 2 points"),
        (["digits-mlp-1", "digits-mlp-2", "digits-mlp-3"], "one run, or two for the line between them, and not 3"),
    ],
)
def test_what_has_no_line_is_one_line(arguments, says, two: Path, capsys) -> None:
    assert main(["landscape", *arguments, "--workspace", str(two)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"error: {says}")


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["digits-mlp-9"], "no run 'digits-mlp-9' in"),
        (["digits-mlp-1", "--seed", "-1"], "seed: input should be greater than or equal to 0 (got -1)"),
        (["digits-mlp-1", "--split", "tets"], "--split: no split called 'tets'; did you mean 'test'?"),
        (
            ["digits-mlp-1", "--resolution", "10"],
            "resolution: expected an odd number of at least 3, got 10; such as 11",
        ),
        (["digits-mlp-1", "--range", "0"], "range: expected a number above 0, got 0"),
        (["digits-mlp-1", "--examples", "-1"], "--examples: expected at least 1, or 0 for all, got -1"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(arguments, says, workspace: Path, capsys) -> None:
    before = {path: path.stat().st_mtime_ns for path in (workspace / "digits-mlp-1").rglob("*")}
    assert main(["landscape", *arguments, "--workspace", str(workspace)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"error: {says}")
    assert before == {path: path.stat().st_mtime_ns for path in (workspace / "digits-mlp-1").rglob("*")}
