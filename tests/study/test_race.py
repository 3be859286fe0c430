import math

import pytest
import torch

from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.algorithms.optimizers.adam import AdamConfig
from fourfold.algorithms.optimizers.base import OptimizerConfig
from fourfold.algorithms.optimizers.momentum import MomentumConfig
from fourfold.algorithms.optimizers.sgd import SGDConfig
from fourfold.core.errors import InputError
from fourfold.study.paths import step_sizes
from fourfold.study.race import describe_path, nearest_minimum, race
from fourfold.study.surfaces import SURFACES

RAVINE = SURFACES["ravine"]


def _twin(name: str, place: torch.nn.Parameter, config: OptimizerConfig) -> torch.optim.Optimizer:
    c = config.to_mapping()
    lr = c["lr"]
    if name in ("sgd", "momentum", "nesterov", "lars"):
        return torch.optim.SGD([place], lr=lr, momentum=c.get("momentum", 0), nesterov=name == "nesterov")
    if name == "adagrad":
        return torch.optim.Adagrad([place], lr=lr, eps=c["eps"])
    if name == "adadelta":
        return torch.optim.Adadelta([place], lr=lr, rho=c["rho"], eps=c["eps"])
    if name == "rmsprop":
        return torch.optim.RMSprop([place], lr=lr, alpha=c["alpha"], eps=c["eps"])
    assert name == "adam"
    return torch.optim.Adam([place], lr=lr, betas=(c["beta1"], c["beta2"]), eps=c["eps"])


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_torch_takes_the_same_path(name: str, surface: str) -> None:
    lr = 1e-3 if name in ("sgd", "momentum", "nesterov", "lars") else 0.05
    config = OPTIMIZERS.parse({"name": name, "lr": lr}, "optimizer")
    assert isinstance(config, OptimizerConfig)
    chosen = SURFACES[surface]
    path = race({name: config}, chosen, 60)[name]
    place = torch.nn.Parameter(torch.tensor(chosen.start, dtype=torch.float64))
    twin = _twin(name, place, config)
    expected = [place.detach().clone()]
    for _ in range(60):
        twin.zero_grad()
        chosen.value(place).backward()
        twin.step()
        expected.append(place.detach().clone())
    torch.testing.assert_close(path.points, torch.stack(expected), rtol=1e-9, atol=1e-9)
    assert path.points[-1].tolist() != path.points[0].tolist()


def test_descent_of_the_ravine_is_a_power_of_one_minus_lr_times_curvature() -> None:
    path = race({"sgd": SGDConfig(lr=0.03)}, RAVINE, 30)["sgd"]
    steps = torch.arange(31, dtype=torch.float64)
    x, y = -4 * (1 - 0.03) ** steps, 2 * (1 - 0.03 * 50) ** steps
    torch.testing.assert_close(path.points, torch.stack([x, y], dim=1))
    torch.testing.assert_close(path.losses, (x**2 + 50 * y**2) / 2)
    torch.testing.assert_close(step_sizes(path.points), 0.03 * path.gradient_norms)
    assert (path.steps, path.diverged) == (30, False)


def test_noise_is_the_same_for_every_optimizer_and_of_the_stated_size() -> None:
    racers = {"a": SGDConfig(lr=1e-9), "b": SGDConfig(lr=2e-9)}
    paths = race(racers, RAVINE, 1000, noise=0.5, seed=7)
    again = race({"b": SGDConfig(lr=2e-9)}, RAVINE, 1000, noise=0.5, seed=7)
    assert torch.equal(paths["b"].points, again["b"].points)
    other = race({"b": SGDConfig(lr=2e-9)}, RAVINE, 1000, noise=0.5, seed=8)
    assert not torch.equal(paths["b"].points, other["b"].points)
    plain = race(racers, RAVINE, 1000)
    moved = {name: (paths[name].points - plain[name].points).diff(dim=0) for name in racers}
    drawn = -moved["a"] / 1e-9
    torch.testing.assert_close(drawn, -moved["b"] / 2e-9, rtol=0, atol=1e-4)
    assert drawn.std(0).tolist() == pytest.approx([0.5, 0.5], rel=0.1)
    assert drawn.mean(0).abs().max() < 0.06


def test_a_race_that_diverges_ends_before_the_first_number_that_is_not_finite() -> None:
    path = race({"sgd": SGDConfig(lr=1.0)}, SURFACES["rosenbrock"], 50)["sgd"]
    assert path.diverged
    assert 1 <= path.steps < 50
    assert path.points.isfinite().all()
    assert path.losses.isfinite().all()
    assert len(path.points) == len(path.losses) == len(path.gradient_norms) + 1
    facts = describe_path(path, SURFACES["rosenbrock"])
    assert (facts.arrived, facts.diverged) == (None, True)


def test_momentum_overshoots_a_ravine_that_descent_does_not() -> None:
    paths = race({"sgd": SGDConfig(lr=0.03), "momentum": MomentumConfig(lr=0.03)}, RAVINE, 150)
    facts = {name: describe_path(path, RAVINE) for name, path in paths.items()}
    assert facts["sgd"].overshoot == 0
    assert facts["momentum"].overshoot > 1
    assert facts["momentum"].length > facts["sgd"].length
    assert facts["sgd"].arrived == math.ceil(math.log(0.1 / 4) / math.log(0.97))  # from then on |y| is nothing


def test_adam_s_first_step_is_lr_in_both_directions() -> None:
    facts = describe_path(race({"adam": AdamConfig(lr=0.3)}, RAVINE, 1)["adam"], RAVINE)
    assert facts.first_step == facts.last_step == pytest.approx(0.3 * math.sqrt(2), rel=1e-6)


def test_leaving_the_saddle_is_told_by_the_way_down() -> None:
    surface = SURFACES["saddle"]
    fast, slow = (describe_path(race({"a": SGDConfig(lr=lr)}, surface, 200)["a"], surface) for lr in (0.5, 0.05))
    assert slow.left_saddle is not None
    assert fast.left_saddle is not None
    assert slow.left_saddle > 2 * fast.left_saddle
    assert fast.minimum == (0.0, 1.0)
    stuck = describe_path(race({"a": SGDConfig(lr=0.1)}, surface, 100, start=(1.0, 0.0))["a"], surface)
    assert stuck.left_saddle is None  # Nesterov's example: from here descent ends on the saddle


def test_the_nearest_minimum() -> None:
    assert nearest_minimum(torch.tensor([3.0, -2.0], dtype=torch.float64), SURFACES["himmelblau"])[0] > 3.5


@pytest.mark.parametrize(
    ("steps", "noise", "says"),
    [(0, 0.0, "steps: expected at least 1"), (5, -1.0, "noise: expected"), (5, math.nan, "noise: expected")],
)
def test_numbers_out_of_range_are_refused(steps: int, noise: float, says: str) -> None:
    with pytest.raises(InputError, match=says):
        race({"sgd": SGDConfig()}, RAVINE, steps, noise=noise)
