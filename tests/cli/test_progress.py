"""The lines of a run on stderr, where that is a file."""

import pytest

from fourfold.cli import progress
from fourfold.cli.progress import Progress
from fourfold.run.watch import Setup


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def setup(steps: int = 60, counts: str = "examples", counted_later: str = "") -> Setup:
    return Setup("a-1", steps, 0, 100, {"train": 28}, [], "cpu", "fp32", "accuracy", counts, "", counted_later)


def lines(capsys) -> list[str]:
    return [line.strip() for line in capsys.readouterr().err.splitlines() if " step " in line]


def test_a_run_that_stops_early_within_seconds_has_a_line(clock, capsys) -> None:
    shown = Progress()
    shown.started(setup())
    for step in (2, 22):
        clock[0] += 1
        shown.progressed(step, {"train.loss": 0.5 / step, "validation.accuracy": 0.5}, 1000.0)
    assert lines(capsys) == []
    clock[0] += 1  # the scores take time that is not training's
    shown.ended("done")
    assert lines(capsys) == ["step 22 of 60: loss 0.02273 · accuracy 0.5 · 1,000 examples/s · 2 s"]


def test_the_last_step_has_one_line_and_a_long_run_one_now_and_then(clock, capsys) -> None:
    shown = Progress()
    shown.started(setup())
    for step in (20, 40, 60):
        clock[0] += 12
        shown.progressed(step, {"train.loss": 1.0}, 10.0)
    shown.ended("done")
    assert [line.split(":")[0] for line in lines(capsys)] == [f"step {step} of 60" for step in (20, 40, 60)]


def test_a_loss_with_auxiliary_outputs_stands_beside_the_main_output_s(clock, capsys) -> None:
    shown = Progress()
    shown.started(setup())
    terms = {"train.loss": 1.6, "train.main": 1.0, "train.auxiliary": 0.6}
    shown.progressed(60, terms, 10.0)
    assert lines(capsys) == ["step 60 of 60: loss 1.6 · main output's 1 · 10 examples/s · 0 s"]


def test_a_run_without_a_point_has_no_line_and_the_next_does_not_take_over_the_last_one_s(clock, capsys) -> None:
    shown = Progress()
    shown.started(setup())
    shown.progressed(7, {"train.loss": 1.0}, 10.0)
    shown.started(setup())  # another fold's
    shown.ended("interrupted")
    assert lines(capsys) == []


def test_one_step_is_singular_and_what_is_found_by_training_is_not_counted_before(clock, capsys) -> None:
    Progress().started(setup(steps=1, counted_later="support vectors"))
    first, second = capsys.readouterr().err.splitlines()
    assert first == "a-1: support vectors, counted after training, on cpu (fp32); examples: 28 train"
    assert second == "  training for 1 step"
    Progress().started(setup())
    assert "a-1: 100 parameters on cpu" in capsys.readouterr().err


def test_speed_is_of_what_the_loss_counts(clock, capsys) -> None:
    shown = Progress()
    shown.started(setup(counts="tokens"))
    clock[0] += 1
    shown.progressed(60, {"train.loss": 0.5}, 1000.0)
    assert lines(capsys) == ["step 60 of 60: loss 0.5 · 1,000 tokens/s · 1 s"]


def test_what_an_environment_is_made_of_is_no_examples(capsys) -> None:
    sizes = {"train": 10_000, "validation": 20, "test": 100}
    Progress().started(Setup("a-1", 60, 0, 100, sizes, [], "cpu", "fp32", "return", "transitions", "control"))
    said = capsys.readouterr().err.splitlines()[0]
    assert said.endswith("; episodes: 20 validation / 100 test, and 10,000 transitions count as an epoch")


def test_no_speed_is_said_where_none_was_measured(clock, capsys) -> None:
    shown = Progress()
    shown.started(setup(counts="tokens"))
    shown.progressed(60, {"train.loss": 0.5}, 0.0)
    assert lines(capsys) == ["step 60 of 60: loss 0.5 · 0 s"]
