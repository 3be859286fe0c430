"""Cells that were trained as one stack leave the folders that they leave alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from fourfold.algorithms.stacked import Refused, Standing
from fourfold.algorithms.supervised import Supervised
from fourfold.core.errors import DivergedError, InputError
from fourfold.records.folder import RunFolder
from fourfold.records.listing import list_runs
from fourfold.run.blind import SealedError
from fourfold.run.checkpoint import Checkpoint, load_checkpoint
from fourfold.run.parts import load_recipe
from fourfold.run.run import Run, resume
from fourfold.study import stacked
from fourfold.study.cells import Cell, CellResult, Store, run_cell
from fourfold.study.replay import History, Replay
from fourfold.study.stacked import run_stack

BASE = {
    "data.num_examples": 71,  # 49 to train on: batches of 16 leave one of 1
    "data.split_seed": None,
    "model.widths": [6],
    "budget.steps": 21,
    "budget.batch_size": 16,
    "budget.validate_every": 6,
    "budget.log_every": 5,
    "runtime.threads": 1,
}


def cell(seed: int, overrides: Mapping[str, Any] | None = None, blind: bool = False) -> Cell:
    changes = overrides or {}
    base = {key: value for key, value in BASE.items() if key.split(".")[0] not in changes}  # a part with other fields
    _, recipe = load_recipe("moons-mlp", {**base, "seed": seed, **changes})
    return Cell("moons-mlp", recipe.to_mapping(), blind=blind)


def ended(each: Cell, workspace: Path) -> CellResult:
    result = Store(workspace).result(each.key)
    assert result is not None
    return result


def newest(result: CellResult) -> Checkpoint:
    return load_checkpoint(result.folder / "checkpoints" / "last")


def assert_close(mine: Any, other: Any, at: str = "") -> None:
    """Compare plain data with tensors in it."""
    if isinstance(other, torch.Tensor):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-5, msg=lambda text: f"{at}: {text}")
    elif isinstance(other, Mapping):
        assert mine.keys() == other.keys(), at
        for key in other:
            assert_close(mine[key], other[key], f"{at}.{key}")
    elif isinstance(other, list | tuple):
        assert len(mine) == len(other), at
        for i, (a, b) in enumerate(zip(mine, other, strict=True)):
            assert_close(a, b, f"{at}.{i}")
    elif isinstance(other, float):
        assert mine == pytest.approx(other, rel=1e-3, abs=1e-5), at
    else:
        assert mine == other, at


def run_both(cells: Sequence[Cell], tmp_path: Path) -> list[tuple[CellResult, CellResult]]:
    """Return how each cell ended in a stack, and alone."""
    run_stack(cells, tmp_path / "stacked")
    for each in cells:
        run_cell(each, tmp_path / "alone")
    return [(ended(each, tmp_path / "stacked"), ended(each, tmp_path / "alone")) for each in cells]


def assert_same_folders(mine: CellResult, other: CellResult) -> None:
    """Everything but times and what the machine took is the same."""
    one, two = RunFolder.open(mine.folder), RunFolder.open(other.folder)
    assert one.path.name == two.path.name
    assert {p.name for p in one.path.iterdir()} == {p.name for p in two.path.iterdir()}
    assert one.recipe() == two.recipe()
    assert (one.path / "inputs.json").read_bytes() == (two.path / "inputs.json").read_bytes()
    assert one.environment().keys() - two.environment().keys() == {"stacked"}
    assert [(p.step, p.name) for p in one.points()] == [(p.step, p.name) for p in two.points()]
    for a, b in zip(one.points(), two.points(), strict=True):
        assert_close(a.value, b.value, f"{a.name} at {a.step}")
    times = ("seconds", "examples_per_second", "ended")
    result, expected = dict(mine.result), dict(other.result)
    assert result.pop("notes")[:-1] == expected.pop("notes")
    for time in times:
        result.pop(time), expected.pop(time)
    assert_close(result, expected)


def assert_same_checkpoints(mine: CellResult, other: CellResult) -> None:
    one, two = newest(mine), newest(other)
    assert one.step == two.step
    assert_close(one.model, two.model)
    for state in (one.state, two.state):
        state.pop("seconds")
    assert_close(one.state, two.state)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_stacked_cells_folder_is_that_of_the_cell_alone(optimizer, tmp_path) -> None:
    cells = [cell(seed, {"algorithm.optimizer": optimizer}) for seed in range(3)]
    for mine, other in run_both(cells, tmp_path):
        assert mine.status == "done"
        assert_same_folders(mine, other)
        assert_same_checkpoints(mine, other)
        assert mine.result["notes"][-1].startswith("trained as one of a stack of 3")
        assert mine.result["seconds"] > 0
        assert mine.cost.keys() == other.cost.keys()


def test_one_cells_folder_is_not_anothers(tmp_path) -> None:
    (mine, _), (_, other) = run_both([cell(0), cell(1)], tmp_path)
    with pytest.raises(AssertionError):
        assert_same_checkpoints(mine, other)


def test_optimizers_rates_and_seeds_share_a_stack(tmp_path) -> None:
    cells = [
        cell(seed, {"algorithm.optimizer": {"name": name, "lr": lr}, "algorithm.schedule": "cosine"})
        for seed in range(2)
        for name, lr in (("momentum", 0.1), ("adam", 0.01), ("adam", 0.02))
    ]
    for mine, other in run_both(cells, tmp_path):
        assert_same_folders(mine, other)
        assert_same_checkpoints(mine, other)


def test_regression_can_be_stacked(tmp_path) -> None:
    algorithm = {"name": "supervised", "optimizer": "sgd"}
    _, recipe = load_recipe("diabetes-linear", {"algorithm": algorithm, "budget.steps": 9, "runtime.threads": 1})
    cells = [Cell("linear", {**recipe.to_mapping(), "seed": seed}) for seed in range(2)]
    for mine, other in run_both(cells, tmp_path):
        assert_same_folders(mine, other)
        assert_same_checkpoints(mine, other)


def test_a_model_and_a_loss_without_twins_can_be_stacked(tmp_path) -> None:
    cells = [cell(seed, {"model": "perceptron", "loss": "focal"}) for seed in range(2)]
    for mine, other in run_both(cells, tmp_path):
        assert_same_folders(mine, other)
        assert_same_checkpoints(mine, other)


def test_a_cell_that_diverges_says_what_it_says_alone_and_the_others_end_well(tmp_path) -> None:
    rates = (0.01, 1e30, 0.02)
    cells = [
        cell(seed, {"model.activation": "relu", "algorithm.optimizer": {"name": "adam", "lr": lr}})
        for seed, lr in enumerate(rates)
    ]
    results = run_both(cells, tmp_path)
    assert [mine.status for mine, _ in results] == ["done", "diverged", "done"]
    lost, alone = results[1]
    assert lost.result["findings"] == alone.result["findings"]
    assert lost.result["steps"] == alone.result["steps"] < 21
    for mine, other in results:
        points = [(p.step, p.name) for p in RunFolder.open(mine.folder).points()]
        assert points == [(p.step, p.name) for p in RunFolder.open(other.folder).points()]


def test_a_finished_cell_is_not_run_again(tmp_path) -> None:
    run_stack([cell(0), cell(1)], tmp_path)
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "cells").rglob("*") if p.is_file()}
    run_stack([cell(0), cell(1)], tmp_path)
    after = {p: p.stat().st_mtime_ns for p in (tmp_path / "cells").rglob("*") if p.is_file()}
    assert before == after


def test_a_cell_that_joins_later_ends_with_the_same_bits(tmp_path) -> None:
    """A study that was killed between two cells goes on with fewer in the stack."""
    run_stack([cell(seed) for seed in range(4)], tmp_path / "whole")
    run_stack([cell(2)], tmp_path / "parts")
    run_stack([cell(seed) for seed in range(4)], tmp_path / "parts")
    for seed in range(4):
        one, two = ended(cell(seed), tmp_path / "whole"), ended(cell(seed), tmp_path / "parts")
        assert one.metrics == two.metrics
        for name, weight in newest(one).model.items():
            assert torch.equal(weight, newest(two).model[name])


def test_an_interrupted_attempts_folder_is_used_again_and_its_curve_begun_anew(tmp_path, monkeypatch) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("fourfold.run.session.save_checkpoint", kill)
        with pytest.raises(Killed):
            run_stack([cell(0), cell(1)], tmp_path)
    (folder,) = (tmp_path / "cells").glob("moons-mlp-*")
    assert (folder / "metrics.jsonl").stat().st_size > 0
    (folder / "result.json").unlink()  # as if it had been killed
    identity = (folder / "run.json").read_text(encoding="utf-8")
    (folder / "run.json").write_text(identity.replace('"pid": ', '"pid": 99999999'), encoding="utf-8")
    run_stack([cell(0), cell(1)], tmp_path)
    assert len(list((tmp_path / "cells").glob("moons-mlp-*"))) == 2
    for seed in range(2):
        result = ended(cell(seed), tmp_path)
        assert result.status == "done"
        points = [(p.step, p.name) for p in RunFolder.open(result.folder).points()]
        assert len(points) == len(set(points))


def test_a_done_cell_is_a_run_like_any_other(tmp_path) -> None:
    run_stack([cell(0), cell(1)], tmp_path)
    result = ended(cell(1), tmp_path)
    run = Run(RunFolder.open(result.folder))
    assert run.model(torch.zeros(3, 2)).shape == (3, 2)
    assert resume(run.folder).status == "done"


def test_a_trial_does_not_see_the_test_split(tmp_path, monkeypatch) -> None:
    seen: list[str] = []
    original = stacked._scores
    monkeypatch.setattr(stacked, "_scores", lambda *a: seen.append(a[-1]) or original(*a))
    for mine, other in run_both([cell(seed, blind=True) for seed in range(2)], tmp_path):
        assert_same_folders(mine, other)
        assert set(mine.metrics) == {"train", "validation"}
    source = stacked._build(cell(0, blind=True), {}).session.source
    with pytest.raises(SealedError):
        source.split("test", 10)


def test_a_part_that_does_not_fit_is_said_before_anything_is_made(tmp_path) -> None:
    with pytest.raises(InputError, match="mse is for regression"):
        run_stack([cell(0, {"loss": "mse"}), cell(1, {"loss": "mse"})], tmp_path)
    assert not (tmp_path / "cells").exists()


def test_the_threads_of_the_process_are_as_they_were(tmp_path) -> None:
    before = torch.get_num_threads()
    run_stack([cell(0), cell(1)], tmp_path, threads=before + 1)
    assert torch.get_num_threads() == before


def test_whoever_lists_the_cells_finds_the_stacked_ones_too(tmp_path) -> None:
    """Telling the index of each of them when it ends would take as long as all the rest."""
    run_stack([cell(0), cell(1)], tmp_path)
    assert {path.name.rsplit("-", 2)[0] for path in (tmp_path / "cells").iterdir()} == {"moons-mlp"}
    assert [row.status for row in list_runs(tmp_path / "cells")] == ["done", "done"]


def test_a_refused_gradient_is_named_where_the_loss_was_finite() -> None:
    session = stacked._build(cell(0), {}).session
    training = session.training
    assert isinstance(training, Supervised)
    weights = [param.detach().clone() for param in training.params]
    grads = [torch.zeros_like(param) for param in training.params]
    grads[2][0, 0] = float("nan")
    refused = Refused(torch.tensor(3.2), grads)
    standing = Standing(0, weights, training.optimizer.state_dict(), refused)
    replay = Replay(training, session.source, History(torch.zeros(0), [16], standing, {}, 0.0, 1))
    with pytest.raises(DivergedError, match=r"step 0: the gradient of 'layers\.3\.weight' is not finite \(loss 0\.2\)"):
        replay.step()
