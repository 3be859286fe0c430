"""`fourfold race`."""

import json
import warnings
from pathlib import Path

import pytest
from PIL import Image

from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.cli import main
from fourfold.cli.racing import ALL


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_of_them_race_unless_one_says_otherwise() -> None:
    assert [*ALL.split(","), "lars"] == list(OPTIMIZERS)  # a point has no layers to measure: it would be momentum


def test_a_race_is_filmed_and_its_facts_are_printed(tmp_path: Path, capsys) -> None:
    assert main(["race", "sgd,adam", "--steps", "9"]) == 0
    out, err = capsys.readouterr()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["race-ravine.gif", "race-ravine.png"]
    assert err.splitlines() == ["race: race-ravine.gif", "figure: race-ravine.png"]
    assert "lr 0.036" in out
    assert "not yet" in out
    assert [part.split(": ")[0] for part in out.splitlines()[-1].split(" · ")] == [
        "height",
        "there",
        "path",
        "overshoot",
    ]
    assert out.endswith(" · path: its length · overshoot: how far past the minimum, along the valley\n")
    with Image.open("race-ravine.gif") as film:
        assert getattr(film, "n_frames", 0) == 10


def test_rates_are_one_s_own_then_all_s_then_the_surface_s(capsys) -> None:
    command = ["race", "sgd,momentum,adam", "--surface", "wells", "--steps", "4", "--out", "w.html", "--json"]
    assert main([*command, "--lr", "adam=0.5", "--lr", "0.02"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {name: each["lr"] for name, each in found["optimizers"].items()} == {
        "sgd": 0.02, "momentum": 0.02, "adam": 0.5
    }  # fmt: skip
    assert (found["surface"], found["steps"], found["start"]) == ("wells", 4, [-2.2, 1.4])
    page = Path(found["files"][0]).read_text(encoding="utf-8")
    assert "--lr adam=0.5 --out w.html" in page
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["optimizers"]["adam"]["lr"] == 0.1


def test_the_same_race_gives_the_same_bytes(capsys) -> None:
    command = ["race", "sgd,adam", "--noise", "0.4", "--seed", "3", "--steps", "8", "--json"]
    answers = []
    for name in ("a", "b"):
        assert main([*command, "--out", f"{name}.gif", "--out", f"{name}.png"]) == 0
        answers.append(json.loads(capsys.readouterr().out.splitlines()[-1])["optimizers"])
    assert answers[0] == answers[1]
    assert Path("a.gif").read_bytes() == Path("b.gif").read_bytes()
    assert main(["race", "sgd,adam", "--noise", "0.4", "--seed", "4", "--steps", "8", "--json", "--out", "c.png"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["optimizers"] != answers[0]


@pytest.mark.parametrize("surface", ["ravine", "wells"])
def test_matplotlib_says_nothing_of_one_who_goes_very_far(surface, capsys, caplog) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files = ["--out", "r.png", "--out", "r.html", "--out", "r.gif"]
        assert main(["race", "sgd", "--lr", "1e9", "--steps", "20", "--surface", surface, *files]) == 0
    assert capsys.readouterr().err.splitlines() == ["figure: r.png", "race: r.html", "race: r.gif"]
    assert not caplog.records


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sgd,adm"], "no optimizer called 'adm'; did you mean 'adam'?"),
        (["sgd,"], "no optimizer called ''"),
        (["sgd,sgd"], "'sgd' races twice"),
        (["sgd", "--surface", "ravin"], "no surface called 'ravin'; did you mean 'ravine'?"),
        (["sgd", "--steps", "0"], "--steps: expected 1 to 20,000, got 0"),
        (["sgd", "--steps", "1000000"], "--steps: expected 1 to 20,000, got 1,000,000"),
        (["sgd", "--lr", "fast"], "--lr fast: expected a number of at least 0"),
        (["sgd", "--lr", "-1"], "--lr -1: expected a number of at least 0"),
        (["sgd", "--lr", "sgd=inf"], "--lr sgd=inf: expected a number"),
        (["sgd", "--lr", "sdg=0.1"], "--lr sdg=0.1: 'sdg' does not race; did you mean 'sgd'?"),
        (["sgd", "--seed", "-1"], "seed: input should be greater than or equal to 0 (got -1)"),
        (["sgd", "--noise", "-1"], "noise: expected a number of at least 0"),
        (["sgd", "--out", "race.mpg"], "--out: race.mpg: the name must end in one of .gif, .mp4, .html, .png"),
        (["sgd", "--out", "good.png", "--out", "race"], "--out: race: the name must end in"),
        (["sgd", "--out", "good.png", "--out", "absent/race.gif"], "absent: no such folder"),
        (["sgd", "--out", "."], "--out: .: the name must end in"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(arguments, says, tmp_path: Path, capsys) -> None:
    assert main(["race", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {says}")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
