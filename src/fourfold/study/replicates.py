"""The same recipe trained on many samples of its training data, and its test error taken apart.

Replicate r is the recipe at its seed + r, a cell like any other. Where the data are drawn here, as `data: curve` is,
every seed draws another training sample. Other data have only one training split, and each replicate is trained on a
bootstrap of it; validation and test split stay the same.

    <workspace>/studies/<recipe>-decomposition-<digest>/decomposition.json
    <workspace>/cells/                                                      the runs

Source: bootstrap replicates of the training set from Domingos, ICML 2000, section 4, after Breiman, 1996.
Departures: a bootstrap holds fewer distinct examples than the split, so error and bias are those of a smaller sample.
Checked by: predictions of the cells' own models; noise that is known; a diverged replicate.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fourfold.core.errors import FourfoldError, InputError
from fourfold.core.recipe import Recipe
from fourfold.data.base import DividedDataConfig, Truth
from fourfold.records.atomic import write_atomically
from fourfold.records.folder import RunFolder, cannot_write
from fourfold.records.naming import slug
from fourfold.records.strict_json import encode
from fourfold.run.beginning import weights_read
from fourfold.run.build import data_cache
from fourfold.run.loop import Stop
from fourfold.run.run import Run
from fourfold.study.cells import Cell, CellResult
from fourfold.study.compare import Place, on_this_machine, resolve
from fourfold.study.decompose import decompose_squared, decompose_zero_one
from fourfold.study.design import Arm
from fourfold.study.execute import Watcher, execute
from fourfold.study.files import read_by_cells
from fourfold.study.question import Question
from fourfold.study.tuning import untuned
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec, in_own_unit

BATCH_SIZE = 1024
LEAST = 3  # replicates; with fewer there is no interval


def decompose_recipe(
    name: str,
    fields: Mapping[str, Any],
    workspace: Path,
    replicates: int = 20,
    watcher: Watcher | None = None,
    place: Place | None = None,
) -> dict[str, Any]:
    """Train a recipe on `replicates` samples and return its expected test error as bias, variance and noise.

    Args:
        name: the recipe's.
        fields: the recipe as plain data, changes applied.
        workspace: where cells and the answer are recorded; finished cells in it are not run again.
        replicates: training samples.
        watcher: hears progress.
        place: where cells run; by default on this machine's cores.

    Returns:
        decomposition.json's content, which is the same whenever it is asked again: squared error in the target's own
        unit, squared, or the shares of a zero-one error.

    Raises:
        InputError: the recipe cannot be built, its data cannot be sampled, or its task has no such decomposition.
        FourfoldError: fewer than three replicates can be used; or a cell cannot be recorded.
        StoppedError: SIGINT or SIGTERM; what is finished is kept.
    """
    if replicates < LEAST:
        raise InputError(f"--replicates: at least {LEAST}, and not {replicates}")
    plan = resolve(Question({name: fields}, [Arm(name, {})], [0]))
    recipe = sampled(plan[name][0])
    fields = recipe.to_mapping()
    files = read_by_cells(recipe.data.build(recipe.seed, data_cache()).files)  # type: ignore[attr-defined]
    files |= weights_read(recipe)
    cells = [Cell(name, {**fields, "seed": recipe.seed + r}, files) for r in range(replicates)]
    with Stop() as stop:
        executor = (place or on_this_machine)({name: [recipe]}, workspace)
        chains = {cell.key: untuned(cell) for cell in cells}
        found = execute(chains, executor, workspace, replicates, watcher or Watcher(), stop)
    results = [found[cell.key].result for cell in cells]
    answer = {"format": 1, "recipe": name, **_answer(recipe, cells, results), "fields": fields}
    digest = hashlib.sha256("".join(cell.key for cell in cells).encode()).hexdigest()[:8]
    folder = workspace / "studies" / f"{slug(name)}-decomposition-{digest}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "decomposition.json", encode(answer, indent=1))
    except OSError as error:
        raise cannot_write(error, folder) from None
    return answer


def sampled(recipe: Recipe) -> Recipe:
    """Return a recipe whose training sample, and of its data nothing else, varies with the seed.

    Raises:
        InputError: its data cannot be sampled.
    """
    data: Any = recipe.data
    if data.truth() is not None:
        return recipe
    if not isinstance(data, DividedDataConfig):
        seeded = "; data.data_seed=null draws another sample at each seed" if hasattr(data, "data_seed") else ""
        raise InputError(f"data: '{data.name}' has one training sample and cannot be drawn again{seeded}")
    fixed = {key: recipe.seed for key in ("split_seed", "data_seed") if getattr(data, key, 0) is None}
    return recipe.model_copy(update={"data": data.model_copy(update={"bootstrap": True, **fixed})})


def _answer(recipe: Recipe, cells: Sequence[Cell], results: Sequence[CellResult | None]) -> dict[str, Any]:
    runs = {
        cell.seed: Run(RunFolder.open(result.folder))
        for cell, result in zip(cells, results, strict=True)
        if result is not None and result.status == "done"
    }
    left_out = {
        str(cell.seed): result.status if result else "failed"
        for cell, result in zip(cells, results, strict=True)
        if cell.seed not in runs
    }
    if len(runs) < LEAST:
        raise FourfoldError(f"{len(left_out)} of {len(cells)} replicates left no predictions; the recipe diverges")
    truth: Truth | None = recipe.data.truth()  # type: ignore[attr-defined]
    predicted = [_predict(run) for run in runs.values()]
    outputs = np.stack([each for each, _ in predicted])  # [replicates, examples]
    targets = np.stack([each for _, each in predicted])
    spec = next(iter(runs.values())).spec
    said = {
        "seeds": list(runs),
        "left_out": left_out,
        "cells": {str(cell.seed): cell.key for cell in cells},
        "sample": "bootstrap" if truth is None else "fresh",
        "examples": int(outputs.shape[1]),
    }
    if isinstance(spec, ClassificationSpec):
        parts = decompose_zero_one(outputs, targets[0])
        return {**said, "loss": "zero_one", **parts._asdict(), "variance": parts.variance, "noise": None}
    assert isinstance(spec, RegressionSpec | ProbabilisticRegressionSpec)
    if truth is None:
        parts = decompose_squared(outputs, targets[0])
    else:
        parts = decompose_squared(outputs, targets, truth.targets.flatten().numpy(), truth.variance)
    estimates = {name: getattr(parts, name)._asdict() for name in ("error", "bias", "variance", "gap")}
    return {**said, "loss": "squared", "targets": list(spec.target_names), **estimates, "noise": parts.noise}


@torch.inference_mode()
def _predict(run: Run) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what a run says of the test split, and what is true: class numbers, or numbers in their own unit.

    Of several targets an example, each counts as one.
    """
    spec, source = run.spec, run.parts.source
    outputs, targets = [], []
    for batch in source.split("test", BATCH_SIZE):
        with run.autocast():
            outputs.append(run.model(*batch.inputs).float())
        targets.append(batch.targets)
    if not outputs:
        raise InputError("data: there is no test split, whose error could be taken apart")
    output, target = torch.cat(outputs), torch.cat(targets)
    if isinstance(spec, ClassificationSpec):
        return output.argmax(1).numpy(), target.numpy()
    if isinstance(spec, ProbabilisticRegressionSpec):
        mean = spec.in_own_unit(output)[0]
    elif isinstance(spec, RegressionSpec):
        mean = in_own_unit(output, spec.target_mean, spec.target_deviation)
    else:
        raise InputError(f"decompose: for classification and regression, but this data poses {spec.task}")
    return mean.flatten().numpy(), in_own_unit(target, spec.target_mean, spec.target_deviation).flatten().numpy()
