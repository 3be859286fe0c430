"""Stochastic weight averaging equals torch's AveragedModel and update_bn."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn
from verification import verified

from fourfold.algorithms.regularizers.swa import normalisations, recompute_statistics
from fourfold.core.errors import InputError
from fourfold.nn.normalisation import BatchNorm
from fourfold.tasks.seam import Batch, Order, Plan


class Examples:
    """A source of 23 rows in batches, in order."""

    def __init__(self, inputs: Tensor) -> None:
        self.inputs = inputs

    def train(self, order: Order) -> Any:
        assert (order.rank, order.processes) == (0, 1)  # every process makes the whole pass
        while True:
            for part in self.inputs.split(order.batch_size):
                yield Batch((part,), part)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("every", [1, 4])
def test_equals_torchs_averaged_model(toy, every) -> None:
    ours = toy.training([{"name": "swa", "start": 6, "every": every}], {"name": "sgd", "lr": 0.2})
    twin = None
    for step in range(30):
        ours.step()
        if step + 1 < 6:
            torch.testing.assert_close(dict(ours.model.state_dict()), dict(ours.network.state_dict()), rtol=0, atol=0)
        elif (step + 1 - 6) % every == 0:
            twin = twin or AveragedModel(ours.network)
            twin.update_parameters(ours.network)
    assert twin is not None
    expected = dict(twin.module.named_parameters())
    average = dict(ours.model.named_parameters())
    verified("regularizer", "swa", "torch's AveragedModel, 30 steps", "values", average, expected)
    torch.testing.assert_close(dict(ours.model.named_parameters()), expected, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(ours.model[0].weight, ours.network[0].weight)


def test_it_is_the_plain_mean_of_the_networks_taken(toy) -> None:
    ours = toy.training([{"name": "swa", "start": 0.05, "every": 3}], {"name": "sgd", "lr": 0.2})  # 5 of 100 steps
    seen = []
    for step in range(14):
        ours.step()
        if step + 1 in (5, 8, 11, 14):
            seen.append(ours.network[0].weight.detach().clone())
    torch.testing.assert_close(ours.model[0].weight, torch.stack(seen).mean(0), rtol=1e-12, atol=1e-14)
    assert ours.finish() == ["swa: 4 networks were averaged, from step 5 on, every 3 steps"]


@pytest.mark.promise("R14")
def test_statistics_are_those_of_torchs_update_bn() -> None:
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 4), nn.BatchNorm1d(4)).double()
    inputs = torch.randn(23, 5, dtype=torch.float64) * 3 + 1
    theirs(inputs * 5)  # statistics of something else
    ours = copy.deepcopy(theirs)
    update_bn(inputs.split(6), theirs)
    recompute_statistics(
        ours, normalisations(ours), Examples(inputs), Plan(seed=0, steps=9, batch_size=6, steps_per_epoch=4)
    )  # type: ignore[arg-type]
    for name in ("1.running_mean", "1.running_var", "4.running_mean", "4.running_var"):
        torch.testing.assert_close(ours.state_dict()[name], theirs.state_dict()[name], rtol=1e-12, atol=1e-14)
    assert not any(module.training for module in ours.modules())
    assert [ours[1].momentum, ours[4].momentum] == [0.1, 0.1]
    with torch.no_grad():
        torch.testing.assert_close(ours(inputs), theirs.eval()(inputs), rtol=1e-12, atol=1e-14)


def test_statistics_of_our_own_normalisation_and_of_none() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(23, 3, 4, 4)
    ours, theirs = nn.Sequential(BatchNorm(3), nn.Dropout(0.9)), nn.Sequential(nn.BatchNorm2d(3))
    plan = Plan(seed=0, steps=9, batch_size=6, steps_per_epoch=4)
    for model in (ours, theirs, nn.Sequential(nn.Flatten())):
        before = torch.get_rng_state()
        recompute_statistics(model, normalisations(model), Examples(inputs), plan)  # type: ignore[arg-type]
        assert torch.equal(torch.get_rng_state(), before)  # dropout stays out of it
    for name in ("0.running_mean", "0.running_var"):
        torch.testing.assert_close(ours.state_dict()[name], theirs.state_dict()[name])


def test_the_end_of_a_run_recomputes_them_on_the_training_examples(toy) -> None:
    ours = toy.training([{"name": "swa", "start": 2, "every": 2}], {"name": "sgd", "lr": 0.2})
    for _ in range(8):
        ours.step()
    weights = [p.clone() for p in ours.model.parameters()]
    twin = copy.deepcopy(ours.model)
    ours.finish()
    stream = toy.source().train(toy.plan().order)
    update_bn([next(stream).inputs[0]], twin)
    torch.testing.assert_close(ours.model[2].running_mean, twin[2].running_mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(ours.model[2].running_var, twin[2].running_var, rtol=1e-12, atol=0)
    torch.testing.assert_close(list(ours.model.parameters()), weights, rtol=0, atol=0)
    assert ours.network[2].momentum == 0.1


@pytest.mark.parametrize("order", [["ema", "swa"], ["swa", "ema"]])
def test_of_two_averages_the_first_is_evaluated_and_the_other_says_so(toy, order) -> None:
    configs = {"ema": {"name": "ema", "decay": 0.5}, "swa": {"name": "swa", "start": 1, "every": 1}}
    ours = toy.training([configs[name] for name in order], {"name": "sgd", "lr": 0.2})
    for _ in range(5):
        ours.step()
    assert ours.model is ours.regularizers[0].evaluated_model()
    told = " ".join(ours.finish())
    assert ("another average comes before it" in told) == (order[0] == "ema")


def test_a_run_that_ends_before_averaging_begins_says_so(toy) -> None:
    ours = toy.training(["swa"], {"name": "sgd", "lr": 0.2})
    for _ in range(3):
        ours.step()
    torch.testing.assert_close(dict(ours.model.state_dict()), dict(ours.network.state_dict()), rtol=0, atol=0)
    assert ours.finish() == ["swa: the run ended before step 75, where averaging begins; nothing was averaged"]
    with pytest.raises(InputError, match=r"swa\.start of 100 is not before the end of 100 steps"):
        toy.training([{"name": "swa", "start": 100}])


def test_early_stopping_before_it_keeps_the_best_average(toy) -> None:
    stopping = {"name": "early_stopping", "metric": "rmse", "higher_is_better": False}
    ours = toy.training([stopping, {"name": "swa", "start": 1, "every": 1}], {"name": "sgd", "lr": 0.2})
    for _ in range(4):
        ours.step()
    ours.validated(4, {"rmse": 1.0})
    best = ours.model[0].weight.clone()
    for _ in range(4):
        ours.step()
    ours.validated(8, {"rmse": 2.0})
    assert not torch.equal(ours.model[0].weight, best)
    ours.finish()
    assert torch.equal(ours.model[0].weight, best)
