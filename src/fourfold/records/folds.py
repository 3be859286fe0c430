"""The folds of one cross-validation, found again among the runs beside them: one recipe and one data but for data.fold.

Checked by: means and spreads of the statistics module; runs beside them that differ in a setting, or are damaged.
"""

import math
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fourfold.core.document import read_yaml
from fourfold.core.errors import InputError
from fourfold.records.folder import RunFolder, run_paths
from fourfold.records.identity import read_identity
from fourfold.records.naming import to_text
from fourfold.records.result import read_result
from fourfold.records.strict_json import read_mapping

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
    """Return the folds that a run is one of; None if it is no fold, or fewer than two are done.

    Of several runs of one fold the newest counts. Runs whose own data files were different ones do not belong together.

    Raises:
        InputError: the run itself is damaged; damaged ones beside it are passed over.
    """
    found = _newest(folder, finished=True)
    if len(found) < 2:
        return None
    kept = [found[fold] for fold in sorted(found)]
    mean, spread = mean_and_spread(each.metrics for each in kept)
    return Folds([each.run for each in kept], int(folder.recipe()["data"].get("folds", len(kept))), mean, spread)


def done_folds(folder: RunFolder) -> dict[int, str]:
    """Return the run of each fold that is done, of the cross-validation that a run is one fold of.

    Raises:
        InputError: the run itself is damaged.
    """
    return {fold: each.run for fold, each in _newest(folder, finished=True).items()}


def begun_folds(folder: RunFolder) -> dict[int, str]:
    """Return the newest run of each fold that was begun and that no run has finished, in the order of the folds.

    Raises:
        InputError: the run itself is damaged.
    """
    done, begun = done_folds(folder), _newest(folder, finished=False)
    return {fold: begun[fold].run for fold in sorted(begun.keys() - done.keys())}


class _Fold(NamedTuple):
    """A run of a fold."""

    created: str
    run: str
    metrics: Scores


def _newest(folder: RunFolder, finished: bool) -> dict[int, _Fold]:
    """Return the newest run of each fold, of those that are done or of those that are not."""
    recipe = folder.recipe()
    data = recipe.get("data")
    if not isinstance(data, dict) or data.get("fold") is None:
        return {}
    alike, files = _but_fold(recipe), _files(folder.path)
    found: dict[int, _Fold] = {}
    for path in run_paths(folder.path.parent):
        try:  # the cheapest first: most runs of a workspace are others
            identity, metrics = read_identity(path / "run.json"), _scores(path)
            if identity.seed != folder.identity.seed or bool(metrics) != finished:
                continue
            settings = read_yaml(path / "recipe.yaml")
            if _but_fold(settings) == alike and _files(path) == files:
                fold = int(settings["data"]["fold"])
                if fold not in found or identity.created > found[fold].created:
                    found[fold] = _Fold(identity.created, to_text(path.name), metrics)
        except (InputError, AttributeError, KeyError, TypeError, ValueError):
            continue
    return found


def _scores(folder: Path) -> Scores:
    """Return a run's scores, none where it is not done."""
    if not (folder / "result.json").exists():
        return {}
    result = read_result(folder / "result.json")
    return result["metrics"] if result["status"] == "done" else {}


def mean_and_spread(scores: Iterable[Scores]) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Return each metric's mean and its sample standard deviation, 0 of a single value, NaN where one is not finite.

    A metric that one of them lacks is left out: another version may have recorded it.
    """
    scores = list(scores)
    mean: dict[str, dict[str, float]] = {}
    spread: dict[str, dict[str, float]] = {}
    for split in scores[0] if scores else ():
        shared = [metric for metric in scores[0][split] if all(metric in score.get(split, {}) for score in scores)]
        values = {metric: [score[split][metric] for score in scores] for metric in shared}
        mean[split] = {metric: sum(v) / len(v) for metric, v in values.items()}
        spread[split] = {metric: _deviation(v) for metric, v in values.items()}
    return mean, spread


def _but_fold(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {**recipe, "data": {**recipe["data"], "fold": None}}


def _files(folder: Path) -> Any:
    """Return the digests of a run's own data files; None where its folder does not say."""
    try:
        return read_mapping(folder / "inputs.json").get("files")
    except InputError:
        return None


def _deviation(values: list[float]) -> float:
    if not all(map(math.isfinite, values)):
        return math.nan
    return statistics.stdev(values) if len(values) > 1 else 0.0
