"""New examples from a trained run: the same for a seed, along walks, and refused where nothing is made."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.run.run import Run
from fourfold.run.sample import STRIDE, sample, walk

POINTS: dict[str, Any] = {
    "data": {"name": "gaussians", "examples": 40, "scored": 30},
    "model": {"name": "gan", "latent": 3, "prior": "normal", "generator_widths": [6], "discriminator_widths": [6]},
    "loss": "usual",
    "algorithm": "adversarial",
    "budget": {"steps": 2, "batch_size": 12},
    "runtime": {"device": "cpu", "threads": 1},
}
PICTURES = {
    **POINTS,
    "data": {"name": "unlabelled_pictures", "of": "digits", "scored": 20},
    "model": {"name": "dcgan", "width": 4, "latent": 5},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOURFOLD_DATA", str(folder / "cache"))
        made = {name: ff.run(each, workspace=folder) for name, each in (("points", POINTS), ("pictures", PICTURES))}
    with torch.no_grad():  # which two steps have hardly moved: everything it makes is grey
        for layer in made["pictures"].model.modules():
            if isinstance(layer, torch.nn.ConvTranspose2d):
                layer.weight *= 50
    return made


def test_the_same_seed_makes_the_same_examples(runs) -> None:
    for name, shape in (("points", (300, 2)), ("pictures", (300, 1, 8, 8))):
        made = sample(runs[name], 300, seed=4)
        assert made.shape == shape
        assert torch.equal(made, sample(runs[name], 300, seed=4))
        assert not torch.equal(made, sample(runs[name], 300, seed=5))


def test_pixels_are_whole_numbers_of_the_datas_range(runs) -> None:
    made = sample(runs["pictures"], 50)
    assert torch.equal(made, made.round())
    assert float(made.min()) == 0
    assert float(made.max()) == 16


def test_a_walk_passes_through_the_drawn_points(runs) -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(4, 6, generator=generator)
    for spherical in (False, True):
        steps = walk(points, STRIDE, spherical)
        assert len(steps) == 3 * STRIDE
        torch.testing.assert_close(steps[::STRIDE], points[:-1])
    straight = walk(points, 2, spherical=False)
    torch.testing.assert_close(straight[1], (points[0] + points[1]) / 2)
    assert sample(runs["points"], 20, interpolate=True).shape == (20, 2)


def test_an_arc_stays_as_far_from_the_middle_as_its_ends() -> None:
    ends = torch.tensor([[3.0, 0.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, -3.0]])  # the second leg's have no one arc
    arc = walk(ends, 6, spherical=True)
    torch.testing.assert_close(arc[:6].norm(dim=1), torch.full((6,), 3.0))
    torch.testing.assert_close(arc[2], torch.tensor([3 * math.cos(math.pi / 6), 0.0, 3 * math.sin(math.pi / 6)]))
    assert arc.isfinite().all()


def test_what_makes_nothing_is_refused_in_one_line(runs, tmp_path: Path) -> None:
    other = ff.run("xor-mlp", {"budget.steps": 2}, workspace=tmp_path)
    with pytest.raises(InputError, match="xor-mlp-1: only a run of synthesis makes new examples, and this"):
        sample(other)
    with pytest.raises(InputError, match="num: 0; the nearest valid number is 1"):
        sample(runs["points"], 0)
