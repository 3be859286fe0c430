"""What the cells of a study say: each arm's scores, paired differences, verdicts, and ranks over problems.

Only finished cells are counted, pair by pair; one that diverged or failed is told and never filled in.

Checked by: a study put together by hand; planted effects; the statistics' own tests.
"""

import math
import statistics as descriptive
from collections.abc import Mapping, Sequence
from typing import Any

from fourfold.core.recipe import WORDS, Recipe
from fourfold.study.cells import CellResult
from fourfold.study.design import Arm
from fourfold.study.fairness import Plan, unequal_by_result
from fourfold.study.intervals import interquartile_mean, interquartile_mean_interval, mean_interval
from fourfold.study.question import Question
from fourfold.study.ranking import average_ranks, performance_profile, probability_of_improvement
from fourfold.study.statistics import Difference, holm, paired_difference
from fourfold.study.tuning import SAMPLER, Tuned
from fourfold.study.verdict import judge

Metric = tuple[str, str, bool]  # split, name, whether more is better
ALPHA = 0.05
SMALLEST = 0.01  # the smallest difference that matters where none is given: this share of the larger mean


def chain_name(problem: str, arm: Arm, seed: int) -> str:
    """Return how the chain of an arm at a seed is called."""
    return f"{problem}\n{arm.name}\n{seed}"


def analyse(
    question: Question, plan: Plan, metrics: Mapping[str, Metric], unfair: Sequence[str], found: Mapping[str, Tuned]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return study.json's content and costs.json's.

    Args:
        question: what was asked.
        plan: every arm's recipe on every problem.
        metrics: what each problem is scored by.
        unfair: what was known to be unequal before anything ran.
        found: what each chain returned, by `chain_name`.
    """
    problems, said, costs = [], list(unfair), {}
    for name, recipes in plan.items():
        cells = [[found[chain_name(name, arm, seed)] for seed in question.seeds] for arm in question.arms]
        said += unequal_by_result(question, name, [[cell.result for cell in each] for each in cells])
        problems.append(_problem(question, name, recipes, metrics[name], cells))
        costs |= {cell.cell.key: _cost(cell) for each in cells for cell in each if cell.result is not None}
    for problem, rows in zip(problems, _comparisons(question, problems), strict=True):
        problem["comparisons"] = rows
    results = [cell.result for cell in found.values()]
    study = {
        "asked": question.to_mapping(),
        "complete": all(result is None or result.is_final for result in results),
        "unfair": list(dict.fromkeys(said)),
        "sampler": SAMPLER if question.spaces else None,
        "problems": problems,
        "overall": _overall(question, problems) if min(len(problems), len(question.arms)) > 1 else None,
    }
    return study, {"cells": costs}


def _problem(
    question: Question, name: str, recipes: Sequence[Recipe], metric: Metric, cells: Sequence[Sequence[Tuned]]
) -> dict[str, Any]:
    split, metric_name, higher = metric
    arms = [
        _arm(arm, recipe, metric, each, question.seeds)
        for arm, recipe, each in zip(question.arms, recipes, cells, strict=True)
    ]
    return {
        "recipe": name,
        "metric": f"{split}.{metric_name}",
        "higher_is_better": higher,
        "held_equal": _held_equal(recipes),
        "arms": arms,
    }


def _arm(arm: Arm, recipe: Recipe, metric: Metric, cells: Sequence[Tuned], seeds: Sequence[int]) -> dict[str, Any]:
    rows = [_cell(seed, cell, metric) for seed, cell in zip(seeds, cells, strict=True)]
    scores = _scores({"cells": rows})
    low, high = mean_interval(scores) if len(scores) > 1 else (None, None)
    middle_low, middle_high = interquartile_mean_interval([scores]) if len(scores) > 1 else (None, None)
    first = next((cell.result.result for cell in cells if cell.result is not None), {})
    return {
        "name": arm.name,
        "overrides": dict(arm.overrides),
        "recipe": recipe.to_mapping(),
        "params": first.get("params"),
        "planned_steps": first.get("planned_steps"),
        "examples": (first.get("sizes") or {}).get("train"),
        "finished": len(scores),
        "mean": _mean(scores),
        "deviation": descriptive.stdev(scores) if len(scores) > 1 else None,
        "low": low,
        "high": high,
        "interquartile_mean": interquartile_mean(scores) if scores else None,
        "interquartile_low": middle_low,
        "interquartile_high": middle_high,
        "highest": max(scores) if scores else None,
        "lowest": min(scores) if scores else None,
        "cells": rows,
    }


def _cell(seed: int, tuned: Tuned, metric: Metric) -> dict[str, Any]:
    split, name, _ = metric
    result = tuned.result
    score = result.metrics.get(split, {}).get(name) if result is not None and result.status == "done" else None
    finite = score is not None and math.isfinite(score)
    return {
        "seed": seed,
        "key": tuned.cell.key,
        "folder": result.folder.name if result is not None else None,
        "status": result.status if result is not None else "diverged",
        "score": score if finite else None,
        "metrics": result.metrics if result is not None else {},
        "steps": result.result.get("steps") if result is not None else 0,
        "because": _because(result, finite),
        "tuned": dict(tuned.values),
        "trials": [{"values": dict(t.values), "score": t.score, "key": t.key} for t in tuned.trials],
    }


def _because(result: CellResult | None, finite: bool) -> str | None:
    """Return why a cell has no score."""
    if result is None:
        return "every setting that was tried diverged"
    if result.status != "done":
        findings = result.result.get("findings") or []
        return findings[0] if findings else result.status
    return None if finite else "the score is not finite"


def _comparisons(question: Question, problems: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Compare every arm with the reference on each problem, corrected for all that the study compares."""
    pairs = [_differences(question, problem["arms"]) for problem in problems]
    known = [d for of_problem in pairs for _, d in of_problem if d is not None]
    corrected = iter(holm([difference.p for difference in known]))
    return [
        [
            _comparison(question, problem, arm, d, next(corrected) if d is not None else 1.0, len(known))
            for arm, d in each
        ]
        for problem, each in zip(problems, pairs, strict=True)
    ]


def _differences(question: Question, arms: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], Difference | None]]:
    """Return each arm but the reference with its difference to it, None where no seed has a score of both."""
    reference = _reference(question, arms)
    found = []
    for arm in arms:
        if arm is not reference:
            mine, theirs = _pairs(arm, reference)
            found.append((arm, paired_difference(mine, theirs) if mine else None))
    return found


def _comparison(
    question: Question,
    problem: Mapping[str, Any],
    arm: Mapping[str, Any],
    difference: Difference | None,
    p_holm: float,
    comparisons: int,
) -> dict[str, Any]:
    reference, seeds = _reference(question, problem["arms"]), len(question.seeds)
    smallest = question.smallest or SMALLEST * max(abs(arm["mean"] or 0.0), abs(reference["mean"] or 0.0))
    row: dict[str, Any] = {"arm": arm["name"], "against": reference["name"], "smallest": smallest}
    if difference is None:
        because = f"no seed has a score of both {arm['name']} and {reference['name']}"
        return {**row, "n": 0, "verdict": "undecided", "because": because}
    verdict = judge(
        difference,
        p_holm=p_holm,
        comparisons=comparisons,
        higher_is_better=problem["higher_is_better"],
        smallest=smallest or 1e-12,
        alpha=ALPHA,
    )
    missing = "" if difference.n == seeds else f"; of {seeds} seeds only {difference.n} have a score of both"
    return {
        **row,
        "n": difference.n,
        "difference": difference.mean,
        "low": _known(difference.low),
        "high": _known(difference.high),
        "deviation": _known(difference.deviation),
        "p": difference.p,
        "p_holm": p_holm,
        "test": difference.test,
        "effect_size": _known(difference.effect_size),
        "probability_of_improvement": probability_of_improvement(
            [_scores(arm)], [_scores(reference)], higher_is_better=problem["higher_is_better"]
        ),
        "minimum_detectable": _known(verdict.minimum_detectable),
        "seeds_needed": verdict.seeds_needed,
        "verdict": verdict.word,
        "because": verdict.because + missing,
    }


def _reference(question: Question, arms: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return next(arm for arm in arms if arm["name"] == question.reference)


def _scores(arm: Mapping[str, Any]) -> list[float]:
    """Return the scores of an arm's finished cells."""
    return [cell["score"] for cell in arm["cells"] if cell["score"] is not None]


def _pairs(arm: dict[str, Any], reference: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Return the scores of the seeds at which both finished."""
    both = [
        (a["score"], b["score"])
        for a, b in zip(arm["cells"], reference["cells"], strict=True)
        if a["score"] is not None and b["score"] is not None
    ]
    return [a for a, _ in both], [b for _, b in both]


def _overall(question: Question, problems: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Rank the arms over several problems, where every arm has a score on each and all improve the same way.

    Where all are scored by the same metric, so that scores of one mean the same on another, there is also each arm's
    interquartile mean over all runs.
    """
    directions = {problem["higher_is_better"] for problem in problems}
    means = [[arm["mean"] for arm in problem["arms"]] for problem in problems]
    if len(directions) > 1 or any(mean is None for row in means for mean in row):
        return None
    higher = directions.pop()
    ranks = average_ranks(means, higher_is_better=higher)
    profile = None
    if all(mean >= 0 for row in means for mean in row):
        profile = performance_profile(means, higher_is_better=higher)._asdict()
    runs = [[_scores(problem["arms"][place]) for problem in problems] for place in range(len(question.arms))]
    against = [_scores(_reference(question, problem["arms"])) for problem in problems]
    middle = None
    if len({problem["metric"] for problem in problems}) == 1:
        middle = [_middle(each) for each in runs]
    return {
        "arms": [arm.name for arm in question.arms],
        "ranks": ranks._asdict(),
        "profile": profile,
        "interquartile": middle,
        "probability_of_improvement": [
            None
            if arm.name == question.reference
            else probability_of_improvement(each, against, higher_is_better=higher)
            for arm, each in zip(question.arms, runs, strict=True)
        ],
    }


def _middle(scores: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return the interquartile mean of all runs of an arm, with its interval."""
    low, high = interquartile_mean_interval(scores)
    return {"mean": interquartile_mean([score for each in scores for score in each]), "low": low, "high": high}


def _held_equal(recipes: Sequence[Recipe]) -> dict[str, Any]:
    """Return every setting that all arms share, by dotted key."""
    flat = [_flatten(recipe.to_mapping()) for recipe in recipes]
    return {
        key: value
        for key, value in flat[0].items()
        if key.partition(".")[0] not in (*WORDS, "seed") and all(key in each and each[key] == value for each in flat)
    }


def _flatten(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _cost(tuned: Tuned) -> dict[str, Any]:
    """Return what a cell took on the machine that ran it."""
    assert tuned.result is not None
    measured = {name: tuned.result.result.get(name) for name in ("seconds", "examples_per_second", "counts", "ended")}
    return {**measured, **tuned.result.cost}


def _mean(scores: Sequence[float]) -> float | None:
    return descriptive.fmean(scores) if scores else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
