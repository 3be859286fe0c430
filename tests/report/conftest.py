from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fourfold.core.overrides import apply_overrides
from fourfold.records import strict_json
from fourfold.records.points import Point
from fourfold.run.parts import recipe_fields, with_parts
from fourfold.run.run import Run
from fourfold.study.analysis import analyse, chain_name
from fourfold.study.answer import FORMAT
from fourfold.study.cells import Cell, CellResult
from fourfold.study.design import Arm, parse_space
from fourfold.study.question import Question
from fourfold.study.tuning import Trial, Tuned

SMALL = {"budget": {"steps": 12, "batch_size": 16, "validate_every": 4, "log_every": 2}}
RECIPES = {
    "pictures": {
        "title": "Pictures",
        "data": "digits",
        "model": {"name": "mlp", "widths": [12]},
        "loss": "cross_entropy",
        "algorithm": {"name": "supervised", "schedule": "cosine"},
        "expected": {"metric": "accuracy", "paper": 0.9, "ours": 0.91, "spread": 0.01, "seeds": 10},
        **SMALL,
    },
    "flowers": {
        "data": "iris",
        "model": "softmax_regression",
        "loss": "cross_entropy",
        "algorithm": "supervised",
        **SMALL,
    },
    "plane": {"data": "two_moons", "model": "mlp", "loss": "cross_entropy", "algorithm": "supervised", **SMALL},
    "numbers": {"data": "diabetes", "model": "linear_regression", "loss": "mse", "algorithm": "supervised", **SMALL},
    "intervals": {
        "data": {"name": "diabetes", "task": "probabilistic_regression"},
        "model": {"name": "mlp", "widths": [4]},
        "loss": "gaussian_nll",
        "algorithm": "supervised",
        **SMALL,
    },
}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory):
    """Train each small recipe once a session."""
    from fourfold.run.api import run

    done: dict[str, Run] = {}
    workspace: Path = tmp_path_factory.mktemp("runs")

    def get(name: str) -> Run:
        if name not in done:
            done[name] = run(RECIPES[name], workspace=workspace)
        return done[name]

    return get


@pytest.fixture
def write_study(tmp_path: Path):
    """Return a function that writes a study by hand: its scores, no training."""

    def write(
        scores: Mapping[str, Mapping[str, Sequence[float | None]]],
        *,
        varied: str = "algorithm.optimizer.lr",
        metric: str = "test.accuracy",
        higher: bool = True,
        tune: Sequence[str] = (),
        unfair: Sequence[str] = (),
        params: Mapping[str, int] | None = None,
        counts: Mapping[str, str] | None = None,
        curves: bool = True,
        because: str = "step 3: the loss burst",
        **asked: Any,
    ) -> Path:
        """Write study.json, costs.json and the cells' curves.

        Args:
            scores: problem -> arm -> score a seed; None is a cell that diverged.
            varied: the key that arms set, to 0, 1, 2 and so on.
            metric: what decides.
            higher: whether more of it is better.
            tune: spaces; each seed then has three trials, of which the second is chosen.
            unfair: what is known to be unequal.
            params: of arms whose number of parameters is not 100.
            counts: what the losses of arms count, where it was recorded.
            curves: whether the cells' folders are there.
            because: why a cell has no score.
            asked: other fields of the question.
        """
        split, _, name = metric.partition(".")
        arms = [Arm(arm, {varied: float(i)}) for i, arm in enumerate(next(iter(scores.values())))]
        seeds = range(len(next(iter(next(iter(scores.values())).values()))))
        spaces = [parse_space(text) for text in tune]
        fields = recipe_fields("iris-softmax")[1]
        question = Question(
            dict.fromkeys(scores, fields), arms, seeds, metric, spaces=spaces, trials=3 * bool(tune), **asked
        )
        plan = {
            problem: [with_parts(apply_overrides(fields, {"algorithm.optimizer.lr": 0.1})) for _ in arms]
            for problem in scores
        }
        costs: dict[str, Any] = {}
        found: dict[str, Tuned] = {}
        for number, (problem, by_arm) in enumerate(scores.items()):
            for place, arm in enumerate(arms):
                for seed, score in zip(seeds, by_arm[arm.name], strict=True):
                    cell = Cell(problem, {"problem": number, "arm": place, "seed": seed})
                    folder = tmp_path / "cells" / f"cell-{cell.key}-1"
                    done = score is not None
                    result = {
                        "params": (params or {}).get(arm.name, 100),
                        "planned_steps": 40,
                        "steps": 40,
                        "sizes": {"train": 70},
                        "findings": [] if done else [because],
                        "seconds": 0.5 + 0.1 * place + 0.01 * seed,
                        "examples_per_second": 1000.0,
                        **({"counts": counts[arm.name]} if counts and arm.name in counts else {}),
                        "ended": "2026-01-01T00:00:00.000+00:00",
                    }
                    metrics = {split: {name: score}} if done else {}
                    cost = {"peak_memory_bytes": 3e8}
                    status = "done" if done else "diverged"
                    tried = ((1, None), (2, score), (3, score + (-0.1 if higher else 0.1))) if score is not None else ()
                    trials = [
                        Trial({space.key: space.low + (space.high - space.low) * t / 4 for space in spaces}, value, "")
                        for t, value in tried
                    ]
                    chosen = trials[1].values if tune and done else {}
                    ended = CellResult(status, metrics, folder, result, cost)
                    found[chain_name(problem, arm, seed)] = Tuned(cell, ended, chosen, trials if tune else [])
                    if curves:
                        folder.mkdir(parents=True)
                        lines = [
                            Point(step, curve, value(step / 40) * (1 + 0.02 * seed + 0.1 * place), 0.0)
                            for step in range(5, 41, 5)
                            for curve, value in (
                                ("train.loss", lambda t: 2 - t),
                                ("validation.loss", lambda t: 2 - 0.8 * t),
                                (f"validation.{name}", lambda t: 0.3 * t),
                            )
                        ]
                        text = b"".join(strict_json.encode(point._asdict()) + b"\n" for point in lines)
                        (folder / "metrics.jsonl").write_bytes(text)
                        facts = {"python": "3.11.7", "packages": {"fourfold": "0.1.0"}, "device": "cpu"}
                        (folder / "environment.json").write_bytes(strict_json.encode(facts))
        study, costs = analyse(question, plan, dict.fromkeys(scores, (split, name, higher)), unfair, found)
        place = question.folder(tmp_path)
        place.mkdir(parents=True)
        (place / "study.json").write_bytes(strict_json.encode({"format": FORMAT, **study}))
        (place / "costs.json").write_bytes(strict_json.encode(costs))
        return place

    return write
