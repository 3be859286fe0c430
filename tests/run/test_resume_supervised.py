"""A run stopped after any step and resumed is the run that was never stopped, bit for bit."""

import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stopping import around_steps, differences, interrupted_after, remains, resumed, start_and_stop

from fourfold.core.recipe import Recipe
from fourfold.records.folder import RunFolder
from fourfold.run import loop, session
from fourfold.run.parts import load_recipe
from fourfold.run.run import resume, start
from fourfold.tasks.seam import LossValue

STEPS = 9

# 42 training examples in batches of 12: an epoch is 4 steps, its last batch 6 examples; STEPS is over two epochs.
POINTS: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60, "validation": 0.15, "test": 0.15},
    "model": {"name": "mlp", "widths": [6, 5], "dropout": 0.3},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": "adam", "schedule": "cosine"},
    "budget": {"steps": STEPS, "batch_size": 12, "validate_every": 4, "log_every": 3},
    "runtime": {"device": "cpu", "threads": 1},
    "seed": 11,
}
PICTURES = {
    "data": {"name": "digits", "augment": [{"name": "pad_crop", "pad": 1}, {"name": "horizontal_flip"}]},
    "budget": {"steps": STEPS, "batch_size": 400, "validate_every": 4, "log_every": 3},
}
MIXED = {
    "data": {
        "name": "digits",
        "augment": [{"name": "rotation"}, {"name": "affine"}, {"name": "colour_jitter"}, {"name": "random_erasing"}],
    },
    "algorithm": {
        "name": "supervised",
        "optimizer": {"name": "momentum", "lr": 0.01},
        "schedule": {"name": "swa", "start": 4, "low": 0.2, "cycle_steps": 2},
        "regularizers": [
            {"name": "cutout", "side": 3},
            {"name": "cutmix", "probability": 0.5},
            {"name": "mixup", "alpha": 0.4},
            {"name": "swa", "start": 4, "every": 2},
        ],
    },
    "budget": {"steps": STEPS, "batch_size": 400, "validate_every": 4, "log_every": 3},
}
NOISY = [{"name": "input_noise", "deviation": 0.2}, {"name": "weight_noise", "deviation": 0.05}]
SMOOTH = [
    {"name": "weight_decay", "rate": 0.01},
    {"name": "gradient_clipping", "max_norm": 0.5},
    {"name": "ema", "decay": 0.8},
]
STOPPING = {"name": "early_stopping", "metric": "loss", "min_delta": 10.0, "patience": 2}


def regularized(*regularizers: dict[str, Any], validate_every: int = 2) -> dict[str, Any]:
    algorithm = {"name": "supervised", "optimizer": "adam", "schedule": "cosine", "regularizers": list(regularizers)}
    return {"algorithm": algorithm, "budget": {**POINTS["budget"], "validate_every": validate_every}}


def recipe(**changes: Any) -> Recipe:
    return load_recipe({**POINTS, **changes})[1]


CASES = {
    "adam": {},
    "accumulated": {"runtime": {"device": "cpu", "threads": 1, "accumulate": 5}},
    "noisy": regularized(*NOISY),
    "smooth": regularized(*SMOOTH, *NOISY),
    "watched": regularized(*SMOOTH, {**STOPPING, "patience": 50}),
    "augmented": PICTURES,
    "mixed and averaged": MIXED,
    "bf16": {"runtime": {"device": "cpu", "threads": 1, "precision": "bf16"}},
    "whole split": {"budget": {"steps": STEPS, "batch_size": "full", "validate_every": 2, "log_every": 4}},
    "one example": {"budget": {"steps": STEPS, "batch_size": 1, "validate_every": 5, "log_every": 4}},
}


@pytest.mark.promise("R1")
@pytest.mark.parametrize("case", CASES)
def test_stopped_after_any_step(case: str, tmp_path: Path) -> None:
    chosen = recipe(**CASES[case])
    whole = remains(start("whole", chosen, tmp_path / "whole"))
    assert whole["step"] == STEPS
    for k in range(1, STEPS):
        run = resumed(start_and_stop(chosen, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


@pytest.mark.promise("R1")
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam"])
def test_every_optimizer_continues(optimizer: str, tmp_path: Path) -> None:
    chosen = recipe(algorithm={"name": "supervised", "optimizer": optimizer})
    whole = remains(start("whole", chosen, tmp_path / "whole"))
    run = resumed(start_and_stop(chosen, tmp_path / "stopped", 5, "whole"))
    assert differences(remains(run), whole) == []


@pytest.mark.promise("R1")
@pytest.mark.parametrize("checkpoint_every", [2, 5])
def test_failed_at_any_step_between_checkpoints(checkpoint_every: int, tmp_path: Path) -> None:
    """Points of the curve that came after the checkpoint are made again, and stand once."""
    chosen = recipe(budget={**POINTS["budget"], "log_every": 1, "checkpoint_every": checkpoint_every})
    whole = remains(start("whole", chosen, tmp_path / "whole"))
    for k in range(1, STEPS):

        def fail(_: object, calls: int, step: Callable[[], LossValue], at: int = k) -> LossValue:
            if calls == at + 1:
                raise MemoryError("out of memory")
            return step()

        workspace = tmp_path / f"failed after {k}"
        with around_steps(fail), pytest.raises(MemoryError):
            start("whole", chosen, workspace)
        folder = RunFolder.open(workspace / "whole-1")
        assert folder.status == "failed"
        assert (folder.result() or {})["steps"] == k
        assert [p.step for p in folder.points() if p.name == "train.loss"] == list(range(1, k + 1))
        assert differences(remains(resumed(folder)), whole) == [], f"failed after {k}"


@pytest.mark.promise("R1")
def test_stopped_again_and_again(tmp_path: Path) -> None:
    chosen = recipe()
    whole = remains(start("whole", chosen, tmp_path / "whole"))
    folder = start_and_stop(chosen, tmp_path / "stopped", 1, "whole")
    for _ in range(STEPS - 2):
        with interrupted_after(1):
            assert resume(folder).status == "interrupted"
        folder = RunFolder.open(folder.path)
    assert differences(remains(resumed(folder)), whole) == []


@pytest.mark.promise("R1")
def test_the_time_of_a_resumed_run_is_that_of_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step takes a second, anything else a hundred: time stopped, validating or saving is nobody's training."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(loop, "time", clock)

    def slowly(function: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*args: Any) -> Any:
            clock.now += 100
            return function(*args)

        return slow

    for name in ("evaluate", "save_checkpoint", "load_newest"):
        monkeypatch.setattr(session, name, slowly(getattr(session, name)))

    def ticking(stop_after: int | None) -> Any:
        def tick(_: object, calls: int, step: Callable[[], LossValue]) -> LossValue:
            clock.now += 1
            if calls == stop_after:
                signal.raise_signal(signal.SIGINT)
            return step()

        return around_steps(tick)

    chosen = recipe(budget={**POINTS["budget"], "checkpoint_every": 2})
    with ticking(None):
        whole = start("whole", chosen, tmp_path / "whole").result
    assert whole["seconds"] == STEPS
    assert whole["examples_per_second"] == round((42 * 2 + 12) / STEPS, 1)
    for k in range(1, STEPS - 1):
        with ticking(k):
            stopped = start("whole", chosen, tmp_path / f"stopped after {k}")
        assert (stopped.status, stopped.result["seconds"]) == ("interrupted", k)
        with ticking(1):
            stopped = resume(stopped.folder)  # stopped twice: the first stretch must not be forgotten
        assert (stopped.status, stopped.result["seconds"]) == ("interrupted", k + 1)
        with ticking(None):
            result = resume(stopped.folder).result
        assert result["seconds"] == STEPS
        assert result["examples_per_second"] == whole["examples_per_second"]


@pytest.mark.promise("R1")
@pytest.mark.parametrize("smooth", [[], SMOOTH])
def test_a_run_that_stops_early_stops_early_wherever_it_was_interrupted(smooth: list[Any], tmp_path: Path) -> None:
    chosen = recipe(**regularized(*smooth, STOPPING))
    whole = remains(start("whole", chosen, tmp_path / "whole"))
    end = whole["step"]
    assert whole["result"]["stopped_because"].startswith("validation loss did not improve")
    assert end == 6 < STEPS
    for k in range(1, end):
        run = resumed(start_and_stop(chosen, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


@pytest.mark.promise("R1")
@pytest.mark.parametrize("regularizers", [[], [STOPPING]])
def test_failed_between_the_last_step_and_the_scores(
    regularizers: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps are all made and saved: resuming makes no more of them, even if the run had stopped early."""
    chosen = recipe(**regularized(*regularizers))
    whole = remains(start("whole", chosen, tmp_path / "whole"))
    with monkeypatch.context() as patched:
        evaluate = session.evaluate

        def fail(*args: Any) -> dict[str, float]:
            if args[3] == "test":
                raise MemoryError("out of memory")
            return evaluate(*args)

        patched.setattr(session, "evaluate", fail)
        with pytest.raises(MemoryError):
            start("whole", chosen, tmp_path / "failed")
    folder = RunFolder.open(tmp_path / "failed" / "whole-1")
    assert folder.status == "failed"
    assert differences(remains(resumed(folder)), whole) == []


@pytest.mark.promise("R1")
def test_what_is_compared_does_differ_when_the_run_does(tmp_path: Path) -> None:
    whole = remains(start("whole", recipe(), tmp_path))
    other = remains(start("whole", recipe(seed=12), tmp_path))
    found = " ".join(differences(other, whole))
    assert all(word in found for word in (".model.", ".state.training.", ".state.random.", ".points.", ".metrics."))


@pytest.mark.promise("R1")
def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    run = start("whole", recipe(), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in run.folder.path.rglob("*") if path.is_file()}
    assert resumed(run.folder).result == run.result
    assert {path: path.stat().st_mtime_ns for path in run.folder.path.rglob("*") if path.is_file()} == before
