"""When the loop looks up, what it reads, how a split is scored, and where arithmetic happens."""

import signal
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.core.recipe import Budget, Runtime
from fourfold.run import evaluate as evaluation
from fourfold.run import runtime
from fourfold.run.build import build_parts
from fourfold.run.evaluate import evaluate
from fourfold.run.loop import MOST_VALIDATIONS, Outcome, Progress, Schedule, Stop, plan_schedule, train
from fourfold.run.parts import load_recipe
from fourfold.run.watch import Watcher
from fourfold.tasks.seam import LossValue, Training


class Counting(Training):
    """A step that does nothing: its loss is its own number."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.model = nn.Identity()
        self.steps, self.checked, self.stop_at = 0, [], stop_at

    def step(self) -> LossValue:
        self.steps += 1
        return LossValue(torch.tensor(float(self.steps)), 1, {"half": torch.tensor(self.steps / 2)})

    def check(self) -> None:
        self.checked.append(self.steps)

    def validated(self, step: int, metrics: Any) -> str | None:
        return "enough" if step == self.stop_at else None

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Any) -> None:
        return None


def drive(schedule: Schedule, training: Counting | None = None, start: int = 0) -> dict[str, Any]:
    seen: dict[str, Any] = {"points": {}, "validated": [], "saved": []}
    training = training or Counting()
    training.steps = start
    seen["outcome"] = train(
        training,
        schedule,
        Progress(start),
        pending=[],
        record=lambda step, metrics: seen["points"].__setitem__(step, metrics),
        validate=lambda: seen["validated"].append(training.steps) or {"loss": 1.0},
        checkpoint=lambda outcome, pending: seen["saved"].append((outcome.step, outcome.status, len(pending))),
        agree=None,
        watcher=Watcher(),
        stop=Stop(),
    )
    return seen


@given(
    steps=st.integers(1, 60),
    log=st.integers(1, 70),
    validate=st.integers(1, 70),
    save=st.none() | st.integers(1, 70),
    start=st.integers(0, 59),
)
def test_every_look_up_comes_when_it_is_due(steps: int, log: int, validate: int, save: int | None, start: int) -> None:
    start = min(start, steps - 1)
    validate = min(validate, steps)
    training = Counting()
    seen = drive(Schedule(steps, log, validate, save), training, start)
    made = range(start + 1, steps + 1)
    assert training.steps == steps
    assert seen["outcome"][:3] == (steps, "done", None)
    assert seen["validated"] == [s for s in made if s % validate == 0 or s == steps]
    assert list(seen["points"]) == [s for s in made if s % log == 0 or s % validate == 0 or s == steps]
    assert [step for step, *_ in seen["saved"]] == [s for s in made if save and s % save == 0 and s != steps]
    assert set(seen["points"]) <= set(training.checked), "a point was read before the device was asked"
    before = start
    for step, metrics in seen["points"].items():  # each point is the mean over the steps since the last one
        expected = sum(range(before + 1, step + 1)) / (step - before)
        assert metrics["train.loss"] == pytest.approx(expected)
        assert metrics["train.half"] == pytest.approx(expected / 2)
        before = step


def test_a_point_of_the_curve_weighs_each_batch_by_its_examples() -> None:
    training = Counting()
    values = iter(
        [LossValue(torch.tensor(24.0), 12), LossValue(torch.tensor(24.0), 12), LossValue(torch.tensor(3.0), 1)]
    )
    training.step = lambda: next(values)  # type: ignore[method-assign]
    seen = drive(Schedule(3, 3, 3, None), training)
    assert seen["points"][3]["train.loss"] == pytest.approx(51 / 25)  # the mean of the batches' means is 7 / 3
    assert seen["outcome"].examples == 25


def test_a_run_that_has_made_all_its_steps_makes_no_more() -> None:
    training = Counting()
    seen = drive(Schedule(5, 1, 1, 1), training, start=5)
    assert seen["outcome"][:3] == (5, "done", None)
    assert (training.steps, seen["points"], seen["validated"], seen["saved"]) == (5, {}, [], [])


def test_a_reason_to_stop_ends_the_run() -> None:
    seen = drive(Schedule(100, 10, 5, None), Counting(stop_at=15))
    assert seen["outcome"][:3] == (15, "done", "enough")
    assert 15 in seen["points"]


@pytest.mark.promise("R4")
def test_a_request_to_stop_saves_after_the_step_with_what_is_pending() -> None:
    training, stop, saved = Counting(), Stop(), []
    step = training.step

    def step_and_stop() -> LossValue:
        value = step()
        if training.steps == 7:
            stop.requested = "SIGINT"
        return value

    training.step = step_and_stop  # type: ignore[method-assign]
    outcome = train(
        training, Schedule(100, 5, 50, None), Progress(0),
        pending=[], record=lambda *_: None, validate=dict,
        checkpoint=lambda outcome, pending: saved.append((outcome.step, outcome.status, len(pending))),
        agree=None, watcher=Watcher(), stop=stop,
    )  # fmt: skip
    assert outcome[:3] == (7, "interrupted", "SIGINT")
    assert saved == [(7, "interrupted", 2)]


@pytest.mark.promise("R4")
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_request_the_second_the_system_s_and_both_are_given_back(first: signal.Signals) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    with Stop() as stop:
        assert stop.requested is None
        signal.raise_signal(first)
        assert stop.requested == first.name
        assert [signal.getsignal(number) for number in numbers] == [signal.SIG_DFL, signal.SIG_DFL]
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize(
    ("budget", "per_epoch", "expected"),
    [
        (Budget(epochs=2), 10, (20, 50, 10, None)),
        (Budget(epochs=0.01), 10, (1, 50, 1, None)),
        (Budget(epochs=1.27), 10, (13, 50, 10, None)),  # 12.7 steps: to the nearest
        (Budget(steps=7), 10, (7, 50, 7, None)),
        (Budget(epochs=1000), 10, (10_000, 50, 10_000 // MOST_VALIDATIONS, None)),
        (Budget(steps=100, validate_every=3, checkpoint_every=4, log_every=5), 10, (100, 5, 3, 4)),
    ],
)
def test_a_budget_in_steps(budget: Budget, per_epoch: int, expected: tuple[int | None, ...]) -> None:
    assert plan_schedule(budget, per_epoch) == expected


@pytest.mark.promise("R13")
@pytest.mark.parametrize("batch_size", [1, 5, 7, 9, 1000])
def test_a_split_is_scored_once_an_example_however_it_is_cut(batch_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _, recipe = load_recipe(
        {
            "data": {"name": "two_moons", "num_examples": 60},
            "model": {"name": "mlp", "dropout": 0.5},
            "loss": "cross_entropy",
            "algorithm": "supervised",
        }
    )
    parts = build_parts(recipe)
    inputs, targets = next(iter(parts.source.split("train", 10_000)))
    parts.model.eval()
    with torch.no_grad():
        output = parts.model(*inputs)
    monkeypatch.setattr(evaluation, "BATCH_SIZE", batch_size)
    for training in (True, False):
        parts.model.train(training)
        scores = evaluate(parts.model, parts.loss, parts.source, "train")
        assert parts.model.training is training
        assert scores["loss"] == pytest.approx(float(nn.functional.cross_entropy(output, targets)), abs=1e-6)
        assert scores["accuracy"] == pytest.approx(float((output.argmax(1) == targets).double().mean()))


class Share:
    """One of several processes; what each has measured is at hand when the last one asks."""

    def __init__(self, rank: int, count: int, measured: dict[int, Any]) -> None:
        self.rank, self.count, self.measured = rank, count, measured

    def gather(self, part: Any) -> list[Any]:
        self.measured[self.rank] = part
        return [self.measured[rank] for rank in sorted(self.measured)]


@pytest.mark.promise("R13")
@pytest.mark.parametrize("count", [2, 3, 20])
def test_processes_share_the_batches_of_a_split_and_add_up(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = {"data": "iris", "model": "mlp", "loss": "cross_entropy", "algorithm": "supervised"}
    parts = build_parts(load_recipe(recipe)[1])
    monkeypatch.setattr(evaluation, "BATCH_SIZE", 11)
    whole = evaluate(parts.model, parts.loss, parts.source, "train")
    sizes: list[int] = []
    parts.model.register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    measured: dict[int, Any] = {}
    for rank in range(count):
        processes: Any = Share(rank, count, measured)
        together = evaluate(parts.model, parts.loss, parts.source, "train", processes=processes)
    assert together == pytest.approx(whole, abs=1e-6)
    assert sum(sizes) == parts.source.sizes["train"]  # each example went through one process


class Left(Exception):
    pass


def test_what_is_looked_for_ends_the_scoring_and_leaves_no_trace() -> None:
    recipe = {"data": "iris", "model": "mlp", "loss": "cross_entropy", "algorithm": "supervised"}
    parts = build_parts(load_recipe(recipe)[1])
    looked = 0

    def look() -> None:
        nonlocal looked
        looked += 1
        if looked == 4:
            raise Left

    with pytest.raises(Left):
        evaluate(parts.model, parts.loss, parts.source, "train", look=look)
    assert parts.model.training
    parts.model(torch.zeros(1, 4))
    assert looked == 4


@pytest.mark.promise("R4")
@pytest.mark.parametrize("count", [2, 3, 20])
def test_processes_look_equally_often_so_that_they_can_agree(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has no batch of the last round looks nevertheless: the others wait for its answer."""
    recipe = {"data": "iris", "model": "mlp", "loss": "cross_entropy", "algorithm": "supervised"}
    parts = build_parts(load_recipe(recipe)[1])
    monkeypatch.setattr(evaluation, "BATCH_SIZE", 11)
    batches = -(-parts.source.sizes["train"] // 11)
    measured: dict[int, Any] = {}
    for rank in range(count):
        looked: list[int] = []
        processes: Any = Share(rank, count, measured)
        evaluate(
            parts.model, parts.loss, parts.source, "train", processes=processes, look=lambda at=looked: at.append(1)
        )
        assert len(looked) == 1 + -(-batches // count)


def test_a_split_is_scored_in_the_precision_of_training() -> None:
    recipe = {"data": "iris", "model": "mlp", "loss": "cross_entropy", "algorithm": "supervised"}
    parts = build_parts(load_recipe(recipe)[1])
    seen: list[torch.dtype] = []
    parts.model.register_forward_hook(lambda _, __, output: seen.append(output.dtype))
    for autocast, expected in (
        (nullcontext, torch.float32),
        (lambda: torch.autocast("cpu", dtype=torch.bfloat16), torch.bfloat16),
    ):
        evaluate(parts.model, parts.loss, parts.source, "test", autocast)
        assert seen == [expected]
        seen.clear()


def small(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


def test_where_arithmetic_happens_is_decided_once_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    convolution, dense, large = small(nn.Conv2d(1, 2, 3)), small(nn.Linear(4, 2)), small(nn.Linear(1000, 1000))
    monkeypatch.setattr(runtime, "available_devices", lambda: ["cpu"])
    machine = runtime.resolve_machine(Runtime())
    assert machine.device == "cpu"
    for native in (True, False):
        monkeypatch.setattr(runtime, "has_native_bf16", lambda device, native=native: native)
        precisions = [runtime.resolve_model(machine, m, 8).precision for m in (convolution, dense, large)]
        assert precisions == (["bf16", "fp32", "bf16"] if native else ["fp32"] * 3)
    layouts = [runtime.resolve_model(machine, m, 8).channels_last for m in (convolution, dense, large)]
    assert layouts == [True, False, False]
    asked = Runtime(precision="fp32", channels_last=False, threads=3)
    resolved = runtime.resolve_model(asked, convolution, 8)
    assert (resolved.precision, resolved.channels_last, resolved.threads) == ("fp32", False, 3)


def test_threads_are_shared_between_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    large = small(nn.Linear(1000, 1000))
    threads = [runtime.resolve_model(Runtime(device="cpu", processes=n), large, 64).threads for n in (1, 2, 3, 8, 100)]
    assert threads == [8, 4, 2, 1, 1]
    assert runtime.resolve_model(Runtime(device="cpu"), small(nn.Linear(4, 2)), 64).threads == 1


@pytest.mark.promise("R9")
def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "available_devices", lambda: ["cpu"])
    with pytest.raises(InputError, match=r"^runtime\.device: this machine has no cuda; it has cpu$"):
        runtime.resolve_machine(Runtime(device="cuda"))


def test_channels_last_is_memory_and_not_values() -> None:
    model = small(nn.Conv2d(3, 4, 3))
    weight = model[0].weight.detach().clone()  # type: ignore[index,union-attr]
    placed = runtime.place(model, Runtime(channels_last=True), torch.device("cpu"))
    stored: Iterable[int] = placed[0].weight.stride()  # type: ignore[index]
    assert tuple(stored) == torch.empty(4, 3, 3, 3).to(memory_format=torch.channels_last).stride()
    assert torch.equal(placed[0].weight, weight)  # type: ignore[index]


def test_only_bf16_casts() -> None:
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        with runtime.autocast(Runtime(device="cpu", precision=precision))():  # type: ignore[arg-type]
            assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype


@pytest.mark.promise("R2")
def test_by_the_clock_a_save_comes_soon_then_ever_more_rarely_and_never_takes_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A step takes a second, a save two at first and then ten."""
    now, saved = [0.0], []
    monkeypatch.setattr("fourfold.run.loop.time.monotonic", lambda: now[0])
    training = Counting()
    step = training.step

    def a_second() -> LossValue:
        now[0] += 1
        return step()

    def save(outcome: Outcome, pending: list[LossValue]) -> None:
        saved.append(outcome.step)
        now[0] += 0.1 if len(saved) < 6 else 10

    training.step = a_second  # type: ignore[method-assign]
    train(
        training, Schedule(600, 1, 600, None), Progress(0),
        pending=[], record=lambda *_: None, validate=dict, checkpoint=save,
        agree=None, watcher=Watcher(), stop=Stop(),
    )  # fmt: skip
    gaps = [after - before for before, after in pairwise(saved)]
    assert saved[0] == 5  # steps without a validation between them
    assert gaps == [6, 12, 24, 48, 60, 190, 190]


def test_a_run_without_a_checkpoint_says_that_it_begins_again(tmp_path: Path) -> None:
    class Killed(Watcher):
        def progressed(self, step: int, metrics: Mapping[str, float], examples_per_second: float) -> None:
            raise KeyboardInterrupt

    class Heard(Watcher):
        notices: ClassVar[list[str]] = []

        def said(self, notice: str) -> None:
            self.notices.append(notice)

    with pytest.raises(KeyboardInterrupt):
        ff.run("iris-softmax", workspace=tmp_path, watcher=Killed())
    ff.resume(tmp_path / "iris-softmax-1", watcher=Heard())
    assert Heard.notices == ["no checkpoint was saved before it ended; it begins again, from step 0"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [(106, []), (1000, ["budget.batch_size: 106, all training examples, where 1,000 were asked for"])],
)
def test_a_batch_that_is_cut_is_told(asked: int, told: list[str], tmp_path: Path) -> None:
    run = ff.run("iris-softmax", {"budget.batch_size": asked, "budget.epochs": 2}, workspace=tmp_path)
    assert [note for note in run.result["notes"] if "batch_size" in note] == told
