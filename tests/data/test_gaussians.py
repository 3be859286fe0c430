"""The mixture: where its components are, what a step draws, and scores that repeat and disturb nothing."""

import math
from pathlib import Path

import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data.gaussians import GaussiansConfig, GaussiansSource
from fourfold.models import GAN, MODELS
from fourfold.tasks.seam import Order


def source(seed: int = 0, **fields) -> GaussiansSource:
    return GaussiansConfig(**{"examples": 100, "scored": 200, **fields}).build(seed, Path("nowhere"))


def network() -> GAN:
    torch.manual_seed(0)
    sizes = {"latent": 2, "generator_widths": [8], "discriminator_widths": [8]}
    return MODELS.parse({"name": "gan", **sizes}, "model").build(source().spec).eval()


def test_centres_of_the_grid_and_of_the_ring() -> None:
    grid = source().centres
    assert sorted({x for x, _ in grid.tolist()}) == [-4, -2, 0, 2, 4]
    assert len({tuple(point) for point in grid.tolist()}) == 25
    ring = source(layout="ring", components=8, spacing=2.0).centres
    torch.testing.assert_close(ring[1], torch.tensor([math.sqrt(2), math.sqrt(2)], dtype=torch.float64))
    torch.testing.assert_close(ring.norm(dim=1), torch.full((8,), 2.0, dtype=torch.float64))
    with pytest.raises(
        InputError, match=r"data\.components: 24 is no square number, as a grid needs; the nearest is 25"
    ):
        source(components=24)


def test_points_are_of_the_mixture() -> None:
    points = next(source(deviation=0.3).train(Order(1, 40_000))).inputs[0].double()
    assert points.mean(0).abs().max() < 0.05
    assert points.var(0).mean() == pytest.approx(8 + 0.09, rel=0.02)  # of the centres and around them
    around = points - 2 * (points / 2).round()
    assert around.std() == pytest.approx(0.3, rel=0.02)


@pytest.mark.promise("R1")
def test_seeking_to_any_step_equals_replaying_up_to_it() -> None:
    played = source().train(Order(3, 7))
    for step in range(5):
        batch = next(played)
        sought = source().train(Order(3, 7))
        sought.seek(step)
        assert torch.equal(next(sought).inputs[0], batch.inputs[0])


@pytest.mark.promise("R13")
def test_shares_of_processes_make_up_the_batch() -> None:
    whole = next(source().train(Order(3, 7))).inputs[0]
    shares = [next(source().train(Order(3, 7, rank, 3))).inputs[0] for rank in range(3)]
    assert torch.equal(torch.cat(shares), whole)


def test_points_that_are_not_trained_on_stay_unless_told_otherwise() -> None:
    def points(seed: int, **fields) -> torch.Tensor:
        return torch.cat([batch.inputs[0] for batch in source(seed, **fields).split("test", 64)])

    assert torch.equal(points(0), points(1))
    assert not torch.equal(points(0, data_seed=None), points(1, data_seed=None))
    validation = torch.cat([batch.inputs[0] for batch in source().split("validation", 64)])
    assert not torch.equal(points(0), validation)


@pytest.mark.promise("R12")
def test_scores_repeat_and_leave_training_s_stream_alone() -> None:
    data, model = source(), network()
    state = torch.get_rng_state()
    first = data.evaluate(model, "validation")
    assert first == data.evaluate(model, "validation")
    assert torch.equal(torch.get_rng_state(), state)
    assert first != data.evaluate(model, "test")
    assert set(first) == set(data.spec.metrics)


def test_the_discriminators_accuracy_is_of_both_kinds() -> None:
    data, model = source(), network()
    with torch.no_grad():
        for parameter in model.discriminator.parameters():
            parameter.zero_()
        model.discriminator.layers[-2].bias.fill_(1.0)  # it takes all for given
    assert data.evaluate(model, "test")["discriminator_accuracy"] == 0.5


def test_a_network_of_one_is_refused() -> None:
    with pytest.raises(InputError, match="Linear makes no examples; use model=gan"):
        source().evaluate(torch.nn.Linear(2, 1), "test")
