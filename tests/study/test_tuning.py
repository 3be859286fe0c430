"""A search: where chance ends and the sampler begins."""

from pathlib import Path

import pytest

from fourfold.core.seeds import stream_seed
from fourfold.run.parts import recipe_fields
from fourfold.study.cells import Cell, CellResult
from fourfold.study.design import RANDOM_TRIALS, parse_space
from fourfold.study.tuning import tuned

optuna = pytest.importorskip("optuna", reason="the `tune` extra is not installed")
SPACE = parse_space("algorithm.optimizer.lr=0.0001:1:log")
SEED = 3


def searched(trials: int) -> list[float]:
    """Return the settings that a search offers whose score is best at 0.01."""
    name, fields = recipe_fields("iris-softmax")
    chain = tuned(Cell(name, {**fields, "seed": SEED}, {}), [SPACE], trials, "accuracy", higher_is_better=True)
    offered: list[float] = []
    cell = next(chain)
    while cell.blind:
        offered.append(cell.fields["algorithm"]["optimizer"]["lr"])
        score = {"validation": {"accuracy": -abs(offered[-1] - 0.01)}}
        cell = chain.send(CellResult("done", score, Path(), {}, {}))
    return offered


def drawn(trials: int) -> list[float]:
    """Return what Optuna's random search offers."""
    sampler = optuna.samplers.RandomSampler(seed=stream_seed(SEED, "sample") % 2**32)
    study = optuna.create_study(sampler=sampler)
    return [study.ask().suggest_float(SPACE.key, SPACE.low, SPACE.high, log=True) for _ in range(trials)]


def test_the_first_ten_trials_are_a_random_search_and_the_next_is_not() -> None:
    offered, random = searched(RANDOM_TRIALS + 1), drawn(RANDOM_TRIALS + 1)
    assert offered[:RANDOM_TRIALS] == random[:RANDOM_TRIALS]
    assert offered[RANDOM_TRIALS] != random[RANDOM_TRIALS]
