"""`fourfold sample`, and the page of a run that makes examples."""

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from fourfold.cli.app import execute
from fourfold.report.curves import collect
from fourfold.report.page import write_report
from fourfold.report.samples import draw_moments, draw_players
from fourfold.run.parts import load_recipe
from fourfold.run.run import Run, start

POINTS = {
    "data": {"name": "gaussians", "examples": 40, "scored": 30},
    "model": {"name": "gan", "latent": 2, "generator_widths": [6], "discriminator_widths": [6]},
    "loss": "usual",
    "algorithm": "adversarial",
    "budget": {"steps": 12, "batch_size": 12, "validate_every": 1, "log_every": 3},
    "runtime": {"device": "cpu", "threads": 1},
}
PICTURES = {
    **POINTS,
    "data": {"name": "unlabelled_pictures", "of": "digits", "scored": 20},
    "model": {"name": "dcgan", "width": 4, "latent": 5},
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOURFOLD_DATA", str(folder.parent / "cache"))
        for name, recipe in (("points", POINTS), ("pictures", PICTURES)):
            start(name, load_recipe(recipe)[1], folder)
    return folder


def opened(workspace: Path, name: str) -> Run:
    from fourfold.records.folder import RunFolder

    return Run(RunFolder.find(workspace, name))


def test_pictures_become_one_sheet(workspace, tmp_path, capsys) -> None:
    file = tmp_path / "표본.png"
    assert execute(["sample", "pictures-1", "--num", "6", "--out", str(file), "--workspace", str(workspace)]) == 0
    assert capsys.readouterr().err == f"figure: {file}\n"
    assert np.asarray(PIL.Image.open(file)).shape == (2 * 10 + 2, 3 * 10 + 2)
    assert execute(["sample", "pictures-1", "--interpolate", "-o", str(file), "--workspace", str(workspace)]) == 0
    assert np.asarray(PIL.Image.open(file)).shape == (8 * 10 + 2, 8 * 10 + 2)  # a leg a row


def test_each_picture_may_be_a_file_of_its_own(workspace, capsys) -> None:
    assert execute(["sample", "pictures-1", "--num", "6", "--png", "--workspace", str(workspace)]) == 0
    figures = workspace / "pictures-1" / "figures"
    assert capsys.readouterr().err.endswith(f"each:   {figures / 'samples' / '0001.png'} to 0006.png\n")
    whole = np.asarray(PIL.Image.open(figures / "samples.png"))
    each = [np.asarray(PIL.Image.open(path)) for path in sorted((figures / "samples").iterdir())]
    assert len(each) == 6
    for number, picture in enumerate(each):  # three a row, a gap of two between them
        top, left = 2 + number // 3 * 10, 2 + number % 3 * 10
        np.testing.assert_array_equal(picture, whole[top : top + 8, left : left + 8])


def test_points_are_numbers_in_json(workspace, capsys) -> None:
    assert execute(["sample", "points-1", "-n", "5", "--seed", "3", "--json", "--workspace", str(workspace)]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert np.asarray(said["examples"]).shape == (5, 2)
    assert (said["num"], said["seed"], said["run_id"]) == (5, 3, "points-1")
    assert Path(said["path"]) == (workspace / "points-1" / "figures" / "samples.png").resolve()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["points-2"], "error: no run 'points-2' in "),
        (["points-1", "--num", "0"], "error: num: 0; the nearest valid number is 1"),
        (
            ["points-1", "--num", "1", "--interpolate"],
            "error: num: 1; a walk has two ends, and the nearest valid number is 2",
        ),
        (["points-1", "--seed", "-1"], "error: seed: input should be greater than or equal to 0 (got -1)"),
        (["points-1", "--png"], "error: --png: it makes points, which are no pictures; --json gives their numbers"),
        (["points-1", "-o", "absent/a.png"], "error: absent: no such folder"),
        (["points-1", "-o", "a.jpg"], "error: a.jpg: the name of a PNG file must end in .png"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, says, workspace, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["sample", *arguments, "--workspace", str(workspace)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(says)
    assert err.count("\n") == 1


def test_the_page_shows_what_was_made_beside_given_examples_and_how_it_came_to_that(workspace, monkeypatch) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(workspace.parent / "cache"))
    for name in ("points-1", "pictures-1"):
        run = opened(workspace, name)
        page = write_report(run, png=True).read_text(encoding="utf-8")
        assert "What it makes" in page
        assert "No predictions are shown" not in page
        for figure in ("samples", "moments", "players"):
            assert f'id="{figure}"' in page
            assert (run.folder.figures / f"{figure}.png").exists()


def test_the_last_of_the_moments_is_the_end(workspace) -> None:
    (drawn,) = draw_moments(opened(workspace, "points-1"))
    titles = [axes.get_title(loc="left") for axes in drawn.figure.axes]
    assert len([title for title in titles if title]) == 8
    assert titles[7] == "step 12"


def test_a_run_of_one_network_has_no_players() -> None:
    assert draw_players(collect([])) == []


def test_predicting_and_exporting(workspace, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(workspace.parent / "cache"))
    assert execute(["predict", "points-1", "x=1", "y=2", "--workspace", str(workspace)]) == 2
    assert "predicts nothing of an example: it makes new ones; use fourfold sample RUN" in capsys.readouterr().err
    file = tmp_path / "model.safetensors"
    assert execute(["export", "pictures-1", "--to", str(file), "--workspace", str(workspace)]) == 0
    assert file.exists()
    assert execute(["export", "pictures-1", "--format", "onnx", "--workspace", str(workspace)]) == 2
    assert "two players draw random numbers, which ONNX has no place for" in capsys.readouterr().err
    assert execute(["evaluate", "points-1", "--split", "test", "--json", "--workspace", str(workspace)]) == 0
    scores = json.loads(capsys.readouterr().out.splitlines()[-1])["metrics"]["test"]
    assert scores == opened(workspace, "points-1").metrics["test"]
    assert execute(["show", "points-1", "--workspace", str(workspace)]) == 0
