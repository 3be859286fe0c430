"""Trackers: copies of a run's curves for people who look at them elsewhere. Off unless asked for by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.extras import to_install


class Tracker(Protocol):
    """What a tracker can do. Any of it may fail without stopping the run; nothing heavy is imported before `start`."""

    def start(self, run_id: str, recipe: Mapping[str, Any]) -> None:
        """Begin; a resumed run begins again under the same id. `recipe` is plain data."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the metrics of one step."""

    def finish(self, status: str) -> None:
        """End: done, interrupted, diverged, failed, or running if the run ended without a word."""


@dataclass(frozen=True)
class TrackerEntry:
    """One row of the table."""

    target: str  # "module:Class", called with the run's folder
    package: str  # what must be importable
    extra: str  # of pyproject.toml
    summary: str

    def open(self, folder: Path) -> Tracker:
        """Return the tracker of the run in `folder`."""
        module, _, cls = self.target.partition(":")
        return getattr(import_module(module), cls)(folder)


TRACKERS = {
    "tensorboard": TrackerEntry(
        "fourfold.records.trackers.tensorboard:TensorBoard",
        "tensorboard",
        "tensorboard",
        "event files in the run folder",
    ),
    "mlflow": TrackerEntry(
        "fourfold.records.trackers.mlflow:MLflow", "mlflow", "mlflow", "the server that MLFLOW_TRACKING_URI names"
    ),
    "wandb": TrackerEntry("fourfold.records.trackers.wandb:WeightsAndBiases", "wandb", "wandb", "Weights & Biases"),
}


def check_trackers(names: Sequence[str]) -> None:
    """Check, before anything is created, that each named tracker exists and is installed.

    Raises:
        InputError: no such tracker (the nearest is offered), one named twice, or what to install.
    """
    for name in names:
        if name not in TRACKERS:
            raise InputError(f"trackers: no tracker called '{name}'{did_you_mean(name, TRACKERS)}")
        if list(names).count(name) > 1:
            raise InputError(f"trackers: '{name}' is named twice")
        if find_spec(TRACKERS[name].package) is None:
            raise InputError(f"trackers: {name} is not installed: {to_install(TRACKERS[name].extra)}")


def flatten(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return a recipe as dotted keys and texts, the form in which trackers show settings."""
    flat: dict[str, str] = {}
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat
