"""Sending a run's curves to TensorBoard, MLflow or Weights & Biases as well, for those who use them.

Checked by: an event file read back with TensorBoard's own reader.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fourfold.cli.progress import Listener
from fourfold.core.errors import InputError, did_you_mean
from fourfold.run.watch import Setup, Watcher

TRACKERS = ("tensorboard", "mlflow", "wandb")


class Connection(NamedTuple):
    """An open tracker."""

    send: Callable[[int, Mapping[str, float]], None]
    close: Callable[[str], None]


class Tracked(Listener):
    """Passes everything on to another watcher, and each point of a curve to a tracker.

    Raises:
        InputError: no tracker of that name, or its package is not installed; nothing was created.
    """

    def __init__(self, watcher: Watcher, tracker: str, recipe: str, workspace: Path) -> None:
        if tracker not in TRACKERS:
            raise InputError(f"--track: no tracker called '{tracker}'{did_you_mean(tracker, TRACKERS)}")
        self._watcher, self._recipe, self._workspace = watcher, recipe, workspace
        self._open: Callable[[str, Path], Connection] = {
            "tensorboard": _tensorboard,
            "mlflow": _mlflow,
            "wandb": _wandb,
        }[tracker](tracker)
        self._connection: Connection | None = None

    def started(self, setup: Setup) -> None:
        """Open the tracker's run under our run's name."""
        super().started(setup)
        self._watcher.started(setup)
        self._connection = self._open(self._recipe, self._workspace / setup.run_id)

    def progressed(self, step: int, metrics: Mapping[str, float], examples_per_second: float) -> None:
        """Send the point."""
        self._watcher.progressed(step, metrics, examples_per_second)
        if self._connection is not None:
            self._connection.send(step, {name: value for name, value in metrics.items() if math.isfinite(value)})

    def said(self, notice: str) -> None:
        """Pass the notice on."""
        self._watcher.said(notice)

    def ended(self, status: str) -> None:
        """Close the tracker's run."""
        self._watcher.ended(status)
        if self._connection is not None:
            self._connection.close(status)


def _missing(tracker: str) -> InputError:
    return InputError(f'--track {tracker} needs a package: pip install "fourfold[{tracker}]"')


def _tensorboard(tracker: str) -> Callable[[str, Path], Connection]:
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        raise _missing(tracker) from None

    def start(recipe: str, folder: Path) -> Connection:
        writer = SummaryWriter(str(folder / "tensorboard"))

        def send(step: int, metrics: Mapping[str, float]) -> None:
            for name, value in metrics.items():
                writer.add_scalar(name, value, step)

        return Connection(send, lambda status: writer.close())

    return start


def _mlflow(tracker: str) -> Callable[[str, Path], Connection]:
    try:
        import mlflow  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise _missing(tracker) from None

    def start(recipe: str, folder: Path) -> Connection:
        mlflow.set_experiment(recipe)
        mlflow.start_run(run_name=folder.name)
        ends = {"done": "FINISHED", "interrupted": "KILLED"}
        return Connection(
            lambda step, metrics: mlflow.log_metrics(dict(metrics), step=step),
            lambda status: mlflow.end_run(status=ends.get(status, "FAILED")),
        )

    return start


def _wandb(tracker: str) -> Callable[[str, Path], Connection]:
    try:
        import wandb  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise _missing(tracker) from None

    def start(recipe: str, folder: Path) -> Connection:
        session: Any = wandb.init(project=f"fourfold-{recipe}", name=folder.name)
        return Connection(
            lambda step, metrics: session.log(dict(metrics), step=step),
            lambda status: session.finish(exit_code=0 if status == "done" else 1),
        )

    return start
