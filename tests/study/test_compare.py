"""Whole studies, in the processes that they run in: paired, kept, and the same however they were interrupted."""

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from part_tables import tables_restored
from slow_part import write_slow_part

from fourfold.core.errors import InputError
from fourfold.records.folder import RunFolder
from fourfold.run.parts import recipe_fields, use_file
from fourfold.study.answer import read_answer
from fourfold.study.cells import Cell, Stack
from fourfold.study.compare import compare, resolve, stacks_of
from fourfold.study.design import Arm, arms_of, parse_space
from fourfold.study.question import Question

OPTIMIZERS = {"algorithm.optimizer": ["sgd", "adam"]}
SHORT = {"epochs": 2, "batch_size": 32}


def question(varied: dict[str, list[Any]] = OPTIMIZERS, seeds: int = 2, **more: Any) -> Question:
    name, fields = recipe_fields("iris-softmax")
    return Question({name: {**fields, "budget": SHORT}}, arms_of(varied), list(range(seeds)), **more)


def cells(workspace: Path) -> set[str]:
    return {path.name for path in (workspace / "cells").iterdir() if path.is_dir()}


def content(asked: Question, workspace: Path) -> bytes:
    return (asked.folder(workspace) / "study.json").read_bytes()


def test_a_study_runs_every_cell_once_and_never_again(tmp_path: Path) -> None:
    asked = question()
    study = compare(asked, tmp_path)
    assert [len(arm["cells"]) for arm in study["problems"][0]["arms"]] == [2, 2]
    assert len(cells(tmp_path)) == 4
    before = content(asked, tmp_path)
    assert read_answer(asked, tmp_path) == json.loads(before)
    file, misshapen = asked.folder(tmp_path) / "study.json", json.loads(before)
    del misshapen["problems"][0]["arms"]
    file.write_text(json.dumps(misshapen), encoding="utf-8")
    assert read_answer(asked, tmp_path) is None, "it is made again, not read"
    compare(asked, tmp_path)
    assert content(asked, tmp_path) == before
    assert len(cells(tmp_path)) == 4
    compare(question(seeds=3), tmp_path)
    assert len(cells(tmp_path)) == 6, "only the new seed ran"


def test_a_cell_is_the_run_that_fourfold_run_makes(tmp_path: Path) -> None:
    import fourfold as ff

    study = compare(question(), tmp_path)
    cell = study["problems"][0]["arms"][1]["cells"][1]
    run = ff.run(
        "iris-softmax",
        {"budget": SHORT, "algorithm.optimizer": "adam", "runtime.threads": 1, "data.split_seed": None},
        seed=1,
        workspace=tmp_path / "alone",
    )
    assert run.metrics["test"]["accuracy"] == cell["score"]
    assert ff.open_run(cell["folder"], workspace=tmp_path / "cells").metrics == run.metrics


@pytest.mark.promise("R15")
def test_arms_differ_in_what_is_varied_and_in_nothing_else() -> None:
    first, second = resolve(question({"algorithm.optimizer.lr": [0.1, 0.2]}))["iris-softmax"]
    mine, theirs = first.to_mapping(), second.to_mapping()
    assert mine["algorithm"]["optimizer"].pop("lr") == 0.1
    assert theirs["algorithm"]["optimizer"].pop("lr") == 0.2
    assert mine == theirs


@pytest.mark.promise("R15")
def test_the_arms_of_a_seed_see_the_same_split_order_and_first_weights(tmp_path: Path) -> None:
    from fourfold.run.build import build_parts
    from fourfold.tasks.seam import Order

    def seen(recipe: Any, seed: int) -> list[float]:
        parts = build_parts(recipe.model_copy(update={"seed": seed}))
        batch = next(parts.source.train(Order(seed, 8)))
        return [float(batch.inputs[0].double().sum()), float(next(parts.model.parameters()).detach().double().sum())]

    name, fields = recipe_fields("iris-softmax")
    arms = arms_of({"algorithm.optimizer.lr": [0.1, 0.2]})
    asked = Question({name: {**fields, "model": "mlp"}}, arms, [0])  # whose first weights are drawn
    first, second = resolve(asked)["iris-softmax"]
    assert seen(first, 0) == seen(second, 0)
    assert seen(first, 1) == seen(second, 1)
    assert all(a != b for a, b in zip(seen(first, 0), seen(first, 1), strict=True))


def test_the_split_varies_with_the_seed_unless_the_recipe_says_otherwise() -> None:
    recipes = resolve(question({"data.split_seed": [3, None]}))["iris-softmax"]
    assert [recipe.data.to_mapping()["split_seed"] for recipe in recipes] == [3, None]
    (recipe, _) = resolve(question())["iris-softmax"]
    assert recipe.data.to_mapping()["split_seed"] is None


def test_a_split_inside_of_the_data_varies_too_unless_it_is_said() -> None:
    fields = recipe_fields("mnist-dcgan")[1]
    of = {"name": "emoji", "split_seed": 3}
    asked = Question({"mnist-dcgan": fields}, arms_of({"data.of": ["digits", "emoji", of]}), [0, 1])
    recipes = resolve(asked)["mnist-dcgan"]
    assert [recipe.to_mapping()["data"]["of"]["split_seed"] for recipe in recipes] == [None, None, 3]


def test_an_answer_does_not_stand_when_a_run_or_a_data_file_is_gone(tmp_path: Path) -> None:
    table = tmp_path / "flowers.csv"
    rows = "".join(f"{i % 7},{i % 5},{'rose' if i % 2 else 'lily'}\n" for i in range(60))
    table.write_text("petals,leaves,kind\n" + rows, encoding="utf-8")
    name, fields = recipe_fields("table-mlp")
    fields = {**fields, "data": {"name": "table", "path": str(table), "target": "kind"}, "budget": SHORT}
    asked = Question({name: fields}, arms_of(OPTIMIZERS), [0])
    compare(asked, tmp_path)
    assert read_answer(asked, tmp_path) is not None
    table.write_text("petals,leaves,kind\n" + rows.replace("rose", "tulip"), encoding="utf-8")
    assert read_answer(asked, tmp_path) is None
    table.write_text("petals,leaves,kind\n" + rows, encoding="utf-8")
    assert read_answer(asked, tmp_path) is not None
    gone = next(path for path in (tmp_path / "cells").iterdir() if path.is_dir())
    (gone / "result.json").unlink()
    assert read_answer(asked, tmp_path) is None


def test_an_answer_does_not_stand_when_the_file_of_a_later_arm_has_changed(tmp_path: Path) -> None:
    rows = "".join(f"{i % 7},{i % 5},{'rose' if i % 2 else 'lily'}\n" for i in range(60))
    for file in ("first.csv", "second.csv"):
        (tmp_path / file).write_text("petals,leaves,kind\n" + rows, encoding="utf-8")
    name, fields = recipe_fields("table-mlp")
    fields = {**fields, "data": {"name": "table", "path": "", "target": "kind"}, "budget": SHORT}
    paths = [str(tmp_path / "first.csv"), str(tmp_path / "second.csv")]
    asked = Question({name: fields}, arms_of({"data.path": paths}), [0])
    compare(asked, tmp_path)
    assert read_answer(asked, tmp_path) is not None
    (tmp_path / "second.csv").write_text("petals,leaves,kind\n" + rows[:-30], encoding="utf-8")
    assert read_answer(asked, tmp_path) is None


def test_damaged_files_of_a_cell_cost_that_cell_and_not_the_study(tmp_path: Path) -> None:
    asked = question()
    compare(asked, tmp_path)
    before, names = content(asked, tmp_path), cells(tmp_path)
    first, second, third, fourth = sorted(names)
    damage(tmp_path, first, "result.json", "{")
    damage(tmp_path, second, "cost.json", "{")
    damage(tmp_path, third, "result.json", '{"status": "done"}')
    damage(tmp_path, fourth, "result.json", '{"status": "failed"}')
    compare(asked, tmp_path)
    assert content(asked, tmp_path) == before
    aside = {f"{first}.damaged", f"{third}.damaged", f"{fourth}.failed"}
    assert cells(tmp_path) == names | aside
    damage(tmp_path, first, "run.json", "{")
    compare(asked, tmp_path)
    assert content(asked, tmp_path) == before
    assert cells(tmp_path) == names | aside | {f"{first}.damaged-2"}


def test_damaged_files_of_a_stacked_cell_cost_that_cell(tmp_path: Path) -> None:
    asked = question(stack="always")
    compare(asked, tmp_path)
    before, names = content(asked, tmp_path), cells(tmp_path)
    damage(tmp_path, min(names), "result.json", '{"status": "done", "metrics": {"train": {}}}')
    compare(asked, tmp_path)
    assert content(asked, tmp_path) == before
    assert cells(tmp_path) == names | {f"{min(names)}.damaged"}


def damage(workspace: Path, cell: str, file: str, text: str) -> None:
    (workspace / "cells" / cell / file).write_text(text, encoding="utf-8")


def test_a_changed_table_is_trained_on_anew(tmp_path: Path) -> None:
    table = tmp_path / "flowers.csv"
    rows = [f"{i % 7},{i % 5},{'rose' if i % 7 > 3 else 'lily'}\n" for i in range(60)]
    table.write_text("petals,leaves,kind\n" + "".join(rows), encoding="utf-8")
    name, fields = recipe_fields("table-mlp")
    fields = {**fields, "data": {"name": "table", "path": str(table), "target": "kind"}, "budget": SHORT}
    asked = Question({name: fields}, arms_of(OPTIMIZERS), [0], metric="test.loss")

    def losses() -> list[float]:
        return [arm["cells"][0]["score"] for arm in compare(asked, tmp_path)["problems"][0]["arms"]]

    before = losses()
    changed = [row.replace("lily", "rose") if i % 3 else row for i, row in enumerate(rows)]
    table.write_text("petals,leaves,kind\n" + "".join(changed), encoding="utf-8")
    after = losses()
    assert all(a != b for a, b in zip(before, after, strict=True)), "the old cells answered for the new table"
    table.write_text("petals,leaves,kind\n" + "".join(rows), encoding="utf-8")
    assert losses() == before
    assert len(cells(tmp_path)) == 4, "and the old table's cells are still there"


def test_a_changed_part_is_another_cell() -> None:
    cell = Cell("iris-softmax", {"seed": 0}, {"own.py": "aa"})
    assert cell.key != Cell("iris-softmax", {"seed": 0}, {"own.py": "bb"}).key
    assert cell.key != Cell("iris-softmax", {"seed": 0}).key
    assert cell.key == Cell("iris-softmax", {"seed": 0}, {"moved/own.py": "aa"}).key


def test_a_cell_that_diverges_is_told(tmp_path: Path) -> None:
    name, fields = recipe_fields("iris-softmax")
    fields = {**fields, "model": "mlp", "budget": SHORT}
    arms = arms_of({"algorithm.optimizer": [{"name": "sgd", "lr": 1e38}, "adam"]})
    study = compare(Question({name: fields}, arms, [0, 1]), tmp_path)
    bad, good = study["problems"][0]["arms"]
    assert [cell["status"] for cell in bad["cells"]] == ["diverged", "diverged"]
    assert bad["mean"] is None
    assert "step" in bad["cells"][0]["because"]
    assert good["finished"] == 2
    assert study["unfair"] == ["unequal numbers of finished seeds: 'adam' 2, and 'sgd lr=1e+38' 0"]
    row = study["problems"][0]["comparisons"][0]
    assert (row["verdict"], row["n"]) == ("undecided", 0)
    assert study["complete"], "it would diverge again"


@pytest.mark.promise("R15")
def test_tuning_is_equal_for_all_and_sees_no_test_split(tmp_path: Path) -> None:
    asked = question(spaces=[parse_space("algorithm.optimizer.lr=1e-3:1:log")], trials=3)
    study = compare(asked, tmp_path)
    arms = study["problems"][0]["arms"]
    offered = [[[trial["values"] for trial in cell["trials"]] for cell in arm["cells"]] for arm in arms]
    assert [[len(each) for each in arm] for arm in offered] == [[3, 3], [3, 3]]
    assert offered[0] == offered[1], "the same settings are offered to both arms of a seed"
    assert offered[0][0] != offered[0][1], "and others at another seed"
    for arm in arms:
        for cell in arm["cells"]:
            best = max(cell["trials"], key=lambda trial: trial["score"])
            assert cell["tuned"] == best["values"]
            for trial in cell["trials"]:
                (folder,) = (path for path in (tmp_path / "cells").iterdir() if trial["key"] in path.name)
                result = RunFolder.open(folder).result()
                assert result is not None
                assert set(result["metrics"]) == {"train", "validation"}
                assert result["metrics"]["validation"]["accuracy"] == trial["score"]


@pytest.mark.promise("R15")
def test_an_arm_compared_with_itself_makes_no_difference(tmp_path: Path) -> None:
    arms = [Arm("adam", {"algorithm.optimizer": "adam"}), Arm("again", {"algorithm.optimizer": {"name": "adam"}})]
    study = compare(dataclasses.replace(question(), arms=arms), tmp_path)
    (row,) = study["problems"][0]["comparisons"]
    assert (row["difference"], row["verdict"]) == (0.0, "no difference")
    assert len(cells(tmp_path)) == 2, "the same cell is not run twice"


def slow_question(part: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "fourfold", "compare", "iris-softmax", "budget.epochs=8", "budget.batch_size=8"),
        *("budget.checkpoint_every=5", "algorithm=slow", "--vary", "algorithm.optimizer=sgd,adam", "--seeds", "3"),
        *("--use", str(part), "--quiet"),
    ]


def killed_at_random(tmp_path: Path, kills: int, seed: int) -> None:
    command = slow_question(write_slow_part(tmp_path, "slow", 0.004))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    calm = {**environment, "FOURFOLD_WORKSPACE": str(tmp_path / "calm")}
    assert subprocess.run(command, env=calm, check=False).returncode == 0
    usual = time.monotonic() - began
    disturbed = {**environment, "FOURFOLD_WORKSPACE": str(tmp_path / "disturbed")}
    draw = random.Random(seed)
    for _ in range(kills):
        process = subprocess.Popen(command, env=disturbed, start_new_session=True)
        time.sleep(draw.uniform(0.2, usual))
        if draw.random() < 0.5:
            os.kill(process.pid, signal.SIGKILL)  # the study's own process
        else:
            os.killpg(process.pid, signal.SIGKILL)  # all of them
        process.wait()
    assert subprocess.run(command, env=disturbed, check=False).returncode == 0
    (one,), (other,) = ([*(tmp_path / each / "studies").glob("*/study.json")] for each in ("calm", "disturbed"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.promise("R10")
def test_a_study_killed_now_and_then_ends_the_same(tmp_path: Path) -> None:
    killed_at_random(tmp_path, kills=2, seed=0)


@pytest.mark.slow
@pytest.mark.promise("R10")
def test_a_study_killed_twenty_times_ends_the_same(tmp_path: Path) -> None:
    killed_at_random(tmp_path, kills=20, seed=1)


def test_ctrl_c_leaves_and_the_same_command_goes_on(tmp_path: Path) -> None:
    command = slow_question(write_slow_part(tmp_path, "slow", 0.004))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "FOURFOLD_WORKSPACE": str(tmp_path / "runs")}
    process = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and not list((tmp_path / "runs" / "cells").glob("*/metrics.jsonl")):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command goes on" in said
    folders = [RunFolder.open(path) for path in (tmp_path / "runs" / "cells").iterdir() if path.is_dir()]
    assert {folder.status for folder in folders} <= {"done", "interrupted"}
    assert subprocess.run(command, env=environment, check=False).returncode == 0


def test_stacked_cells_score_what_they_score_alone(tmp_path: Path) -> None:
    varied = {"algorithm.optimizer": ["sgd", "adam"]}
    alone = compare(question(varied, seeds=3, metric="test.loss"), tmp_path)
    stacked = compare(question(varied, seeds=3, metric="test.loss", stack="always"), tmp_path)
    assert len(cells(tmp_path)) == 12, "a stacked cell differs by rounding, so it is a cell of its own"
    for mine, theirs in zip(stacked["problems"][0]["arms"], alone["problems"][0]["arms"], strict=True):
        for a, b in zip(mine["cells"], theirs["cells"], strict=True):
            assert a["score"] == pytest.approx(b["score"], rel=1e-5)
            result = RunFolder.open(tmp_path / "cells" / a["folder"]).result()
            assert result is not None
            assert any("stack" in note for note in result["notes"])


def test_what_cannot_be_stacked_is_told_or_left_alone(tmp_path: Path) -> None:
    varied = {"model": ["softmax_regression", {"name": "mlp", "dropout": 0.5}]}
    with pytest.raises(InputError, match=r"--stack always, arm 'mlp dropout=0\.5': model: its layer"):
        compare(question(varied, stack="always"), tmp_path)
    assert not (tmp_path / "cells").exists()
    assert stacks_of(question(varied, seeds=8, stack="auto"), resolve(question(varied)))["iris-softmax"] == [
        Stack("iris-softmax softmax_regression", 64),
        None,
    ]


def test_a_users_own_part_reaches_the_cells(tmp_path: Path) -> None:
    with tables_restored():
        use_file(write_slow_part(tmp_path, "unhurried", 0))
        study = compare(question({"algorithm": ["supervised", "unhurried"]}), tmp_path)
    assert [cell["status"] for arm in study["problems"][0]["arms"] for cell in arm["cells"]] == ["done"] * 4


def test_a_cell_does_not_know_which_study_it_is_in(tmp_path: Path) -> None:
    recipes = resolve(question())["iris-softmax"]
    other = resolve(question({"algorithm.optimizer": ["adam", "adagrad"]}, seeds=9))["iris-softmax"]
    assert Cell("iris-softmax", recipes[1].to_mapping()).key == Cell("iris-softmax", other[0].to_mapping()).key
