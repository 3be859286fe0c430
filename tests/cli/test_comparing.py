"""`fourfold compare`: the question it asks is Python's, a mistake is one line, and an answer is read without torch."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fourfold as ff
from fourfold.cli import main
from fourfold.core.errors import InputError
from fourfold.study.execute import Watcher

WORDS = ["compare", "iris-softmax", "budget.steps=4", "--vary", "algorithm.optimizer=sgd,adam", "--seeds", "2"]


class Silence(Watcher):
    """Fails where anything is run."""

    def progressed(self, done: int, running: int, total: int, seconds: float) -> None:
        raise AssertionError("a finished study is read")


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("compared") / "runs"
    assert main([*WORDS, "--metric", "loss", "--workspace", str(place), "--quiet"]) == 0
    return place


def test_a_finished_study_is_answered_without_torch(answered: Path) -> None:
    arguments = [*WORDS, "--metric", "loss", "--workspace", str(answered), "--json"]
    program = (
        "import sys\nfrom fourfold.cli import main\n"
        f"code = main({arguments!r})\n"
        "loaded = [name for name in ('torch', 'sqlalchemy', 'optuna') if name in sys.modules]\n"
        "assert not loaded, loaded\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["complete"]


def test_python_asks_the_same_question(answered: Path, monkeypatch) -> None:
    monkeypatch.setattr("fourfold.study.api.used_files", tuple)  # parts of other tests are no part of it
    (folder,) = (answered / "studies").iterdir()
    varied = {"algorithm.optimizer": ["sgd", "adam"]}
    changes = {"budget.steps": 4}
    study = ff.compare("iris-softmax", varied, changes, seeds=2, metric="loss", workspace=answered, watcher=Silence())
    assert study.folder == folder


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--trials", "20"], "--trials 20: of what? --tune says what is searched, as in --tune KEY=LOW:HIGH:log"),
        (["--stack", "allways"], "--stack: no choice called 'allways'; did you mean 'always'?"),
        (["--on", "rey"], "--on: no choice called 'rey'; did you mean 'ray'?"),
        (["iris-softmax"], "the recipe 'iris-softmax' is given twice"),
        (["--use", "gone.py"], "gone.py: no such file or directory"),
    ],
)
def test_a_mistake_is_one_line(options, problem, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*WORDS, *options]) == 2
    assert capsys.readouterr().err == f"error: {problem}\n"
    assert list(tmp_path.iterdir()) == []


def test_too_few_seeds_are_said_before_anything_runs(tmp_path, monkeypatch, capsys) -> None:
    def compare(question, *_):
        assert "note:" in capsys.readouterr().err or len(question.seeds) > 6
        raise InputError("nothing is run here")

    monkeypatch.setattr("fourfold.study.compare.compare", compare)
    monkeypatch.setattr("fourfold.study.local_pool.warm_up", lambda: None)
    said: list[str] = []
    monkeypatch.setattr("fourfold.cli.comparing.note", lambda line: said.append(line) or print(line, file=sys.stderr))
    place = ["--workspace", str(tmp_path)]
    three = "algorithm.optimizer=sgd,adam,momentum"
    assert main(["compare", "iris-softmax", "--vary", three, "--seeds", "4", *place]) == 2
    because = "even a win at every seed could be chance; that takes"
    assert said == [f"note: 4 seeds cannot decide 2 comparisons at once: {because} 7 (--seeds)"]
    assert main([*WORDS, *place]) == 2
    assert said[1:] == [f"note: 2 seeds cannot decide: {because} 6 (--seeds)"]
    assert main(["compare", "iris-softmax", "--vary", three, "--seeds", "7", *place]) == 2
    assert len(said) == 2


COMMANDS = [WORDS, ["claim", "affine-collapse"], ["history", "--data", "iris"], ["decompose", "curve-mlp"]]


@pytest.mark.promise("R9")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_workspace_that_cannot_be_is_refused_before_anything_runs(command, tmp_path, monkeypatch, capsys) -> None:
    file, kept = tmp_path / "notes.txt", tmp_path / "kept"
    file.write_text("mine", encoding="utf-8")
    kept.mkdir()
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != kept and may(path, mode))  # who is root may anything
    for workspace, problem in [
        (file, "not a folder"),
        (file / "runs", f"{file}: not a folder"),
        (kept, "no permission to write in it"),
        (kept / "a" / "b", f"{kept}: no permission to write in it"),
    ]:
        assert main([*command, "--workspace", str(workspace)]) == 2
        assert capsys.readouterr().err == f"error: workspace {workspace}: {problem}\n"
    assert (sorted(tmp_path.iterdir()), list(kept.iterdir())) == ([kept, file], [])


@pytest.mark.promise("R9")
def test_a_mistyped_study_is_offered_the_nearest(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = (answered / "studies").iterdir()
    wrong = folder.name[:-3] + "xyz"
    assert main(["report", wrong, "--workspace", str(answered)]) == 2
    says = f"error: no run or study '{wrong}' in {answered}; did you mean '{folder.name}'?\n"
    assert capsys.readouterr().err == says
    assert main(["show", wrong, "--workspace", str(answered)]) == 2
    assert f"; did you mean '{folder.name}'?\n" in capsys.readouterr().err


def test_a_random_search_is_called_one(answered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fourfold.cli.study_table import print_study

    (folder,) = (answered / "studies").iterdir()
    study: dict[str, Any] = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    print_study(study, folder)
    assert "random" not in capsys.readouterr().out
    for trials, is_random in ((10, True), (11, False)):
        asked = {**study["asked"], "tune": ["algorithm.optimizer.lr=0.001:1:log"], "trials": trials}
        print_study({**study, "asked": asked, "sampler": "TPE"}, folder)
        out = capsys.readouterr().out
        assert f"tuned algorithm.optimizer.lr=0.001:1:log: TPE, {trials} trials for each arm and seed" in out
        assert ("TPE draws its first 10 at random, so this is a random search" in out) == is_random


def test_without_anything_varied_a_recipe_has_its_spread(tmp_path: Path, capsys) -> None:
    words = ["compare", "iris-softmax", "budget.steps=4", "--seeds", "3", "--workspace", str(tmp_path)]
    assert main([*words, "--json"]) == 0
    *_, last = (out := capsys.readouterr().out).splitlines()
    study = json.loads(last)
    (arm,) = study["problems"][0]["arms"]
    scores = [
        ff.run("iris-softmax", {"budget.steps": 4, "data.split_seed": None}, seed=seed, workspace=tmp_path)
        for seed in range(3)
    ]
    assert [cell["score"] for cell in arm["cells"]] == [run.result["metrics"]["test"]["accuracy"] for run in scores]
    assert study["problems"][0]["comparisons"] == []
    assert f"{100 * arm['mean']:.2f}\u00a0%" in out
    assert f"{100 * arm['deviation']:.2f}\u00a0%" in out
    assert "nothing was varied; --vary KEY=A,B compares" in out
    page = (Path(study["folder"]) / "study.html").read_text(encoding="utf-8")
    assert "iris-softmax, over 3 seeds" in page
    assert "compared with" not in page
    assert main([*words[:-4], "--seeds", "2", "--workspace", str(tmp_path), "--quiet"]) == 0
    assert main(["list", "studies", "--workspace", str(tmp_path)]) == 0
    assert "iris-softmax: as it is; 3 seeds" in capsys.readouterr().out


def test_an_arm_may_begin_from_a_run_by_its_id(answered: Path, capsys) -> None:
    place = ["--workspace", str(answered), "--quiet"]
    assert main(["run", "iris-softmax", "budget.steps=4", "budget.epochs=null", *place]) == 0
    words = ["compare", "iris-softmax", "budget.steps=4", "--vary", "weights=null,iris-softmax-1", "--seeds", "1"]
    assert main([*words, *place, "--json"]) == 0
    (problem,) = json.loads(capsys.readouterr().out.splitlines()[-1])["problems"]
    assert [arm["overrides"]["weights"] for arm in problem["arms"]] == [None, str(answered / "iris-softmax-1")]


def test_studies_are_listed_with_what_they_compared(answered: Path, tmp_path: Path, capsys) -> None:
    (name,) = (path.name for path in (answered / "studies").glob("iris-softmax-optimizer-*"))
    assert main(["list", "studies", "--workspace", str(answered)]) == 0
    assert f"{name}  iris-softmax: sgd, adam; 2 seeds" in capsys.readouterr().out
    assert main(["list", "studies", "--workspace", str(answered), "--json"]) == 0
    assert name in json.loads(capsys.readouterr().out)["studies"]
    assert main(["list", "--workspace", str(answered)]) == 0
    assert f"{name}" in capsys.readouterr().out
    damaged = tmp_path / "studies" / "a-1"
    damaged.mkdir(parents=True)
    (damaged / "study.json").write_text("{}", encoding="utf-8")
    assert main(["list", "studies", "--workspace", str(tmp_path)]) == 0
    assert "written by another version" in " ".join(capsys.readouterr().out.split())
    assert main(["list", "studies", "--workspace", str(tmp_path / "none")]) == 0
    assert "no studies in" in capsys.readouterr().out
