"""Every schedule gives the learning rates of torch.optim.lr_scheduler, or of its paper's formula."""

import json
import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as theirs
from torch.optim.swa_utils import SWALR
from verification import verified

from fourfold.algorithms.schedules import SCHEDULES
from fourfold.algorithms.schedules.base import Schedule, ScheduleConfig
from fourfold.core.errors import InputError

LR = 0.3


def build(config: Any, steps: int) -> Schedule:
    parsed = SCHEDULES.parse(config, "algorithm.schedule")
    assert isinstance(parsed, ScheduleConfig)
    return parsed.build(steps)


def factors(config: Any, steps: int) -> list[float]:
    schedule = build(config, steps)
    return [schedule(step) for step in range(steps)]


def torch_factors(make: Callable[[torch.optim.Optimizer], Any], steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"] / LR)
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.promise("R14")
def test_swa_falls_as_torchs_swalr_does_and_then_stays() -> None:
    ours = factors({"name": "swa", "fall": 20, "start": 30, "high": 0.2}, 40)
    group = {"anneal_strategy": "linear", "anneal_epochs": 10, "swa_lr": 0.2 * LR}
    falling = torch_factors(lambda o: SWALR(o, **group), 11)
    assert ours == pytest.approx([1.0] * 20 + falling[:10] + [0.2] * 10, rel=1e-12)
    assert falling[10] == pytest.approx(0.2)
    verified("schedule", "swa", "torch's SWALR", "factors", ours[20:30], falling[:10])


def test_swa_cycles_as_the_paper_has_it() -> None:
    ours = factors({"name": "swa", "fall": 1, "start": 2, "high": 0.5, "low": 0.1, "cycle_steps": 4}, 11)
    t = [((i - 1) % 4 + 1) / 4 for i in range(1, 10)]
    assert ours[2:] == pytest.approx([(1 - x) * 0.5 + x * 0.1 for x in t])
    assert ours[5] == ours[9] == pytest.approx(0.1)  # the last of a cycle, where a network is taken
    assert factors({"name": "swa", "fall": 0.3, "start": 0.3, "high": 0.5}, 10) == [1.0] * 3 + [0.5] * 7


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"fall": 30, "start": 20}, "swa.fall, step 30, comes after swa.start, step 20"),
        ({"high": 0.1, "low": 0.5}, "low of 0.5 is above high of 0.1"),
        ({"start": 1.5}, "start"),
    ],
)
def test_swa_schedules_that_make_no_sense_are_refused(fields, words) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        build({"name": "swa", **fields}, 100)


def test_constant() -> None:
    assert factors("constant", 5) == [1.0] * 5


@pytest.mark.promise("R14")
@pytest.mark.parametrize(
    ("at", "milestones"),
    [
        ([3, 10], [3, 10]),
        ([0.5, 0.75], [10, 15]),
        ([10, 0.15], [3, 10]),
        ([0.01], [0]),
        ([0.58], [12]),  # 11.6: to the nearest
        ([0.5, 10], [10, 10]),
        ([1, 32000], [1, 32000]),
    ],
)
def test_step_equals_multi_step(at, milestones) -> None:
    ours = factors({"name": "step", "at": at, "factor": 0.2}, 20)
    expected = torch_factors(lambda o: theirs.MultiStepLR(o, [m for m in milestones if m], gamma=0.2), 20)
    scale = 0.2 ** milestones.count(0)  # torch cannot drop before the first step
    assert ours == pytest.approx([scale * e for e in expected], rel=1e-12)
    verified("schedule", "step", "torch's MultiStepLR", "factors", ours, [scale * e for e in expected])


@pytest.mark.promise("R14")
def test_step_equals_steps_of_one_size() -> None:
    ours = factors({"name": "step", "at": [4, 8, 12], "factor": 0.5}, 16)
    assert ours == pytest.approx(torch_factors(lambda o: theirs.StepLR(o, 4, gamma=0.5), 16), rel=1e-12)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("minimum", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("steps", [1, 7, 100])
def test_cosine_equals_torch(steps, minimum) -> None:
    ours = factors({"name": "cosine", "minimum": minimum}, steps)
    expected = torch_factors(lambda o: theirs.CosineAnnealingLR(o, steps, eta_min=minimum * LR), steps)
    assert ours == pytest.approx(expected, rel=1e-9, abs=1e-12)
    verified("schedule", "cosine", "torch's CosineAnnealingLR", "factors", ours, expected)


@pytest.mark.promise("R14")
@pytest.mark.filterwarnings("ignore:The epoch parameter")  # SequentialLR uses what torch itself warns of
@pytest.mark.parametrize("start", [0.01, 0.5, 1.0])
def test_warmup_equals_linear_then_cosine(start) -> None:
    config = {"name": "warmup", "steps": 6, "start": start, "then": {"name": "cosine", "minimum": 0.05}}

    def make(optimizer: torch.optim.Optimizer) -> Any:
        rise = theirs.LinearLR(optimizer, start_factor=start, total_iters=6)
        fall = theirs.CosineAnnealingLR(optimizer, 24, eta_min=0.05 * LR)
        return theirs.SequentialLR(optimizer, [rise, fall], milestones=[6])

    ours, expected = factors(config, 30), torch_factors(make, 30)
    assert ours == pytest.approx(expected, rel=1e-9)
    verified("schedule", "warmup", "torch's LinearLR, then CosineAnnealingLR", "factors", ours, expected)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("steps", [2, 3, 10, 101])
@pytest.mark.parametrize("rise", [0.1, 0.3, 0.5])
@pytest.mark.parametrize(("arc", "theirs_name"), [("cosine", "cos"), ("linear", "linear")])
def test_one_cycle_equals_torch(steps, rise, arc, theirs_name) -> None:
    config = {"name": "one_cycle", "rise": rise, "arc": arc, "start_divisor": 10.0, "end_divisor": 100.0}

    def make(optimizer: torch.optim.Optimizer) -> Any:
        return theirs.OneCycleLR(
            optimizer,
            max_lr=LR,
            total_steps=steps + 1,
            pct_start=rise,
            anneal_strategy=theirs_name,
            div_factor=10.0,
            final_div_factor=100.0,
            cycle_momentum=False,
        )

    expected = torch_factors(make, steps)
    longer = build(config, steps + 1)  # torch's last call would be one too many
    ours = [longer(step) for step in range(steps)]
    assert ours == pytest.approx(expected, rel=1e-9)
    verified("schedule", "one_cycle", "torch's OneCycleLR", "factors", ours, expected)


def test_one_cycle_whose_rise_is_one_step() -> None:
    """The peak is the first step, where torch's formula would divide by zero."""
    assert factors({"name": "one_cycle", "rise": 0.1}, 10)[0] == 1.0


def test_one_cycle_ends_where_it_says() -> None:
    ours = factors({"name": "one_cycle"}, 100)
    assert ours[0] == pytest.approx(1 / 25)
    assert max(ours) == ours[29] == 1.0
    assert ours[-1] == pytest.approx(1 / 25 / 1e4)


@pytest.mark.promise("R14")
@pytest.mark.parametrize(("d_model", "warmup_steps"), [(512, 4000), (64, 25)])
def test_noam_is_equation_3(d_model, warmup_steps) -> None:
    ours = build({"name": "noam", "d_model": d_model, "warmup_steps": warmup_steps}, 100_000)
    peak = warmup_steps - 1  # the paper counts from 1
    assert ours(0) == pytest.approx(1 / math.sqrt(d_model) / (warmup_steps * math.sqrt(warmup_steps)))
    assert ours(peak) == pytest.approx(1 / math.sqrt(d_model * warmup_steps))
    assert ours(4 * warmup_steps - 1) == pytest.approx(ours(peak) / 2)
    assert max(range(2 * warmup_steps), key=ours) == peak
    equation = [d_model**-0.5 * min(n**-0.5, n * warmup_steps**-1.5) for n in range(1, 3 * warmup_steps)]
    made = [ours(step) for step in range(3 * warmup_steps - 1)]
    assert made == pytest.approx(equation, rel=1e-12)
    verified("schedule", "noam", "Eq. 3 by hand", "factors", made, equation)


def test_noam_s_peak_is_the_papers_for_its_base_model() -> None:
    assert build("noam", 100_000)(3999) == pytest.approx(0.0007, rel=2e-3)


def test_warmup_joins_what_follows_without_a_jump() -> None:
    ours = factors({"name": "warmup", "steps": 10, "start": 0.0, "then": {"name": "noam", "warmup_steps": 1}}, 20)
    rises = [b - a for a, b in pairwise(ours[:11])]
    assert rises == pytest.approx([rises[0]] * 10)
    assert ours[0] == 0.0


def test_warmup_as_a_share_and_by_default() -> None:
    ours = factors("warmup", 100)
    assert ours[5:] == [1.0] * 95
    assert ours[0] == 0.01
    assert ours[:6] == sorted(ours[:6])


@pytest.mark.parametrize("steps", [500, 499])
def test_warmup_longer_than_the_run(steps) -> None:
    with pytest.raises(InputError, match=f"warm-up of 500 steps does not fit into a run of {steps}"):
        build({"name": "warmup", "steps": 500}, steps)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"name": "step", "at": [0]}, r"algorithm\.schedule\.at\.0: expected a whole number"),
        ({"name": "step", "at": [1.5]}, r"algorithm\.schedule\.at\.0: expected a whole number"),
        ({"name": "step", "at": [-0.5]}, r"algorithm\.schedule\.at\.0: expected a whole number"),
        ({"name": "step", "at": []}, r"algorithm\.schedule\.at"),
        ({"name": "warmup", "steps": 1.0}, r"algorithm\.schedule\.steps: expected a whole number"),
        ({"name": "warmup", "then": {"name": "cosin"}}, "did you mean 'cosine'"),
        ({"name": "warmup", "then": {"name": "cosine", "minimun": 0.1}}, "did you mean 'minimum'"),
        ({"name": "one_cycle", "arc": "cos"}, "did you mean 'cosine'"),
        ({"name": "noam", "d_model": 0}, r"algorithm\.schedule\.d_model"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(config, words) -> None:
    with pytest.raises(InputError, match=words) as caught:
        SCHEDULES.parse(config, "algorithm.schedule")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_every_schedule_survives_json_and_stays_in_range(name) -> None:
    config = SCHEDULES.parse(name, "algorithm.schedule")
    again = SCHEDULES.parse(json.loads(json.dumps(config.to_mapping())), "algorithm.schedule")
    assert again == config
    for steps in (2, 50):
        assert all(0 <= factor <= 1 for factor in factors(config, steps))
        assert factors(config, steps) == factors(again, steps)
