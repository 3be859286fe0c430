"""A claim from what was said to a verdict: run what is missing, read the scores, judge, and write the record.

    <workspace>/claims/<id>-<quick|full>.json    what was asked, every score, the verdict, and what it ran on
    <workspace>/claims/scores/                   scores of computed claims, each as soon as it is known
    <workspace>/cells/                           the runs, shared with every comparison

Checked by: a claim of each kind made by hand; a cell that diverges; a claim that is interrupted and goes on.
"""

import math
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from fourfold.claims.base import Claim, ComputedClaim, ExactClaim, Name, StatisticalClaim, TrainedClaim
from fourfold.claims.comparisons import Scores
from fourfold.claims.kept_scores import KeptScores
from fourfold.claims.measures import Measure
from fourfold.claims.record import FORMAT, write_record
from fourfold.claims.rules import Judged, judge
from fourfold.claims.side_by_side import compute_side_by_side
from fourfold.core.overrides import apply_overrides
from fourfold.records.environment import describe_environment
from fourfold.run.parts import one_length, recipe_fields
from fourfold.study.analysis import chain_name
from fourfold.study.cells import Store
from fourfold.study.compare import Place, run_cells
from fourfold.study.design import Arm, parse_space
from fourfold.study.execute import Watcher
from fourfold.study.question import Question
from fourfold.study.tuning import Tuned


def run_claim(
    claim: Claim,
    size: Name,
    workspace: Path,
    watcher: Watcher | None = None,
    place: Place | None = None,
) -> dict[str, Any]:
    """Judge a claim, write its record to the workspace, and return it.

    Args:
        claim: what was said.
        size: how much to run.
        workspace: where cells and the record go; finished cells in it are not run again.
        watcher: hears progress.
        place: where cells run; by default this machine's cores, which computed claims have in any case.

    Raises:
        InputError: an arm cannot be built, or the rule names an arm that there is not.
        FourfoldError: a cell or the record cannot be written.
        StoppedError: SIGINT or SIGTERM while cells run or scores are computed side by side; what is finished is kept.
    """
    began = time.monotonic()
    threads: int | None = None
    computing: float | None = None
    if isinstance(claim, ExactClaim):
        proof = claim.prove(size)
        found: dict[str, Any] = {
            "verdict": "holds" if proof.holds else "fails",
            "evidence": list(proof.evidence),
        }
    elif isinstance(claim, TrainedClaim):
        found, threads = _train(claim, size, workspace, watcher, place)
        computing = found.pop("seconds")
    else:
        assert isinstance(claim, ComputedClaim)
        watcher = watcher or Watcher()
        threads = compute_side_by_side(claim, size, workspace, watcher)
        found, computing = _compute(claim, size, workspace, watcher)
    record = {
        "format": FORMAT,
        "id": claim.id,
        "kind": claim.kind,
        "size": size,
        "asked": claim.asked(size),
        "says": claim.says,
        "source": claim.source,
        "scaled_from": claim.scaled_from,
        **found,
        "likely_reason": claim.likely_reason if found["verdict"] == "fails" else "",
        "seconds": round(time.monotonic() - began if computing is None else computing, 1),
        "date": datetime.now(UTC).date().isoformat(),
        "environment": _environment(threads),
    }
    write_record(record, workspace / "claims" / f"{claim.id}-{size}.json")
    return record


def question_of(claim: TrainedClaim, size: Name) -> Question:
    """Return what a trained claim asks of the machinery of comparisons.

    Raises:
        InputError: a recipe or key that there is not.
    """
    chosen = claim.size(size)
    common = one_length({**claim.shared, **chosen.overrides})
    problems = {}
    for recipe in (claim.recipe, *claim.also):
        name, fields = recipe_fields(recipe)
        problems[name if isinstance(recipe, str) else claim.recipe_name] = apply_overrides(fields, common)
    return Question(
        problems=problems,
        arms=[Arm(name, one_length(overrides)) for name, overrides in claim.arms.items()],
        seeds=list(range(chosen.seeds)),
        metric=f"test.{claim.tuned_by}" if claim.tuned_by else None,  # trials score it on validation
        spaces=[parse_space(space) for space in claim.tune] if chosen.trials else [],
        trials=chosen.trials,
        unfair=claim.unfair,
    )


def _train(
    claim: TrainedClaim, size: Name, workspace: Path, watcher: Watcher | None, place: Place | None
) -> tuple[dict[str, Any], int | None]:
    """Train every arm at every seed, measure each run, and judge; return also the CPU threads of a run."""
    question = question_of(claim, size)
    cells = run_cells(question, workspace, watcher, place)
    names = iter(claim.arm_names())
    arms, scores = [], {}
    runs = [
        {seed: cells.found[chain_name(problem, arm, seed)] for seed in question.seeds}
        for problem in cells.plan
        for arm in question.arms
    ]
    for ended in runs:
        name = next(names)
        scores[name] = {seed: _score(claim.measure, cell) for seed, cell in ended.items()}
        arms.append({**_arm(name, scores[name]), **_told(ended)})
    for measure, ended in product(claim.beside.values(), runs):
        name = next(names)
        scores[name] = {seed: _score(measure, cell) for seed, cell in ended.items()}
        arms.append(_arm(name, scores[name]))
    threads = max((recipe.runtime.threads or 1 for recipes in cells.plan.values() for recipe in recipes), default=None)
    seconds = _computing(cells.found.values(), Store(workspace))
    return {**_verdict(claim, scores, arms), "unfair": list(cells.unfair), "seconds": seconds}, threads


def _computing(ended: Iterable[Tuned], store: Store) -> float:
    """Return the seconds that all cells and trials took, one after another, whenever they ran."""
    keys = {key for cell in ended for key in (cell.cell.key, *(trial.key for trial in cell.trials))}
    results = [store.result(key) for key in keys]
    return sum(float(result.cost.get("process_seconds", 0.0)) for result in results if result is not None)


def _compute(claim: ComputedClaim, size: Name, workspace: Path, watcher: Watcher) -> tuple[dict[str, Any], float]:
    """Score every arm at every seed, and judge; return also the seconds that all scores took, whenever that was."""
    kept = KeptScores(claim, size, workspace)
    seeds, began, computing = range(claim.size(size).seeds), time.monotonic(), 0.0
    scores: dict[str, dict[int, float]] = {arm: {} for arm in claim.arms}
    for i, (seed, arm) in enumerate(product(seeds, claim.arms)):  # arms of a seed often share what they compute
        if not kept.has(arm, seed):
            watcher.progressed(i, 1, len(claim.arms) * len(seeds), time.monotonic() - began)
        scores[arm][seed], seconds = kept.get(arm, seed)
        computing += seconds
    watcher.progressed(len(claim.arms) * len(seeds), 0, len(claim.arms) * len(seeds), time.monotonic() - began)
    return _verdict(claim, scores, [_arm(name, scores[name]) for name in claim.arms]), computing


def _score(measure: Measure, cell: Tuned) -> float:
    """Return what is read from a cell; NaN where every setting that was tried diverged, or the run failed."""
    if cell.result is None or cell.result.status not in ("done", "diverged"):
        return math.nan
    return float(measure.of(cell.result))


def _verdict(claim: StatisticalClaim, scores: Scores, arms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    verdict, judged = judge(claim.rule, scores)
    return {
        "verdict": verdict,
        "comparisons": [_plain(each) for each in judged],
        "arms": list(arms),
    }


def _plain(judged: Judged) -> dict[str, Any]:
    return {name: _rounded(value) if isinstance(value, float) else value for name, value in judged._asdict().items()}


def _arm(name: str, scores: Mapping[int, float]) -> dict[str, Any]:
    known = [score for score in scores.values() if math.isfinite(score)]
    mean = sum(known) / len(known) if known else math.nan
    return {
        "name": name,
        "mean": _rounded(mean),
        "scores": {str(seed): _kept(score) for seed, score in scores.items()},
    }


def _told(ended: Mapping[int, Tuned]) -> dict[str, Any]:
    """Return what else is worth keeping of an arm's cells: where they are, their metrics, and what went wrong."""
    results = {str(seed): cell.result for seed, cell in ended.items()}
    metrics: dict[str, dict[str, float | None]] = {}
    for seed, result in results.items():
        shown = ("loss", result.result.get("headline")) if result is not None else ()
        for split, named in (result.metrics if result is not None else {}).items():
            for name, value in ((name, value) for name, value in named.items() if name in shown):
                metrics.setdefault(f"{split}.{name}", {})[seed] = _rounded(value)
    told: dict[str, Any] = {
        "cells": {str(seed): cell.cell.key for seed, cell in ended.items()},
        "metrics": metrics,
    }
    if wrong := {seed: r.status if r else "diverged" for seed, r in results.items() if r is None or r.status != "done"}:
        told["not_done"] = wrong
    if tuned := {str(seed): dict(cell.values) for seed, cell in ended.items() if cell.values}:
        told["tuned"] = tuned
    return told


def _kept(score: float) -> float | None:
    """Return a score to all its digits: the verdict is judged again from the record."""
    return score if math.isfinite(score) else None


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _environment(threads: int | None) -> dict[str, Any]:
    """Return what a verdict may depend on, versions and the machine; whose machine it is, it does not."""
    import torch

    known = describe_environment({"cpu": _cpu(), "threads": threads or torch.get_num_threads()})
    kept = ("python", "platform", "machine", "cores", "cpu", "threads", "packages")
    return {name: known[name] for name in kept if known.get(name) is not None}


def _cpu() -> str | None:
    """Return what the processor is called, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)
