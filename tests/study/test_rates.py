import pytest

from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.algorithms.optimizers.base import OptimizerConfig
from fourfold.study.race import race
from fourfold.study.rates import RATES
from fourfold.study.surfaces import SURFACES


def test_every_optimizer_has_a_rate_on_every_surface() -> None:
    assert list(RATES) == list(SURFACES)
    racing = [name for name in OPTIMIZERS if name != "lars"]  # on two numbers that are one tensor it is momentum
    assert all(list(rates) == racing for rates in RATES.values())


@pytest.mark.parametrize("name", SURFACES)
def test_every_racer_gets_down_and_stays_in_the_picture(name: str) -> None:
    surface = SURFACES[name]
    configs: dict[str, OptimizerConfig] = {}
    for optimizer, lr in RATES[name].items():
        config = OPTIMIZERS.parse({"name": optimizer, "lr": lr}, "optimizer")
        assert isinstance(config, OptimizerConfig)
        configs[optimizer] = config
    for optimizer, path in race(configs, surface, surface.steps).items():
        inside = [surface.window.holds(x, y) for x, y in path.points.tolist()]
        assert all(inside), optimizer
        assert float(path.losses[-1]) - float(path.losses[0]) < -0.5 * abs(float(path.losses[0])), optimizer


def test_what_is_said_of_the_saddle_and_the_wells_is_so() -> None:
    ends: dict[str, dict[str, float]] = {}
    for surface in ("saddle", "wells"):
        configs = {name: OPTIMIZERS.parse({"name": name, "lr": lr}, "o") for name, lr in RATES[surface].items()}
        paths = race(configs, SURFACES[surface], SURFACES[surface].steps)  # pyright: ignore[reportArgumentType]
        ends[surface] = {name: float(path.points[-1][1 if surface == "saddle" else 0]) for name, path in paths.items()}
    assert abs(ends["saddle"]["sgd"]) < 0.5 < 0.9 < abs(ends["saddle"]["momentum"])
    over = {name for name, x in ends["wells"].items() if x > -0.5}
    assert over == {"momentum", "nesterov"}
