"""Stopping a run after any step, resuming it, and comparing two runs bit for bit."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from fourfold.core.recipe import Recipe
from fourfold.records.folder import RunFolder
from fourfold.run import session
from fourfold.run.build import build_training
from fourfold.run.checkpoint import load_newest
from fourfold.run.run import Run, resume, start
from fourfold.run.watch import Watcher
from fourfold.tasks.seam import LossValue, Training


@contextmanager
def around_steps(change: Callable[[Training, int, Callable[[], LossValue]], LossValue]) -> Iterator[None]:
    """Have every `training.step()` go through `change(training, calls so far, step)`."""

    def build(*args: Any) -> Any:
        training, schedule, plan = build_training(*args)
        step, calls = training.step, 0

        def changed() -> LossValue:
            nonlocal calls
            calls += 1
            return change(training, calls, step)

        training.step = changed  # type: ignore[method-assign]
        return training, schedule, plan

    with patch.object(session, "build_training", build):
        yield


@contextmanager
def interrupted_after(steps: int) -> Iterator[None]:
    """Send this process SIGINT while it makes its step number `steps`, as Ctrl-C would."""

    def change(_: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        value = step()
        if calls == steps:
            signal.raise_signal(signal.SIGINT)
        return value

    with around_steps(change):
        yield


def start_and_stop(recipe: Recipe, workspace: Path, after: int, name: str = "stopped") -> RunFolder:
    """Start a run and interrupt it after a step."""
    with interrupted_after(after):
        run = start(name, recipe, workspace)
    assert run.status == "interrupted"
    assert load_newest(run.folder.checkpoints)[0].step == after
    torch.manual_seed(after)  # whatever happens in between, the run must not notice
    torch.rand(after)
    return RunFolder.open(run.folder.path)


def resumed(folder: RunFolder, watcher: Watcher | None = None) -> Run:
    """Resume a run to its end."""
    run = resume(folder, watcher)
    assert run.status == "done"
    return run


def differences(a: Any, b: Any, at: str = "") -> list[str]:
    """Where two values differ, in one bit or more."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        alike = a.dtype == b.dtype and a.shape == b.shape
        return [] if alike and a.contiguous().numpy().tobytes() == b.contiguous().numpy().tobytes() else [at]
    if isinstance(a, dict) and isinstance(b, dict):
        if set(a) != set(b):
            return [f"{at}: {sorted(set(a) ^ set(b))}"]
        return [found for key in a for found in differences(a[key], b[key], f"{at}.{key}")]
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            return [f"{at}: {len(a)} and {len(b)} long"]
        return [found for i, (x, y) in enumerate(zip(a, b, strict=True)) for found in differences(x, y, f"{at}.{i}")]
    return [] if type(a) is type(b) and repr(a) == repr(b) else [f"{at}: {a!r} and {b!r}"]


def remains(run: Run) -> dict[str, Any]:
    """Everything a run leaves that must not depend on where it was stopped; times are left out."""
    checkpoint, problems = load_newest(run.folder.checkpoints)
    assert problems == []
    state = {key: value for key, value in checkpoint.state.items() if key != "seconds"}
    points = [(point.step, point.name, point.value) for point in run.folder.points()]
    assert len({point[:2] for point in points}) == len(points), "a point stands twice"
    times = ("seconds", "examples_per_second", "ended", "run_id", "folder")
    result = {key: value for key, value in run.result.items() if key not in times}
    return {"step": checkpoint.step, "model": checkpoint.model, "state": state, "points": points, "result": result}
