"""Tuning: every arm gets the same search space, sampler and number of trials, at every seed, judged on validation.

Each arm is tuned anew at each seed, on that seed's own validation split, by trials to which the test split is sealed.
So no choice has seen an example that it is tested on, also where the test split moves with the seed, and the luck of
a search is part of the spread that is reported.

Source: Bouthillier et al., Accounting for Variance in Machine Learning Benchmarks, MLSys 2021, section 3; the sampler
is Optuna's TPE: Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011. Its first ten trials are
random, so ten or fewer are a random search.
Checked by: a trial that tries to read the test split; a known optimum; the same trials after a kill.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, NamedTuple

from fourfold.core.errors import InputError
from fourfold.core.extras import to_install
from fourfold.core.overrides import apply_overrides
from fourfold.core.seeds import stream_seed
from fourfold.study.cells import Cell, CellResult
from fourfold.study.design import RANDOM_TRIALS, Space
from fourfold.study.execute import Chain

SAMPLER = "TPE"


class Trial(NamedTuple):
    """One setting that was tried."""

    values: Mapping[str, float]
    score: float | None  # on validation; None where it diverged
    key: str  # its cell's


class Tuned(NamedTuple):
    """A cell with the setting that was found for it.

    Attributes:
        cell: what was run.
        result: how it ended; None where every trial diverged.
        values: what was chosen.
        trials: all that were tried.
    """

    cell: Cell
    result: CellResult | None
    values: Mapping[str, float]
    trials: Sequence[Trial]


def check_sampler() -> None:
    """Refuse at once where the search library is not installed.

    Raises:
        InputError: it is not.
    """
    if find_spec("optuna") is None:
        raise InputError(f"--tune: needs Optuna: {to_install('tune')}")


def untuned(cell: Cell) -> Chain[Tuned]:
    """Run a cell as it is."""
    result = yield cell
    return Tuned(cell, result, {}, ())


def tuned(cell: Cell, spaces: Sequence[Space], trials: int, metric: str, higher_is_better: bool) -> Chain[Tuned]:
    """Try `trials` settings, then run the best one and test it.

    Args:
        cell: an arm at a seed, untuned.
        spaces: what is tuned, and where.
        trials: how many settings are tried.
        metric: of the validation split.
        higher_is_better: which way it improves.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # The same draws for every arm of a seed: what one arm is offered first, all are.
    seed = stream_seed(cell.seed, "sample") % 2**32
    sampler = optuna.samplers.TPESampler(n_startup_trials=RANDOM_TRIALS, seed=seed)
    search = optuna.create_study(direction="maximize" if higher_is_better else "minimize", sampler=sampler)
    tried: list[Trial] = []
    for _ in range(trials):
        trial = search.ask()
        values = {space.key: _suggest(trial, space) for space in spaces}
        attempt = replace(cell, fields=apply_overrides(cell.fields, values), blind=True)
        result = yield attempt
        score = result.metrics.get("validation", {}).get(metric) if result.status == "done" else None
        score = score if score is not None and math.isfinite(score) else None
        tried.append(Trial(values, score, attempt.key))
        if score is None:
            search.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            search.tell(trial, score)
    scored = [trial for trial in tried if trial.score is not None]
    if not scored:
        return Tuned(cell, None, {}, tried)
    sign = 1 if higher_is_better else -1
    best = max(scored, key=lambda trial: sign * (trial.score or 0.0))  # the first of equals
    chosen = replace(cell, fields=apply_overrides(cell.fields, best.values))
    result = yield chosen
    return Tuned(chosen, result, best.values, tried)


def _suggest(trial: Any, space: Space) -> float | int:
    if space.whole:
        return trial.suggest_int(space.key, int(space.low), int(space.high), log=space.log)
    return trial.suggest_float(space.key, space.low, space.high, log=space.log)
