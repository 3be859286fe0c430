"""DCGAN: PyTorch's example in its counts and its layers, the stages of the paper's Fig. 1, and other sizes."""

import pytest
import torch
from torch import nn
from verification import verified

from fourfold.core.errors import InputError
from fourfold.models import DCGAN, MODELS
from fourfold.models.dcgan import base_side
from fourfold.tasks.inputs import Features, Image
from fourfold.tasks.synthesis import ImageSynthesisSpec, PointSynthesisSpec, TwoPlayers


def counts(model: DCGAN) -> tuple[int, int]:
    return tuple(sum(p.numel() for p in player.parameters()) for player in (model.generator, model.discriminator))


@pytest.mark.promise("R14")
def test_counts_of_pytorchs_example() -> None:
    model = DCGAN(channels=3, side=64, base=4, latent=100, width=64)
    assert counts(model) == (3_576_704, 2_765_568)
    by_hand = 16 * (100 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 2 * (512 + 256 + 128 + 64)
    assert by_hand == 3_576_704


@pytest.mark.promise("R14")
def test_the_same_layers_in_torch_with_copied_weights() -> None:
    torch.manual_seed(0)
    ours = DCGAN(channels=3, side=32, base=4, latent=11, width=6).double()
    stages: list[nn.Module] = [nn.ConvTranspose2d(11, 24, 4, 1, 0, bias=False), nn.BatchNorm2d(24), nn.ReLU()]
    stages += [nn.ConvTranspose2d(24, 12, 4, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU()]
    stages += [nn.ConvTranspose2d(12, 6, 4, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU()]
    generator = nn.Sequential(*stages, nn.ConvTranspose2d(6, 3, 4, 2, 1, bias=False), nn.Tanh())
    discriminator = nn.Sequential(
        *(nn.Conv2d(3, 6, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(6, 12, 4, 2, 1, bias=False), nn.BatchNorm2d(12), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(12, 24, 4, 2, 1, bias=False), nn.BatchNorm2d(24), nn.LeakyReLU(0.2)),
        nn.Conv2d(24, 1, 4, 1, 0, bias=False),
    )
    for theirs, player in ((generator, ours.generator), (discriminator, ours.discriminator)):
        theirs.double().load_state_dict(dict(zip(theirs.state_dict(), player.state_dict().values(), strict=True)))
    z = torch.randn(5, 11).double()
    for mode in (True, False):  # batch statistics, then running ones
        for each in (ours, generator, discriminator):
            each.train(mode)
        made = ours.generator(z), generator(z.view(5, 11, 1, 1))
        scores = ours.discriminator(made[0]), discriminator(made[1]).flatten()
        torch.testing.assert_close(*made, rtol=1e-10, atol=0)
        torch.testing.assert_close(*scores, rtol=1e-10, atol=0)
        for score in scores:
            score.square().sum().backward()
        pairs = [(ours.generator, generator), (ours.discriminator, discriminator)]
        gradients = [[p.grad for each in side for p in each.parameters()] for side in zip(*pairs, strict=True)]
        statistics = [[b.double() for each in side for b in each.buffers()] for side in zip(*pairs, strict=True)]
        verified("network", "dcgan", "torch's layers", "outputs", *zip(made, scores, strict=True))
        verified("network", "dcgan", "torch's layers", "gradients", *gradients)
        verified("network", "dcgan", "torch's layers", "statistics", *statistics)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_first_and_the_last_layer_are_the_convolutions_they_are_stored_as(layout) -> None:
    torch.manual_seed(0)
    model = DCGAN(channels=1, side=28, base=7, latent=9, width=4).to(memory_format=layout)
    z, maps = torch.randn(3, 9), torch.randn(3, 8, 7, 7)
    projected = model.generator.project(z.view(3, 9, 1, 1))
    weight = model.generator.project.weight.permute(0, 2, 3, 1)
    torch.testing.assert_close((z @ weight.flatten(1)).view(3, 7, 7, 8).permute(0, 3, 1, 2), projected)
    heard = model.discriminator.score(maps).flatten()
    model.discriminator.layers = nn.Identity()
    torch.testing.assert_close(model.discriminator(maps), heard, rtol=1e-5, atol=1e-6)


def test_stages_of_figure_1() -> None:
    model = MODELS.parse("dcgan", "model").build(ImageSynthesisSpec(Image(3, 64, 64)))
    shapes: list[tuple[int, ...]] = []
    for layer in model.generator.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _m, _i, output: shapes.append(tuple(output.shape[1:])))
    model.generator(torch.randn(2, 100))
    assert model.generator.project.weight.shape == (100, 1024, 4, 4)
    assert shapes == [(512, 8, 8), (256, 16, 16), (128, 32, 32), (3, 64, 64)]


@pytest.mark.parametrize(("side", "base"), [(8, 4), (28, 7), (32, 4), (48, 6), (64, 4), (40, 5), (128, 4)])
def test_sizes(side, base) -> None:
    assert base_side(side) == base
    model = MODELS.parse({"name": "dcgan", "width": 2, "latent": 3}, "model").build(
        ImageSynthesisSpec(Image(1, side, side))
    )
    made = model.generator(torch.randn(2, 3))
    assert made.shape == (2, 1, side, side)
    assert made.abs().max() <= 1
    assert model.discriminator(made).shape == (2,)
    assert isinstance(model, TwoPlayers)


@pytest.mark.parametrize("side", [1, 4, 7, 9, 18, 30])
def test_sizes_that_cannot_be_halved_are_refused(side) -> None:
    assert base_side(side) is None
    with pytest.raises(InputError, match=f"and these are {side}x{side}"):
        MODELS.parse("dcgan", "model").build(ImageSynthesisSpec(Image(1, side, side)))


def test_what_is_no_square_picture_is_refused() -> None:
    with pytest.raises(InputError, match="these are 32x64"):
        MODELS.parse("dcgan", "model").build(ImageSynthesisSpec(Image(1, 32, 64)))
    with pytest.raises(InputError, match="dcgan needs pictures, but this data gives rows of 2 numbers"):
        MODELS.parse("dcgan", "model").build(PointSynthesisSpec(Features(("x", "y"))))


def test_weights_are_drawn_as_the_paper_says() -> None:
    torch.manual_seed(0)
    model = DCGAN(channels=3, side=32, base=4, latent=50, width=32)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
            assert layer.bias is None
        elif isinstance(layer, nn.BatchNorm2d):
            assert float(layer.weight.detach().mean()) == pytest.approx(1, abs=0.02)
            assert not layer.bias.any()
