"""Averaged weights equal torch's averaged model."""

import pytest
import torch
from torch.optim.swa_utils import AveragedModel
from verification import verified

from fourfold.algorithms.regularizers.ema import EMA


def test_equals_torchs_averaged_model(toy) -> None:
    """With this start, the first 1 / (1 - decay) updates weigh alike; torch is given the same weights one by one."""
    decay = 0.8
    ours = toy.training([{"name": "ema", "decay": decay}], {"name": "sgd", "lr": 0.2})

    def average(mean: torch.Tensor, value: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
        keep = min(decay, 1 - 1 / (int(count) + 1))
        return keep * mean + (1 - keep) * value

    twin = AveragedModel(ours.network, avg_fn=average)
    for _ in range(30):
        ours.step()
        twin.update_parameters(ours.network)
    expected = dict(twin.module.named_parameters())
    average = dict(ours.model.named_parameters())
    verified("regularizer", "ema", "torch's AveragedModel, 30 steps", "values", average, expected)
    torch.testing.assert_close(dict(ours.model.named_parameters()), expected, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(ours.model[0].weight, ours.network[0].weight)


def test_late_updates_are_exponential(toy) -> None:
    net = toy.net()
    own = toy.regularizer({"name": "ema", "decay": 0.75}, net)
    values = torch.arange(1.0, 13.0, dtype=torch.float64)
    for i, value in enumerate(values):
        with torch.no_grad():
            net[0].bias.fill_(value)
        own.after_update(i)
    mean = values[:4].mean()  # equal weights while 1 - 1/n is below 0.75
    for value in values[4:]:
        mean = 0.75 * mean + 0.25 * value
    torch.testing.assert_close(own.average[0].bias, mean.expand(4), rtol=1e-14, atol=0)


@pytest.mark.parametrize("updates", [1, 2, 17])
def test_decay_of_one_is_the_plain_mean_and_forgets_the_start(toy, updates) -> None:
    net = toy.net()
    own = toy.regularizer({"name": "ema", "decay": 1.0}, net)
    seen, statistics = [], []
    for i in range(updates):
        with torch.no_grad():
            for p in net.parameters():
                p.add_(torch.randn_like(p))
            net[2].running_var.add_(i)
            net[2].num_batches_tracked.add_(3)
        seen.append([p.detach().clone() for p in net.parameters()])
        statistics.append(net[2].running_var.clone())
        own.after_update(i)
    for k, average in enumerate(own.average.parameters()):
        torch.testing.assert_close(average, torch.stack([s[k] for s in seen]).mean(0), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(own.average[2].running_var, torch.stack(statistics).mean(0), rtol=1e-12, atol=0)
    assert own.average[2].num_batches_tracked == 3 * updates


def test_average_is_a_network_of_its_own(toy) -> None:
    net = toy.net()
    own = toy.regularizer("ema", net)
    average = own.evaluated_model()
    assert isinstance(own, EMA)
    assert average is not net
    assert not {p.data_ptr() for p in average.parameters()} & {p.data_ptr() for p in net.parameters()}
    assert not any(p.requires_grad for p in average.parameters())
    assert not average.training
    assert list(average.state_dict()) == list(net.state_dict())


def test_state_carries_the_average_and_its_count(toy) -> None:
    net = toy.net()
    first, second = (
        toy.regularizer({"name": "ema", "decay": 0.9}, net),
        toy.regularizer({"name": "ema", "decay": 0.9}, net),
    )
    for i in range(4):
        with torch.no_grad():
            net[0].bias.add_(1.0)
        first.after_update(i)
    second.load_state_dict(first.state_dict())
    for own in (first, second):
        own.after_update(4)
    torch.testing.assert_close(dict(second.average.state_dict()), dict(first.average.state_dict()), rtol=0, atol=0)


def stored(state, name: str) -> list[torch.Tensor]:
    """Every tensor called `name` in a state, at any depth."""
    if isinstance(state, list):
        return [tensor for part in state for tensor in stored(part, name)]
    if not isinstance(state, dict):
        return []
    here = [state[name]] if isinstance(state.get(name), torch.Tensor) else []
    return here + [tensor for part in state.values() for tensor in stored(part, name)]


def test_the_evaluated_average_is_the_model_of_a_checkpoint_and_stored_nowhere_else(toy) -> None:
    training = toy.training([{"name": "ema", "decay": 0.9}], "adam")
    for _ in range(5):
        training.step()
    average = training.model.state_dict()["0.weight"]
    kept = stored(training.state_dict(), "0.weight")
    assert len(kept) == 1  # the trained weights, which the model's are not
    assert torch.equal(kept[0], training.network[0].weight)
    assert not torch.equal(kept[0], average)


def test_of_two_averages_the_other_one_is_kept_and_goes_on(toy) -> None:
    both = [{"name": "ema", "decay": 0.5}, {"name": "ema", "decay": 0.9}]
    whole, first, second = (toy.training(both, "adam") for _ in range(3))
    for _ in range(9):
        whole.step()
    for _ in range(4):
        first.step()
    second.model.load_state_dict(first.model.state_dict())
    second.load_state_dict(first.state_dict())
    for _ in range(5):
        second.step()
    assert whole.model is whole.regularizers[0].average
    for a, b in zip(whole.regularizers, second.regularizers, strict=True):
        torch.testing.assert_close(dict(b.average.state_dict()), dict(a.average.state_dict()), rtol=0, atol=0)
