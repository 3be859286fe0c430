"""Outputs beside the main one in a whole run: in pieces, in processes, compiled, and where a value is not finite."""

from pathlib import Path
from typing import Any

import pytest
import torch
import with_auxiliary

import fourfold as ff
from fourfold.core.errors import DivergedError
from fourfold.run.checkpoint import load_newest
from fourfold.run.parts import TABLES, use_file
from fourfold.run.run import Run

RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},  # 42 of them to train on
    "model": "with_head",
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 0.1}},
    "budget": {"steps": 7, "batch_size": 20, "validate_every": 5, "log_every": 1},  # a third batch of 2
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


@pytest.fixture(autouse=True)
def _part(added_parts: None) -> None:
    use_file(Path(with_auxiliary.__file__))


def assert_same(one: Run, other: Run, tolerance: float = 1e-6) -> None:
    weights = load_newest(one.folder.checkpoints)[0].model, load_newest(other.folder.checkpoints)[0].model
    for name, weight in weights[0].items():
        torch.testing.assert_close(weights[1][name], weight, rtol=0, atol=tolerance)
    for curve in ("train.loss", "train.main", "train.auxiliary"):
        assert other.curve(curve) == [(step, pytest.approx(value, abs=1e-5)) for step, value in one.curve(curve)]


def test_training_moves_the_head_and_scores_are_the_main_output_s(tmp_path: Path) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    before = run.parts.model.state_dict()
    assert not torch.equal(before["head.weight"], run.model.state_dict()["head.weight"])
    for (step, total), (_, main), (_, rest) in zip(
        run.curve("train.loss"), run.curve("train.main"), run.curve("train.auxiliary"), strict=True
    ):
        assert total == pytest.approx(main + rest), step
    logits = torch.cat([run.model(*batch.inputs) for batch in run.parts.source.split("test", 4)])
    targets = torch.cat([batch.targets for batch in run.parts.source.split("test", 4)])
    assert run.metrics["test"]["loss"] == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, targets).detach())
    )


@pytest.mark.promise("R13")
def test_micro_batches_add_up(tmp_path: Path) -> None:
    assert_same(ff.run(RECIPE, workspace=tmp_path), ff.run(RECIPE, {"runtime.accumulate": 3}, workspace=tmp_path))


@pytest.mark.promise("R13")
def test_two_processes_are_one(tmp_path: Path) -> None:
    two = ff.run(RECIPE, {"runtime.processes": 2}, workspace=tmp_path / "two")
    assert_same(ff.run(RECIPE, workspace=tmp_path / "one"), two)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch.compile's own
@pytest.mark.parametrize("regularizers", [[], ["weight_decay"]])  # decay comes between gradient and update
def test_the_compiled_step_is_the_plain_one(tmp_path: Path, regularizers: list[str]) -> None:
    changes = {"algorithm.regularizers": regularizers}
    plain = ff.run(RECIPE, changes, workspace=tmp_path)
    assert_same(plain, ff.run(RECIPE, {**changes, "runtime.compile": "step"}, workspace=tmp_path), 1e-5)


@pytest.mark.promise("R5")
def test_a_head_that_is_not_finite_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config: Any = TABLES["model"].config_class("with_head")
    build = config.build

    def broken(self: Any, spec: Any) -> Any:
        network = build(self, spec)
        network.head.register_forward_hook(lambda _, __, out: out / 0)
        return network

    monkeypatch.setattr(config, "build", broken)
    with pytest.raises(DivergedError, match=r"^step 0: .*layer 'head' \(Linear\)"):
        ff.run(RECIPE, workspace=tmp_path)
