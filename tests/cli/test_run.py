"""Commands on a real, small run, as a user types them."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fourfold.cli import main
from fourfold.core.words import counted

KEYS = {
    "run_id", "folder", "recipe", "seed", "status", "steps", "metrics", "params", "seconds", "examples_per_second",
}  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    place = tmp_path_factory.mktemp("작업 공간")
    assert main(["run", "xor-mlp", "--workspace", str(place), "--quiet", "--seed", "3"]) == 0
    return place


def answer(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_run_answers_with_the_fixed_names(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FOURFOLD_WORKSPACE", str(tmp_path / "여기"))
    assert main(["run", "digits-mlp", "budget.epochs=1", "model.widths=[8]", "--seed", "5", "--json"]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    result = json.loads(out)
    assert set(result) >= KEYS
    assert set(result["metrics"]) == {"train", "validation", "test"}
    assert (result["status"], result["seed"], result["steps"]) == ("done", 5, 40)
    assert result["params"] == 64 * 8 + 8 + 8 * 10 + 10
    assert result["folder"] == str(tmp_path / "여기" / "digits-mlp-1")
    assert (tmp_path / "여기" / "digits-mlp-1" / "checkpoints" / "last" / "model.safetensors").is_file()
    assert "fourfold report digits-mlp-1" in err


def test_what_to_type_next_names_the_run_where_it_is(tmp_path, monkeypatch, capsys):
    """A name means the usual workspace, and another run of that name may stand there."""
    monkeypatch.setenv("FOURFOLD_WORKSPACE", str(tmp_path / "usual"))
    elsewhere = tmp_path / "my runs"
    assert main(["run", "xor-mlp", "budget.epochs=1", "--workspace", str(elsewhere)]) == 0
    run = f"'{elsewhere / 'xor-mlp-1'}'"
    assert f"next:   fourfold report {run}   ·   fourfold predict {run} " in capsys.readouterr().err.replace("\n", "")
    assert main(["show", str(elsewhere / "xor-mlp-1")]) == 0
    assert f"next:   fourfold report {run}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_workspace_that_is_a_file_is_bad_input(command, tmp_path, capsys):
    file = tmp_path / "houses.csv"
    file.write_text("a,b\n")
    varied = ["--vary", "model.widths=[2],[3]"] if command == "compare" else []
    assert main([command, "xor-mlp", *varied, "--workspace", str(file)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"error: workspace {file}: not a folder"


def test_quiet_says_nothing(tmp_path, capsys):
    assert main(["run", "xor-mlp", "--workspace", str(tmp_path), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_evaluate_repeats_the_recorded_scores(workspace, capsys):
    recorded = json.loads((workspace / "xor-mlp-1" / "result.json").read_text(encoding="utf-8"))["metrics"]
    assert main(["evaluate", "xor-mlp-1", "--workspace", str(workspace), "--json"]) == 0
    result = answer(capsys)
    assert set(result) >= KEYS
    assert result["metrics"] == recorded
    assert main(["evaluate", "xor-mlp-1", "--split", "train", "--workspace", str(workspace), "--json"]) == 0
    assert answer(capsys)["metrics"] == {"train": recorded["train"]}


def test_evaluate_computes_in_the_precision_that_was_trained_in(tmp_path, capsys):
    changes = ["runtime.precision=bf16", "budget.epochs=1", "model.widths=[8]"]
    assert main(["run", "digits-mlp", *changes, "--workspace", str(tmp_path), "--quiet"]) == 0
    recorded = json.loads((tmp_path / "digits-mlp-1" / "result.json").read_text(encoding="utf-8"))["metrics"]
    assert main(["evaluate", "digits-mlp-1", "--workspace", str(tmp_path), "--json"]) == 0
    assert answer(capsys)["metrics"] == recorded


def test_predict_reads_rows_files_and_stdin_alike(workspace, tmp_path, capsys, monkeypatch):
    common = ["--workspace", str(workspace), "--json"]
    names = _input_names(workspace)
    table = [dict(zip(names, bits, strict=True)) for bits in ((0, 0), (0, 1), (1, 0), (1, 1))]
    file = tmp_path / "진리표.csv"
    with open(file, "w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, names)
        writer.writeheader()
        writer.writerows(table)
    (tmp_path / "rows.json").write_text(json.dumps(table), encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, table)), encoding="utf-8")
    answers = []
    for name in ("진리표.csv", "rows.json", "rows.jsonl"):
        assert main(["predict", "xor-mlp-1", str(tmp_path / name), *common]) == 0
        answers.append(answer(capsys)["predictions"])
    options = [part for row in table for part in ("--row", json.dumps(row))]
    assert main(["predict", "xor-mlp-1", *options, *common]) == 0
    answers.append(answer(capsys)["predictions"])
    assert [row["class"] for row in answers[0]] == ["0", "1", "1", "0"]
    assert all(each == answers[0] for each in answers)
    assert main(["predict", "xor-mlp-1", f"{names[0]}=1", f"{names[1]}=0", *common]) == 0
    single = answer(capsys)["predictions"][0]
    assert single["probabilities"] == pytest.approx(answers[0][2]["probabilities"])
    command = [sys.executable, "-m", "fourfold", "predict", "xor-mlp-1", "-", *common]
    done = subprocess.run(command, input=file.read_bytes(), capture_output=True, env={**os.environ, "LC_ALL": "C"})
    assert json.loads(done.stdout)["predictions"] == answers[0]


def _input_names(workspace):
    return json.loads((workspace / "xor-mlp-1" / "inputs.json").read_text(encoding="utf-8"))["spec"]["input"]["names"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "nothing to predict"),
        (["nope.csv"], "no such file"),
        (["--row", "{"], "not JSON"),
        (["--row", "3"], "expected"),
        (["a=1", "nope.csv"], "not both"),
    ],
)
def test_predict_refuses_in_one_line(workspace, arguments, problem, capsys):
    assert main(["predict", "xor-mlp-1", *arguments, "--workspace", str(workspace)]) == 2
    err = capsys.readouterr().err
    assert problem in err
    assert err.count("\n") == 1


def test_a_diverged_run_exits_3_and_says_which(tmp_path, capsys):
    changes = ["algorithm.optimizer=sgd", "algorithm.optimizer.lr=1e30"]
    assert main(["run", "digits-mlp", *changes, "--workspace", str(tmp_path), "--json"]) == 3
    out, err = capsys.readouterr()
    result = json.loads(out.splitlines()[-1])
    assert result["status"] == "diverged"
    assert result["folder"] == str(tmp_path / "digits-mlp-1")
    assert "not finite" in result["error"]
    assert result["error"].startswith(f"step {result['steps']}: ")
    assert f"diverged: {counted(result['steps'], 'step')} in " in err
    assert [line for line in err.splitlines() if line.startswith("error: ")] == [f"error: {result['error']}"]


def test_a_finished_run_is_said_to_be_done_already(workspace, capsys):
    assert main(["resume", "xor-mlp-1", "--workspace", str(workspace)]) == 0
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "xor-mlp-1: done already, so there is nothing to go on with; this is its result"
    assert any("accuracy" in line for line in rest)
    assert main(["resume", "xor-mlp-1", "--workspace", str(workspace), "--quiet", "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["status"], err) == ("done", "")


@pytest.mark.promise("R4")
def test_an_interrupted_run_exits_130_and_is_resumed(tmp_path, capsys):
    changes = ["budget.epochs=100000", "model.widths=[4]"]
    command = [sys.executable, "-m", "fourfold", "run", "digits-mlp", *changes, "--json", "--workspace", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "digits-mlp-1" / "run.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "interrupted"
    assert f"fourfold resume {tmp_path / 'digits-mlp-1'}" in err
    assert main(["list", "runs", "--workspace", str(tmp_path)]) == 0
    assert "interrupted" in capsys.readouterr().out


def test_cross_validation_gives_a_spread(tmp_path, capsys):
    changes = ["data.folds=3", "budget.epochs=1", "model.widths=[4]"]
    assert main(["run", "digits-mlp", *changes, "--workspace", str(tmp_path), "--json"]) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert result["folds"] == ["digits-mlp-1", "digits-mlp-2", "digits-mlp-3"]
    assert result["spread"]["validation"]["accuracy"] > 0
    assert "±" in err


def test_curves_go_to_tensorboard_too(tmp_path, capsys):
    event_file = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert main(["run", "xor-mlp", "--track", "tensorboard", "--workspace", str(tmp_path), "--quiet"]) == 0
    events = event_file.EventAccumulator(str(tmp_path / "xor-mlp-1" / "tensorboard")).Reload()
    from fourfold.run.api import open_run

    curve = open_run("xor-mlp-1", tmp_path).curve("train.loss")
    assert [(e.step, e.value) for e in events.Scalars("train/loss")] == [(s, pytest.approx(v)) for s, v in curve]


def test_a_resumed_run_can_be_tracked(tmp_path, capsys):
    event_file = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from fourfold.run.api import open_run
    from fourfold.run.watch import Watcher

    class Impatient(Watcher):
        def progressed(self, step, metrics, examples_per_second):
            if step >= 40:
                signal.raise_signal(signal.SIGTERM)

    from fourfold.run.api import run

    changes = {"budget.steps": 100, "budget.log_every": 10, "budget.validate_every": 20}
    assert run("xor-mlp", changes, workspace=tmp_path, watcher=Impatient()).status == "interrupted"
    common = ["resume", "xor-mlp-1", "--workspace", str(tmp_path)]
    assert main([*common, "--track", "tensorbord"]) == 2
    assert "did you mean 'tensorboard'" in capsys.readouterr().err
    assert open_run("xor-mlp-1", tmp_path).status == "interrupted"
    assert main([*common, "--track", "tensorboard", "--quiet"]) == 0
    events = event_file.EventAccumulator(str(tmp_path / "xor-mlp-1" / "tensorboard")).Reload()
    curve = [step for step, _ in open_run("xor-mlp-1", tmp_path).curve("train.loss")]
    tracked = [event.step for event in events.Scalars("train/loss")]
    assert tracked == [step for step in curve if step >= tracked[0]]
    assert 40 <= tracked[0] <= 50
    assert tracked[-1] == 100


def test_a_part_of_ones_own(tmp_path, capsys):
    own = tmp_path / "내 부품.py"
    own.write_text(
        "from typing import Literal\n"
        "from fourfold.models.mlp import MLPConfig\n"
        "class Own(MLPConfig):\n    'mine'\n    name: Literal['own'] = 'own'\n"
        "PARTS = {'model': {'own_for_test': Own}}\n",
        encoding="utf-8",
    )
    own.write_text(own.read_text(encoding="utf-8").replace("'own'", "'own_for_test'"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "fourfold", "show", "own_for_test", "--json", "--use", str(own)],
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert json.loads(done.stdout)["params"] == 784 * 128 + 128 + 1280 + 10, done.stderr
    place = ["--workspace", str(tmp_path / "runs")]
    words = ["run", "digits-mlp", "model=own_for_test", "budget.steps=2", "budget.epochs=null", *place, "--quiet"]
    assert subprocess.run([sys.executable, "-m", "fourfold", *words, "--use", str(own)], check=False).returncode == 0
    assert main(["evaluate", "digits-mlp-1", *place]) == 2
    said = capsys.readouterr().err
    assert "digits-mlp-1: model: no model called 'own_for_test'" in said
    assert "needs --use FILE again" in said


def test_import_copies_a_run(workspace, tmp_path, capsys):
    assert main(["import", str(workspace / "xor-mlp-1"), "--workspace", str(tmp_path), "--json"]) == 0
    assert answer(capsys)["run_id"] == "xor-mlp-1"
    assert main(["predict", "xor-mlp-1", "--row", "[1, 0]", "--workspace", str(tmp_path), "--json"]) == 0
    assert answer(capsys)["predictions"][0]["class"] == "1"
    assert main(["import", str(workspace / "xor-mlp-1"), "--workspace", str(tmp_path)]) == 2


def test_export_says_where_and_how_equal(workspace, tmp_path, capsys):
    target = tmp_path / "모델.safetensors"
    assert main(["export", "xor-mlp-1", "--to", str(target), "--workspace", str(workspace), "--json"]) == 0
    result = answer(capsys)
    assert result["path"] == str(target)
    assert result["max_difference"] == 0
    assert target.is_file()
