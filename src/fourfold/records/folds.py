"""The folds of one cross-validation, found again among the runs beside them, which differ in data.fold alone.

Checked by: means and spreads of the statistics module; runs beside them that differ in a setting, or are damaged.
"""

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from fourfold.core.errors import InputError
from fourfold.records.folder import RunFolder, run_paths

Scores = Mapping[str, Mapping[str, float]]  # split -> metric -> value


class Folds(NamedTuple):
    """Those folds that are done, and each metric's mean and sample standard deviation over them."""

    runs: list[str]  # ids, in the order of the folds
    planned: int
    mean: dict[str, dict[str, float]]  # split -> metric -> mean over folds
    spread: dict[str, dict[str, float]]  # split -> metric -> standard deviation; NaN if a fold is not finite

    @property
    def says(self) -> str:
        """What the numbers are of."""
        whole = "" if len(self.runs) == self.planned else f" of {self.planned}"
        return f"mean ± standard deviation over {len(self.runs)}{whole} folds: {', '.join(self.runs)}"


def find_folds(folder: RunFolder) -> Folds | None:
    """Return the folds that a run is one of; None if it is no fold, or no other one is done.

    Of several runs of one fold the newest counts: their recipes and seeds are the same, and so are their scores.

    Raises:
        InputError: the run itself is damaged; damaged ones beside it are passed over.
    """
    recipe = folder.recipe()
    data = recipe.get("data")
    if not isinstance(data, dict) or data.get("fold") is None:
        return None
    found: dict[int, tuple[str, str, Scores]] = {}
    for path in run_paths(folder.path.parent):
        try:
            other = RunFolder.open(path)
            metrics = (other.result() or {}).get("metrics")
            settings = other.recipe()
            if other.identity.seed != folder.identity.seed or not metrics or other.status != "done":
                continue
            if _but_fold(settings) == _but_fold(recipe):
                fold, made = int(settings["data"]["fold"]), other.identity.created
                if fold not in found or made > found[fold][0]:
                    found[fold] = (made, other.run_id, metrics)
        except (InputError, AttributeError, KeyError, TypeError, ValueError):
            continue
    if len(found) < 2:
        return None
    kept = [found[fold] for fold in sorted(found)]
    mean, spread = mean_and_spread(metrics for *_, metrics in kept)
    return Folds([run for _, run, _ in kept], int(data.get("folds", len(kept))), mean, spread)


def mean_and_spread(scores: Iterable[Scores]) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Return each metric's mean and its sample standard deviation, 0 of a single value, NaN where one is not finite."""
    scores = list(scores)
    mean: dict[str, dict[str, float]] = {}
    spread: dict[str, dict[str, float]] = {}
    for split in scores[0] if scores else ():
        values = {metric: [score[split][metric] for score in scores] for metric in scores[0][split]}
        mean[split] = {metric: sum(v) / len(v) for metric, v in values.items()}
        spread[split] = {metric: _deviation(v) for metric, v in values.items()}
    return mean, spread


def _but_fold(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {**recipe, "data": {**recipe["data"], "fold": None}}


def _deviation(values: list[float]) -> float:
    if not all(map(math.isfinite, values)):
        return math.nan
    return statistics.stdev(values) if len(values) > 1 else 0.0
