"""Noise on inputs and on weights: its distribution, its seeds, and that nothing of it stays."""

import zlib

import pytest
import torch
from torch import nn

from fourfold.algorithms.regularizers.base import tell_apart
from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.tasks.seam import Batch


def test_input_noise_has_the_deviation_asked_for(toy) -> None:
    own = toy.regularizer({"name": "input_noise", "deviation": 0.5})
    clean = torch.full((200, 500), 3.0)
    noise = own.on_batch(Batch((clean,), None), 7).inputs[0] - clean
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    assert noise.std().item() == pytest.approx(0.5, rel=0.01)
    assert noise.abs().gt(0.98).float().mean().item() == pytest.approx(0.05, abs=0.003)  # two-sided 5 % of a Gaussian
    assert torch.equal(clean, torch.full((200, 500), 3.0))  # a batch is a view of the data itself


def noise_of(own, step: int) -> torch.Tensor:
    return own.on_batch(Batch((torch.zeros(8, 3),), None), step).inputs[0]


def test_input_noise_depends_on_seed_step_and_process_only(toy) -> None:
    config = {"name": "input_noise", "deviation": 1.0}
    first = noise_of(toy.regularizer(config), 4)
    assert torch.equal(first, noise_of(toy.regularizer(config), 4))
    for other in (
        noise_of(toy.regularizer(config), 5),
        noise_of(toy.regularizer(config, seed=1), 4),
        noise_of(toy.regularizer(config, rank=1), 4),
    ):
        assert not torch.equal(first, other)
    state = torch.get_rng_state()
    noise_of(toy.regularizer(config), 4)
    assert torch.equal(torch.get_rng_state(), state)


def test_input_noise_leaves_what_is_not_a_number(toy) -> None:
    own = toy.regularizer("input_noise")
    tokens, numbers, targets = torch.arange(6), torch.zeros(6), torch.arange(6)
    batch = own.on_batch(Batch((tokens, numbers), targets), 0)
    assert batch.inputs[0] is tokens
    assert batch.targets is targets
    assert batch.inputs[1].any()
    with pytest.raises(InputError, match="input_noise is for inputs that are real numbers"):
        own.on_batch(Batch((tokens,), targets), 0)


def test_gradient_is_taken_at_the_noisy_weights_and_moves_the_clean_ones(toy) -> None:
    ours = toy.training([{"name": "weight_noise", "deviation": 0.1}], {"name": "sgd", "lr": 0.25})
    twin = toy.net()
    clean = [p.detach().clone() for p in twin.parameters()]
    toy.regularizer({"name": "weight_noise", "deviation": 0.1}, twin).before_forward(0)
    moved = [p.detach() - c for p, c in zip(twin.parameters(), clean, strict=True)]
    assert all(m.abs().min() > 0 for m in moved)
    toy.by_hand(twin, 0).backward()
    ours.step()
    expected = [c - 0.25 * p.grad for p, c in zip(twin.parameters(), clean, strict=True)]
    torch.testing.assert_close([p.detach() for p in ours.network.parameters()], expected, rtol=1e-12, atol=1e-14)


def test_weights_come_back_bit_for_bit(toy) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(50, 50), nn.Linear(50, 1))
    net[1].weight.requires_grad_(False)
    own = toy.regularizer({"name": "weight_noise", "deviation": 3.0}, net)
    before = [p.detach().clone() for p in net.parameters()]
    own.before_forward(0)
    assert torch.equal(net[1].weight, before[2])  # what is not trained is not touched
    noise = (net[0].weight - before[0]).detach()
    assert noise.std().item() == pytest.approx(3.0, rel=0.05)
    net(torch.ones(2, 50)).sum().backward()
    own.after_backward()
    assert all(torch.equal(p, b) for p, b in zip(net.parameters(), before, strict=True))


def weight_noise_of(toy, step: int, **plan: int) -> list[torch.Tensor]:
    net = nn.Sequential(nn.Linear(60, 60, bias=False), nn.Linear(60, 60, bias=False))
    before = [p.detach().clone() for p in net.parameters()]
    toy.regularizer({"name": "weight_noise", "deviation": 0.5}, net, **plan).before_forward(step)
    return [(p.detach() - b).flatten() for p, b in zip(net.parameters(), before, strict=True)]


def test_weight_noise_is_another_for_each_weight_step_seed_and_process(toy) -> None:
    first, second = weight_noise_of(toy, 4)
    again = weight_noise_of(toy, 4)[0]
    torch.testing.assert_close(first, again, rtol=0, atol=1e-6)  # weights of other nets, and so of other rounding
    at_another_step = weight_noise_of(toy, 5)[0]
    of_another_seed = weight_noise_of(toy, 4, seed=1)[0]
    in_another_process = weight_noise_of(toy, 4, rank=1)[0]
    for other in (second, at_another_step, of_another_seed, in_another_process):
        assert other.std().item() == pytest.approx(0.5, rel=0.05)
        assert abs(torch.corrcoef(torch.stack([first, other]))[0, 1].item()) < 0.08  # five deviations of 1 / 60


def test_noise_on_inputs_and_weights_is_independent(toy) -> None:
    net = nn.Linear(3, 8, bias=False)
    with torch.no_grad():
        net.weight.zero_()
    toy.regularizer({"name": "weight_noise", "deviation": 1.0}, net).before_forward(0)
    inputs = noise_of(toy.regularizer({"name": "input_noise", "deviation": 1.0}), 0)
    assert not torch.allclose(net.weight.detach(), inputs)


def test_several_noises_of_one_class_are_independent(toy) -> None:
    config, other = {"name": "input_noise", "deviation": 1.0}, {"name": "weight_noise", "deviation": 1.0}
    several = [toy.regularizer(each) for each in (config, other, config, config)]
    tell_apart(several)
    assert [each.nth for each in several] == [0, 0, 1, 2]
    noises = [several[i] for i in (0, 2, 3)]
    clean = Batch((torch.zeros(20_000),), None)
    drawn = torch.stack([each.on_batch(clean, 3).inputs[0] for each in noises])
    assert (torch.corrcoef(drawn) - torch.eye(3)).abs().max() < 0.03  # four deviations of 1 / sqrt(20,000)
    seed = stream_seed(0, "noise", zlib.crc32(b"InputNoise"), 3, 0)  # the first as if it were alone
    assert torch.equal(drawn[0], torch.randn(20_000, generator=torch.Generator().manual_seed(seed)))
    for each, noise in zip(noises, drawn, strict=True):
        assert torch.equal(noise, each.on_batch(clean, 3).inputs[0])
        assert not torch.equal(noise, each.on_batch(clean, 4).inputs[0])
