"""What `list runs` and `show RUN` say: of this workspace's folders, and of what only a shared database knows."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fourfold.cli import main
from fourfold.records import folder
from fourfold.records.folder import RunFolder
from fourfold.records.listing import list_runs

SCORES = {"headline": "accuracy", "steps": 7, "metrics": {"test": {"loss": 0.25, "accuracy": 0.5}}}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("FOURFOLD_DB", raising=False)
    monkeypatch.setenv("FOURFOLD_WORKSPACE", str(tmp_path / "내 실험"))
    return tmp_path / "내 실험"


@pytest.fixture
def make(workspace: Path) -> Callable[..., RunFolder]:
    def make_run(name: str, where: Path = workspace) -> RunFolder:
        run = RunFolder.create(where, name, {"model": {"name": "mlp"}, "seed": 3}, {})
        run.write_result("done", SCORES)
        return run

    return make_run


@pytest.fixture
def elsewhere(make, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of another machine and one of another workspace of this machine, in a shared database."""
    monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/shared.db")
    with monkeypatch.context() as patch:
        patch.setattr("fourfold.records.rows.platform.node", lambda: "gpu-box")
        make("theirs", tmp_path / "theirs")
        list_runs(tmp_path / "theirs")
    shutil.rmtree(tmp_path / "theirs")  # their disk is not ours
    make("other", tmp_path / "other")
    list_runs(tmp_path / "other")
    return tmp_path / "other"


def lines(capsys) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_each_run_has_a_line_the_newest_first(make, capsys, monkeypatch):
    times = iter([f"2026-01-0{day}T10:20:30" for day in (2, 9, 1, 9, 3, 9)])  # each run is made, and ends
    monkeypatch.setattr(folder, "_now", lambda: next(times))
    for name in ("a", "손글씨", "c"):
        make(name)
    assert main(["list", "runs"]) == 0
    assert lines(capsys) == [
        "run       status  test score    seed  made (UTC)        note",
        "c-1       done    accuracy 0.5  3     2026-01-03 10:20",
        "a-1       done    accuracy 0.5  3     2026-01-02 10:20",
        "손글씨-1  done    accuracy 0.5  3     2026-01-01 10:20",
    ]


@pytest.mark.parametrize("word", ["models", "model"])
def test_one_kind_of_part_is_listed_with_its_sizes_under_their_family(word, workspace: Path, capsys):
    assert main(["list", word]) == 0
    shown = lines(capsys)
    row = next(i for i, line in enumerate(shown) if line.split()[:1] == ["vgg"])
    sizes = "vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn"
    assert shown[row + 1].strip() == sizes
    assert not any("vgg16" in line for i, line in enumerate(shown) if i != row + 1)
    assert not any("cross_entropy" in line for line in shown)
    assert main(["list", word, "--json"]) == 0
    assert "vgg16_bn" in json.loads(lines(capsys)[-1])[word]


def test_plurals_are_words_and_others_are_told_the_nearest(workspace: Path, capsys):
    for word in ("losses", "data", "optimizers", "schedules", "regularizers", "algorithms"):
        assert main(["list", word]) == 0, word
    assert main(["list", "losess"]) == 2
    assert "cannot list 'losess'; did you mean 'losses'?" in capsys.readouterr().err


def test_what_is_wrong_stands_at_the_end_and_moves_no_column(make, workspace: Path, capsys):
    make("a")
    (make("bad").path / "run.json").write_text("{", encoding="utf-8")
    (make("b").path).rename(workspace / "b\x1b[31m")  # a name that would colour the terminal
    assert main(["list", "runs"]) == 0
    shown = lines(capsys)
    assert shown[-1].startswith("bad-1")
    assert "  " not in shown[-1][shown[0].index("note") :]
    assert "bad-1/run.json: damaged: not JSON" in shown[-1][shown[0].index("note") :]
    assert all(line.index("accuracy") == shown[0].index("test score") for line in shown[1:3])
    assert "\x1b" not in "".join(shown)
    assert any(line.startswith("b\\x1b[31m ") for line in shown)


def test_json_has_the_rows_of_the_records(make, workspace: Path, capsys):
    make("a")
    assert main(["list", "runs", "--json"]) == 0
    assert json.loads(lines(capsys)[-1])["runs"] == [row.to_mapping() for row in list_runs(workspace)]


@pytest.mark.promise("R17")
@pytest.mark.parametrize("command", [["list"], ["list", "runs"], ["list", "runs", "--json"]])
def test_a_list_reads_no_recipe_and_lays_out_no_table(make, monkeypatch, capsys, command: list[str]):
    """What keeps 10,000 runs under 2 s: a recipe takes 3 ms to read, a row of a rich table half of one."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("slow")

    make("a")
    monkeypatch.setattr("fourfold.cli.listing._recipes", dict)
    monkeypatch.setattr("fourfold.records.folder.read_yaml", refuse)
    monkeypatch.setattr("rich.table.Table.add_row", refuse)
    assert main(command) == 0
    assert "a-1" in capsys.readouterr().out


def test_runs_that_only_a_shared_database_knows_are_listed(elsewhere: Path, make, tmp_path: Path, capsys):
    make("mine")
    assert main(["list", "runs"]) == 0
    notes = {line.split()[0]: line.rpartition("  ")[2] for line in lines(capsys)}
    assert notes["theirs-1"] == f"on gpu-box: {tmp_path}/theirs/theirs-1"
    assert notes["other-1"] == str(elsewhere / "other-1")
    assert str(tmp_path) not in notes["mine-1"]
    assert main(["list"]) == 0  # at once: it asks no database
    assert "(1 in" in (line := lines(capsys)[-2])
    assert line.endswith(" mine-1 (accuracy 0.5)")


def test_everything_names_the_newest_runs_with_their_scores(make, workspace: Path, capsys):
    for name in ("old", "b", "c", "d", "e"):
        make(name)
    RunFolder.create(workspace, "f\x1b[31m", {"model": {"name": "mlp"}, "seed": 3}, {}).write_result(
        "interrupted", {**SCORES, "metrics": {}}
    )
    assert main(["list"]) == 0
    line = lines(capsys)[-2]
    newest = [f"{name}-1 (accuracy 0.5)" for name in "edcb"]
    assert line.startswith("runs (6 in ")
    assert sorted(line.split(") ", 1)[1].split(", ")[1:-1]) == sorted(newest)
    assert "-1 (interrupted), " in line
    assert line.endswith(", …")
    assert "\x1b" not in line


def test_a_run_elsewhere_is_shown(elsewhere: Path, make, tmp_path: Path, capsys):
    make("mine")
    assert main(["show", "theirs-1"]) == 0
    shown = capsys.readouterr().out
    for words in ("theirs-1", "done, seed 3", "accuracy", "7 steps", f"{tmp_path}/theirs/theirs-1 on gpu-box"):
        assert words in shown
    assert main(["show", "theirs-1", "--json"]) == 0
    found = json.loads(lines(capsys)[-1])
    assert (found["host"], found["steps"], found["metrics"]) == ("gpu-box", 7, SCORES["metrics"])
    assert main(["show", "theirs-1", "--yaml"]) == 2
    assert "its recipe is in its folder, on gpu-box" in capsys.readouterr().err
    assert main(["show", "theirs-2"]) == 2
    assert "did you mean 'theirs-1'" in capsys.readouterr().err
    make("theirs")
    assert main(["show", "theirs-1"]) == 0  # one's own comes first
    assert "gpu-box" not in capsys.readouterr().out


def test_a_workspace_that_was_deleted_is_said_to_be_gone(elsewhere: Path, capsys):
    shutil.rmtree(elsewhere)
    assert main(["list", "runs"]) == 0
    assert next(line for line in lines(capsys) if "other-1" in line).endswith("other-1: no such folder any more")


@pytest.mark.promise("R17")
def test_a_database_out_of_reach_is_one_line_and_hides_no_folder(make, tmp_path: Path, monkeypatch):
    """In a process of its own: what is said must reach the terminal."""
    make("mine")
    (tmp_path / "file").touch()
    monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/file/shared.db")
    for command in (["list", "runs"], ["show", "nothing-1"], ["list"], ["show", "mine-1"]):
        done = subprocess.run([sys.executable, "-m", "fourfold", *command], capture_output=True, text=True)
        warnings = [line for line in done.stderr.splitlines() if "only the runs in" in line]
        assert len(warnings) == (command in (["list", "runs"], ["show", "nothing-1"]))
        assert done.stderr.count("\n") == len(warnings) + (command == ["show", "nothing-1"])
        assert "mine-1" in done.stdout or command == ["show", "nothing-1"]
