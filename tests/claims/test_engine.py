"""From a claim to its record: a claim of each kind, shared cells, runs that diverge, and one that is interrupted."""

import math
from pathlib import Path

import pytest

from fourfold.claims.base import ComputedClaim, ExactClaim, Proof, Size, TrainedClaim
from fourfold.claims.engine import question_of, run_claim
from fourfold.claims.measures import Measure, curve, final, gap, metric, run_of, steps_to
from fourfold.claims.record import judged_again, read_record, read_records, scores_of, write_record
from fourfold.claims.rules import all_of, every, greater
from fourfold.core.errors import InputError
from fourfold.study.cells import CellResult, Store
from fourfold.study.execute import StoppedError, Watcher
from fourfold.study.tuning import Tuned

LOGGED = {"budget.steps": 60, "budget.log_every": 10, "budget.validate_every": 30}


def trained(**changes) -> TrainedClaim:
    fields = {
        "id": "deep",
        "says": "A hidden layer learns XOR.",
        "source": "a test",
        "recipe": "xor-mlp",
        "arms": {"linear": {"model.widths": []}, "hidden": {"model.widths": [16]}},
        "shared": LOGGED,
        "measure": metric("train.accuracy"),
        "rule": every("linear", at_most=0.75),
        "quick": Size(seeds=2),
        "full": Size(seeds=3, overrides={"budget.steps": 90}),
    }
    return TrainedClaim(**{**fields, **changes})


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    workspace = tmp_path_factory.mktemp("claims")
    return workspace, run_claim(trained(), "quick", workspace)


def cell_of(ran: tuple[Path, dict], arm: int = 1) -> CellResult:
    workspace, record = ran
    cell = Store(workspace).result(record["arms"][arm]["cells"]["0"])
    assert cell is not None
    return cell


def test_a_trained_claim_is_judged_and_recorded(ran):
    workspace, record = ran
    assert record["verdict"] == "holds"
    assert [arm["name"] for arm in record["arms"]] == ["linear", "hidden"]
    assert all(list(arm["scores"]) == ["0", "1"] for arm in record["arms"])
    assert record["asked"] == trained().asked("quick")
    assert read_record(workspace / "claims" / "deep-quick.json") == record
    assert set(record["arms"][1]["metrics"]) >= {"test.accuracy", "train.loss"}
    assert record["environment"]["threads"] == 1
    assert {"torch", "numpy"} <= set(record["environment"]["packages"])
    assert "host" not in record["environment"]


def test_its_seconds_are_those_of_its_runs_also_when_they_ran_before(ran):
    workspace, record = ran
    keys = {key for arm in record["arms"] for key in arm["cells"].values()}
    took = [result.cost["process_seconds"] for key in keys if (result := Store(workspace).result(key))]
    assert len(took) == 4
    assert record["seconds"] == round(sum(took), 1)
    assert run_claim(trained(), "quick", workspace)["seconds"] == record["seconds"]


def test_a_score_is_what_the_cell_s_run_says(ran):
    cell = cell_of(ran)
    assert scores_of(ran[1])["hidden"][0] == cell.metrics["train"]["accuracy"]
    assert judged_again(trained().rule, ran[1])[0] == "holds"
    assert judged_again(every("linear", at_least=0.9), ran[1])[0] == "fails"


def test_finished_cells_are_not_run_again_and_sizes_share_none_they_should_not(ran):
    workspace, _ = ran
    before = sorted(path.name for path in (workspace / "cells").iterdir())

    class Refuse(Watcher):
        def progressed(self, done, running, total, seconds):
            assert not running

    run_claim(trained(measure=metric("test.loss"), rule=greater("linear", "hidden")), "quick", workspace, Refuse())
    assert sorted(path.name for path in (workspace / "cells").iterdir()) == before
    asked = question_of(trained(), "full")
    assert (len(asked.seeds), asked.problems["xor-mlp"]["budget"]["steps"]) == (3, 90)


def test_measures_read_the_run(ran):
    cell = cell_of(ran)
    losses = curve(cell, "train.loss")
    assert [step for step, _ in losses] == [10, 20, 30, 40, 50, 60]
    assert metric("test.accuracy").of(cell) == cell.metrics["test"]["accuracy"]
    assert math.isnan(metric("test.nothing").of(cell))
    assert final("train.loss").of(cell) == losses[-1][1]
    assert gap("loss").of(cell) == cell.metrics["train"]["loss"] - cell.metrics["test"]["loss"]
    middle = losses[2][1]
    assert steps_to("train.loss", below=middle + 1e-9).of(cell) == 30
    assert steps_to("train.loss", below=-1).of(cell) == 60  # never: all the steps there were
    assert steps_to("train.loss", above=-1).of(cell) == 10
    assert sum(p.numel() for p in run_of(cell).model.parameters()) == cell.result["params"]
    with pytest.raises(InputError, match="either below or above"):
        steps_to("train.loss")


def test_a_run_that_diverged_has_no_final_score_but_a_measure_may_count_it(tmp_path):
    """Steps of a size that overflows: nothing is filled in for the missing scores, and they are told."""
    arms = {"mad": {"algorithm.optimizer": {"name": "sgd", "lr": 1e38}}, "sane": {}}
    rule = every("mad", at_most=1)
    record = run_claim(trained(arms=arms, rule=rule), "quick", tmp_path)
    assert record["verdict"] == "undecided"
    assert record["arms"][0]["scores"] == {"0": None, "1": None}
    assert record["arms"][0]["not_done"] == {"0": "diverged", "1": "diverged"}
    assert "not_done" not in record["arms"][1]
    counted = trained(arms=arms, rule=greater("mad", "sane"), measure=final("train.loss", diverged=99.0))
    assert run_claim(counted, "quick", tmp_path)["arms"][0]["scores"] == {"0": 99.0, "1": 99.0}
    counted = trained(arms=arms, rule=greater("mad", "sane"), measure=steps_to("train.loss", below=0.01))
    assert run_claim(counted, "quick", tmp_path)["arms"][0]["scores"] == {"0": 60.0, "1": 60.0}


def test_a_cell_that_is_missing_altogether_is_no_score(monkeypatch, tmp_path):
    """Every setting that was tried diverged, so there is no run; and a run that failed says nothing about the claim."""
    from fourfold.claims import engine

    real = engine.run_cells

    def without_some(question, workspace, watcher, place):
        cells = real(question, workspace, watcher, place)
        first, second, *rest = cells.found.items()
        failed = second[1].result._replace(status="failed")
        found = {
            first[0]: Tuned(first[1].cell, None, {}, ()),
            second[0]: second[1]._replace(result=failed),
            **dict(rest),
        }
        return cells._replace(found=found)

    monkeypatch.setattr(engine, "run_cells", without_some)
    record = run_claim(trained(measure=Measure("one", lambda cell: 1.0)), "quick", tmp_path)
    assert record["arms"][0]["scores"] == {"0": None, "1": None}
    assert record["arms"][0]["not_done"] == {"0": "diverged", "1": "failed"}
    assert record["arms"][1]["scores"] == {"0": 1.0, "1": 1.0}


def test_arms_on_several_recipes_are_told_apart(tmp_path):
    rule = all_of(every("linear on xor-mlp", at_most=0.75), every("hidden on and-perceptron", at_least=0))
    claim = trained(
        also=["and-perceptron"],
        shared={**LOGGED, "budget.steps": 5, "model": "mlp", "loss": "cross_entropy", "algorithm": "supervised"},
        rule=rule,
    )
    record = run_claim(claim, "quick", tmp_path)
    names = ["linear on xor-mlp", "hidden on xor-mlp", "linear on and-perceptron", "hidden on and-perceptron"]
    assert [arm["name"] for arm in record["arms"]] == names == claim.arm_names()
    assert len({arm["cells"]["0"] for arm in record["arms"]}) == 4


def test_what_is_read_beside_the_measure_is_told_and_may_be_judged(ran):
    workspace, _ = ran
    claim = trained(beside={"loss": metric("test.loss")}, rule=greater("linear: loss", "hidden: loss"))
    record = run_claim(claim, "quick", workspace)
    assert [arm["name"] for arm in record["arms"]] == ["linear", "hidden", "linear: loss", "hidden: loss"]
    assert claim.arm_names() == [arm["name"] for arm in record["arms"]]
    for arm, beside in zip(record["arms"], record["arms"][2:], strict=False):
        for seed, key in arm["cells"].items():
            cell = Store(workspace).result(key)
            assert cell is not None
            assert (arm["scores"][seed], beside["scores"][seed]) == (
                cell.metrics["train"]["accuracy"],
                cell.metrics["test"]["loss"],
            )
    assert record["asked"]["beside"] == {"loss": "test.loss"}
    assert "beside" not in trained().asked("quick")


def test_tuning_is_handed_on():
    claim = trained(
        tune=["algorithm.optimizer.lr=1e-4:1:log"], tuned_by="loss", quick=Size(seeds=2), full=Size(seeds=2, trials=3)
    )
    asked = question_of(claim, "full")
    assert (str(asked.spaces[0]), asked.trials) == ("algorithm.optimizer.lr=0.0001:1:log", 3)
    assert asked.metric == "test.loss"  # whose name trials look for on validation
    asked.check()
    assert question_of(claim, "quick").spaces == []
    assert claim.asked("quick")["tune"] == []


def test_a_claim_that_is_stopped_goes_on(tmp_path):
    claim = trained(quick=Size(seeds=6))

    class StopAfterTwo(Watcher):
        def progressed(self, done, running, total, seconds):
            if done >= 2:
                raise StoppedError("SIGINT")

    with pytest.raises(StoppedError):
        run_claim(claim, "quick", tmp_path, StopAfterTwo())
    assert not (tmp_path / "claims").exists()
    kept = {path.name for path in (tmp_path / "cells").iterdir() if (path / "result.json").exists()}
    assert len(kept) >= 2
    assert run_claim(claim, "quick", tmp_path)["verdict"] == "holds"
    assert kept <= {path.name for path in (tmp_path / "cells").iterdir()}


def test_a_computed_claim(tmp_path):
    calls = []

    def score(arm: str, seed: int, size: str) -> float:
        calls.append((arm, seed, size))
        return (math.nan if seed == 6 else 2.0 + 0.01 * seed) if arm == "two" else 1.0

    claim = ComputedClaim(
        id="two-is-more",
        says="Two is more than one.",
        source="a test",
        arms={"one": "1", "two": "2 and a little"},
        measured="itself",
        score=score,
        rule=greater("two", "one", by=0.5),
        quick=Size(seeds=7),
        full=Size(seeds=9),
        likely_reason="it never fails",
    )
    record = run_claim(claim, "quick", tmp_path)
    assert (record["verdict"], record["comparisons"][0]["n"], record["likely_reason"]) == ("holds", 6, "")
    assert record["arms"][1]["scores"]["6"] is None
    assert calls == [(arm, seed, "quick") for seed in range(7) for arm in ("one", "two")]
    again = run_claim(claim, "quick", tmp_path)
    assert len(calls) == 14  # each was kept, the missing one too
    assert (again["arms"], again["seconds"]) == (record["arms"], record["seconds"])


def test_an_exact_claim_fails_with_its_reason(tmp_path):
    claim = ExactClaim(
        id="even", says="2 is odd.", source="a test", rule="2 % 2 is 1", likely_reason="2 is even",
        prove=lambda size: Proof(2 % 2 == 1, [f"2 % 2 = {2 % 2} ({size})"]),
    )  # fmt: skip
    record = run_claim(claim, "full", tmp_path)
    assert (record["verdict"], record["likely_reason"]) == ("fails", "2 is even")
    assert record["evidence"] == ["2 % 2 = 0 (full)"]


def test_records_are_read_back_by_id_and_damaged_ones_are_named(tmp_path):
    for name in ("b", "a"):
        write_record({"format": 1, "id": name, "nested": {"list": [1.5, None], "empty": []}}, tmp_path / f"{name}.json")
    assert [record["id"] for record in read_records(tmp_path)] == ["a", "b"]
    assert read_record(tmp_path / "a.json")["nested"] == {"list": [1.5, None], "empty": []}
    assert '"list": [1.5, null]' in (tmp_path / "a.json").read_text(encoding="utf-8")
    (tmp_path / "b.json").write_text('{"format": 7}', encoding="utf-8")
    with pytest.raises(InputError, match=r"b\.json: a record of format 7"):
        read_records(tmp_path)
