"""Two players: their steps written out with torch's autograd and optimizers, what is shared, and what is refused."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.algorithms import ALGORITHMS
from fourfold.algorithms.two_players import Adversarial
from fourfold.core.errors import DivergedError, InputError
from fourfold.core.seeds import stream_seed
from fourfold.data.gaussians import GaussiansConfig
from fourfold.losses import LOSSES
from fourfold.models import GAN, MODELS
from fourfold.tasks.seam import Order, Plan

SOURCE = GaussiansConfig(examples=100, scored=20).build(0, Path("nowhere"))
SIZES = {"latent": 2, "generator_widths": [6], "discriminator_widths": [6], "dropout": 0.0, "dropout_input": 0.0}
SGD = {"discriminator_optimizer": {"name": "sgd", "lr": 0.3}, "generator_optimizer": {"name": "sgd", "lr": 0.2}}


def network(seed: int = 0, **fields) -> GAN:
    torch.manual_seed(seed)
    return MODELS.parse({"name": "gan", **SIZES, **fields}, "model").build(SOURCE.spec)


def training(model: nn.Module, loss: str = "non_saturating", plan: Plan | None = None, **fields) -> Adversarial:
    config = ALGORITHMS.parse({"name": "adversarial", **fields}, "algorithm")
    given = LOSSES.parse(loss, "loss").build(SOURCE.spec)
    return config.build(model, given, SOURCE, plan or Plan(5, 10, 8))


def weights(model: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in model.parameters()]


def written_out(model: GAN, steps: int, saturating: bool, k: int = 1, fresh: bool = False, noise: float = 0.0) -> None:
    """Do the same with nothing of ours but the draws: binary cross entropy, torch.optim, both players in turn."""
    d = torch.optim.SGD(model.discriminator.parameters(), 0.3)
    g = torch.optim.SGD(model.generator.parameters(), 0.2)
    stream = SOURCE.train(Order(5, 8))
    for step in range(steps):
        for turn in range(k):
            draws = torch.Generator().manual_seed(stream_seed(5, "noise", step, turn))
            z = torch.rand(8, 2, generator=draws) * 2 - 1
            real = next(stream).inputs[0]
            label = torch.ones(8)
            if noise:
                label = (torch.rand(8, generator=draws) >= noise).float()
            d.zero_grad()
            F.binary_cross_entropy_with_logits(model.discriminator(real), label, reduction="sum").div(8).backward()
            fake = model.generator(z).detach()
            F.binary_cross_entropy_with_logits(model.discriminator(fake), 1 - label, reduction="sum").div(8).backward()
            d.step()
        if fresh:
            draws = torch.Generator().manual_seed(stream_seed(5, "noise", step, k))
            z = torch.rand(8, 2, generator=draws) * 2 - 1
        g.zero_grad()
        score = model.discriminator(model.generator(z)).sigmoid()
        ((1 - score).log() if saturating else -score.log()).mean().backward()
        g.step()


@pytest.mark.parametrize(
    ("loss", "fields"),
    [
        ("non_saturating", {}),
        ("minimax", {}),
        ("minimax", {"discriminator_steps": 3}),
        ("non_saturating", {"fresh_latents": True, "discriminator_steps": 2}),
        ("non_saturating", {"label_noise": 0.3}),
    ],
)
def test_steps_are_those_of_torch_written_out(loss, fields) -> None:
    ours, theirs = network(), network()
    at_work = training(ours, loss, **SGD, **fields)
    for _ in range(4):
        at_work.step()
    k, fresh = fields.get("discriminator_steps", 1), fields.get("fresh_latents", False)
    written_out(theirs, 4, loss == "minimax", k, fresh, fields.get("label_noise", 0.0))
    for a, b in zip(weights(ours), weights(theirs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    assert not torch.equal(weights(ours)[0], weights(network())[0])


def test_what_a_step_tells() -> None:
    model = network()
    before = network()
    value = training(model, **SGD).step()
    z = torch.rand(8, 2, generator=torch.Generator().manual_seed(stream_seed(5, "noise", 0, 0))) * 2 - 1
    real = next(SOURCE.train(Order(5, 8))).inputs[0]
    a, b = before.discriminator(real), before.discriminator(before.generator(z))
    assert int(value.count) == 8
    torch.testing.assert_close(value.total, (F.softplus(-a) + F.softplus(b)).sum().detach())
    assert float(value.parts["discriminator_accuracy"]) == float((a > 0).sum() + (b < 0).sum()) / 2
    after = model.discriminator(before.generator(z))  # the generator sees the discriminator as it is now
    torch.testing.assert_close(value.parts["generator_loss"], F.softplus(-after).sum().detach())


def test_no_gradient_of_the_discriminator_is_computed_in_the_generators_move() -> None:
    model = network()
    at_work = training(model, **SGD)
    calls: list[str] = []
    for name, parameter in model.discriminator.named_parameters():
        parameter.register_hook(lambda _grad, name=name: calls.append(name))
    at_work.step()
    assert len(calls) == len(list(model.discriminator.parameters()))  # once, in its own move
    assert all(p.requires_grad for p in model.parameters())


def test_the_generator_runs_once_a_step_unless_it_has_latents_of_its_own() -> None:
    for fields, times in (({}, 1), ({"fresh_latents": True}, 2), ({"discriminator_steps": 3}, 3)):
        model, calls = network(), []
        model.generator.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        training(model, **fields).step()
        assert len(calls) == times


@pytest.mark.promise("R13")
@pytest.mark.parametrize("fields", [{}, {"fresh_latents": True}, {"label_noise": 0.4}])
def test_micro_batches_are_the_whole_batch(fields) -> None:
    whole, pieces = network(), network()
    first = training(whole, **SGD, **fields)
    second = training(pieces, plan=Plan(5, 10, 8, accumulate=3), **SGD, **fields)
    for _ in range(3):
        a, b = first.step(), second.step()
        torch.testing.assert_close(a.total, b.total)
        assert int(a.count) == int(b.count) == 8
        for name in a.parts:
            torch.testing.assert_close(a.parts[name], b.parts[name])
    for a, b in zip(weights(whole), weights(pieces), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.promise("R5")
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_weight_that_is_not_finite_stops_the_step_and_is_named(player) -> None:
    model = network()
    at_work = training(model)
    at_work.step()
    with torch.no_grad():
        next(getattr(model, player).parameters())[0] = torch.nan
    before = weights(model)
    with pytest.raises(
        DivergedError, match=f"^step 1: the {player}'s parameter '.*' is not finite, .*not made"
    ) as error:
        at_work.step()
    assert error.value.step == 1
    for a, b in zip(before, weights(model), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True)  # neither player moved


@pytest.mark.promise("R5")
def test_a_gradient_that_is_not_finite_stops_the_player_whose_it_is() -> None:
    for player in ("discriminator", "generator"):
        model = network()
        at_work = training(model)
        parameter = next(getattr(model, player).parameters())
        parameter.register_hook(lambda grad: grad * torch.inf)
        with pytest.raises(DivergedError, match=rf"^step 0: the {player}'s gradient of 'layers.*' is not finite"):
            at_work.step()


def test_after_an_update_that_left_no_number_the_check_says_so() -> None:
    model = network()
    at_work = training(model, generator_optimizer={"name": "sgd", "lr": 1e38})
    at_work.step()
    with torch.no_grad():
        next(model.generator.parameters()).fill_(torch.inf)
    with pytest.raises(DivergedError, match=r"step 0: the generator's parameter '.*' is not finite after the update"):
        at_work.check()


def test_an_average_is_what_is_evaluated() -> None:
    model = network()
    at_work = training(model, regularizers=[{"name": "ema", "decay": 1.0}], **SGD)
    seen = []
    for _ in range(3):
        at_work.step()
        seen.append(weights(model))
    for average, *each in zip(weights(at_work.model), *seen, strict=True):
        torch.testing.assert_close(average, torch.stack(each).mean(0))
    assert at_work.model is not model


def test_gradients_are_clipped_for_each_player_apart() -> None:
    model, before = network(), weights(network())
    rate = {"discriminator_optimizer": {"name": "sgd", "lr": 1.0}, "generator_optimizer": {"name": "sgd", "lr": 1.0}}
    training(model, regularizers=[{"name": "gradient_clipping", "max_norm": 1e-3}], **rate).step()
    moved = [(a - b).square().sum() for a, b in zip(weights(model), before, strict=True)]
    count = len(list(model.generator.parameters()))
    for part in (moved[:count], moved[count:]):
        assert float(sum(part).sqrt()) == pytest.approx(1e-3, rel=0.01)


def test_both_learning_rates_follow_the_schedule() -> None:
    at_work = training(network(), schedule={"name": "step", "at": [0.5], "factor": 0.1}, **SGD)
    rates = []
    for _ in range(10):
        at_work.step()
        rates.append(at_work.gauges())
    assert rates[0] == {"lr": 0.2, "discriminator_lr": 0.3}
    assert rates[-1] == pytest.approx({"lr": 0.02, "discriminator_lr": 0.03})


def test_what_a_step_does_is_told() -> None:
    said = training(network(), discriminator_steps=2, label_noise=0.1, regularizers=["gradient_clipping"]).explain()
    assert said[1] == "2 times: draw the next 8 examples and as many latents, and make examples of those"
    assert "10 % of the labels flipped" in said[2]
    assert sum("gradient clipping" in line for line in said) == 2


@pytest.mark.parametrize(
    ("fields", "plan", "says"),
    [
        ({"regularizers": ["input_noise"]}, None, "input_noise is for a network that is trained on labelled batches"),
        ({"regularizers": ["early_stopping"]}, None, "early_stopping is for a network"),
        ({}, Plan(0, 10, 8, compile="step"), "runtime.compile: adversarial has no compiled step"),
    ],
)
def test_what_has_no_place_is_refused(fields, plan, says) -> None:
    with pytest.raises(InputError, match=says):
        training(network(), plan=plan, **fields)


def test_other_parts_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"adversarial moves two players, .* Linear has none; use model=gan"):
        training(nn.Linear(2, 1))
    config = ALGORITHMS.parse("adversarial", "algorithm")
    with pytest.raises(InputError, match="needs a loss for each player, and function is of one"):
        config.build(network(), lambda output, batch: None, SOURCE, Plan(0, 1, 8))
    with pytest.raises(InputError, match="two players that go against each other; use algorithm=adversarial"):
        ALGORITHMS.parse("supervised", "algorithm").build(network(), None, SOURCE, Plan(0, 1, 8))
