"""The nets of 2014: both players written in torch.nn.functional, counts by hand, latents."""

import pytest
import torch
from torch.nn import functional as F
from verification import verified

from fourfold.core.errors import InputError
from fourfold.models import GAN, MODELS
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.inputs import Features, Image
from fourfold.tasks.synthesis import ImageSynthesisSpec, PointSynthesisSpec, TwoPlayers


def small(**fields) -> GAN:
    torch.manual_seed(0)
    spec = ImageSynthesisSpec(Image(1, 4, 3))
    sizes = {"latent": 5, "generator_widths": [7, 6], "discriminator_widths": [4], "pieces": 3}
    return MODELS.parse({"name": "gan", **sizes, **fields}, "model").build(spec)


def test_the_generator_by_hand() -> None:
    model = small()
    z = torch.randn(8, 5).double()
    model.double()
    first, second, last = (layer for layer in model.generator.layers if isinstance(layer, torch.nn.Linear))
    h = F.relu(F.linear(F.relu(F.linear(z, first.weight, first.bias)), second.weight, second.bias))
    expected = torch.tanh(F.linear(h, last.weight, last.bias)).view(8, 1, 4, 3)
    made = model.generator(z)
    torch.testing.assert_close(made, expected, rtol=1e-12, atol=0)
    gradients = [
        torch.autograd.grad(each.square().sum(), list(model.generator.parameters())) for each in (made, expected)
    ]
    verified("network", "gan", "both players by hand", "outputs", made, expected)
    verified("network", "gan", "both players by hand", "gradients", *map(list, gradients))


def test_the_discriminator_by_hand() -> None:
    model = small().double().eval()
    x = torch.rand(8, 1, 4, 3).double() * 2 - 1
    weights = dict(model.discriminator.named_parameters())
    w, b, v, c = weights.values()
    maps = torch.stack([F.linear(x.flatten(1), w[j : j + 4], b[j : j + 4]) for j in (0, 4, 8)])
    expected = (maps.max(0).values @ v.T + c).squeeze(1)
    scores = model.discriminator(x)
    torch.testing.assert_close(scores, expected, rtol=1e-12, atol=0)
    gradients = [torch.autograd.grad(each.square().sum(), list(weights.values())) for each in (scores, expected)]
    verified("network", "gan", "both players by hand", "outputs", scores, expected)
    verified("network", "gan", "both players by hand", "gradients", *map(list, gradients))


def test_dropout_is_the_discriminators_alone() -> None:
    model = small(dropout=0.5, dropout_input=0.2)
    assert [m.p for m in model.discriminator.modules() if isinstance(m, torch.nn.Dropout)] == [0.2, 0.5]
    assert not [m for m in model.generator.modules() if isinstance(m, torch.nn.Dropout)]


def test_points_have_no_bounds() -> None:
    torch.manual_seed(0)
    model = MODELS.parse({"name": "gan", "latent": 2}, "model").build(PointSynthesisSpec(Features(("x", "y"))))
    assert not any(isinstance(layer, torch.nn.Tanh) for layer in model.generator.layers)
    assert model.generator(torch.randn(9, 2)).shape == (9, 2)
    assert model.discriminator(torch.randn(9, 2)).shape == (9,)
    assert isinstance(model, TwoPlayers)


@pytest.mark.parametrize("name", ["gan", "dcgan"])
def test_latents_are_of_the_prior(name) -> None:
    spec = ImageSynthesisSpec(Image(1, 8, 8))
    uniform, normal = (
        MODELS.parse({"name": name, "latent": 50, "prior": prior}, "model").build(spec)
        for prior in ("uniform", "normal")
    )
    draws = uniform.latents(2000, torch.Generator().manual_seed(1))
    assert draws.shape == (2000, 50)
    assert -1 <= float(draws.min()) < -0.99
    assert 0.99 < float(draws.max()) <= 1
    assert float(draws.var()) == pytest.approx(1 / 3, rel=0.02)
    draws = normal.latents(2000, torch.Generator().manual_seed(1))
    assert float(draws.var()) == pytest.approx(1, rel=0.02)
    assert torch.equal(draws, normal.latents(2000, torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("name", ["gan", "dcgan"])
def test_in_evaluation_it_judges_the_same_made_examples_each_time(name) -> None:
    torch.manual_seed(0)
    model = MODELS.parse({"name": name, "latent": 3}, "model").build(ImageSynthesisSpec(Image(1, 8, 8))).eval()
    x = torch.rand(4, 1, 8, 8)
    state = torch.get_rng_state()
    first, second = model(x), model(x)
    assert torch.equal(first.made, second.made)
    assert torch.equal(first.given, model.discriminator(x))
    assert torch.equal(torch.get_rng_state(), state)  # dropout's stream is left alone


@pytest.mark.parametrize("name", ["gan", "dcgan"])
def test_another_task_is_refused(name) -> None:
    with pytest.raises(InputError, match=f"{name} is for synthesis, but this data poses classification"):
        MODELS.parse(name, "model").build(ClassificationSpec(Image(1, 8, 8), ("a", "b")))
