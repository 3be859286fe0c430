"""Boosting: its equations by hand and against scikit-learn, and the distribution that its members are trained on."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import Tensor

from fourfold.algorithms.boosting import NO_ERROR, Boosting, BoostingConfig, reweigh, vote_of
from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.losses import LOSSES
from fourfold.models import MODELS
from fourfold.tasks.seam import OneProcess, Plan

MOONS = {"name": "two_moons", "num_examples": 100, "noise": 0.2}


def begin(
    data: dict[str, Any] = MOONS, steps: int = 6, members: int = 3, lr: float = 0.1, widths: Any = (), **plan: Any
) -> Boosting:
    source: Any = DATA.parse(data, "data")
    source = source.build(0, Path("nowhere"))
    model: Any = MODELS.parse({"name": "mlp", "widths": list(widths)}, "model")
    loss: Any = LOSSES.parse("usual", "loss")
    config = BoostingConfig.model_validate({"members": members, "optimizer": {"name": "adam", "lr": lr}})
    torch.manual_seed(0)
    network = config.network(lambda seed: model.build(source.spec), source.spec, 0)
    made = Plan(seed=0, steps=steps, batch_size=16, **plan)
    return config.build(network, loss.build(source.spec), source, made)


def train_split(training: Boosting) -> tuple[Tensor, Tensor]:
    batch = next(iter(training.source.split("train", 100_000)))
    return batch.inputs[0], batch.targets


def test_votes_and_distribution_by_hand() -> None:
    """Freund and Schapire 1997: beta = e / (1 - e), right examples are multiplied by beta, votes are log(1 / beta)."""
    distribution = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    wrong = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    beta = 0.1 / 0.9
    assert vote_of(0.1, 2) == pytest.approx(math.log(1 / beta))
    unnormalised = torch.tensor([0.1, 0.2 * beta, 0.3 * beta, 0.4 * beta], dtype=torch.float64)
    after = reweigh(distribution, wrong, vote_of(0.1, 2))
    torch.testing.assert_close(after, unnormalised / unnormalised.sum())
    assert float(after @ wrong) == pytest.approx(0.5)  # on its own mistakes the member is as good as chance

    three = vote_of(0.1, 3)  # Zhu et al. 2009: one more term
    assert three == pytest.approx(math.log(9) + math.log(2))
    after = reweigh(distribution, wrong, three)
    assert after.tolist() == pytest.approx([1.8 / 2.7, 0.2 / 2.7, 0.3 / 2.7, 0.4 / 2.7])
    assert float(after @ wrong) == pytest.approx(2 / 3)  # chance of three classes


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_chance_has_no_vote_and_no_error_a_finite_one(classes: int) -> None:
    chance = 1 - 1 / classes
    assert vote_of(chance, classes) == vote_of(1.0, classes) == 0
    assert 0 < vote_of(chance - 1e-6, classes) < 1e-4
    assert vote_of(0.0, classes) == vote_of(NO_ERROR, classes) == pytest.approx(math.log(1e10 * (classes - 1)))


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine], ids=["2 classes", "3 classes"])
def test_votes_and_errors_are_scikit_learns_on_the_same_members(load: Any) -> None:
    x, y = load(return_X_y=True)
    theirs = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=8, random_state=0).fit(x, y)
    distribution = torch.full((len(y),), 1 / len(y), dtype=torch.float64)
    votes, errors = [], []
    for tree in theirs.estimators_:
        wrong = torch.tensor(tree.predict(x) != y).double()
        errors.append(float(distribution @ wrong))
        votes.append(vote_of(errors[-1], len(set(y))))
        distribution = reweigh(distribution, wrong, votes[-1])
    assert len(votes) == 8
    np.testing.assert_allclose(votes, theirs.estimator_weights_, rtol=1e-9)
    np.testing.assert_allclose(errors, theirs.estimator_errors_, rtol=1e-9)


def test_votes_for_a_number_are_scikit_learns_on_the_same_members() -> None:
    load: Any = load_diabetes
    x, y = load(return_X_y=True)
    tree = DecisionTreeRegressor(max_depth=3)
    theirs = AdaBoostRegressor(tree, n_estimators=8, loss="linear", random_state=0).fit(x, y)
    distribution = torch.full((len(y),), 1 / len(y), dtype=torch.float64)
    votes, errors = [], []
    for each in theirs.estimators_:
        off = torch.tensor(np.abs(each.predict(x) - y))
        losses = off / off.max()
        errors.append(float(distribution @ losses))
        votes.append(vote_of(errors[-1], 2))
        distribution = reweigh(distribution, losses, votes[-1])
    assert len(votes) > 3
    np.testing.assert_allclose(votes, theirs.estimator_weights_[: len(votes)], rtol=1e-9)
    np.testing.assert_allclose(errors, theirs.estimator_errors_[: len(votes)], rtol=1e-9)


@pytest.mark.parametrize("data", [MOONS, {"name": "iris"}, {"name": "diabetes"}], ids=["2", "3", "number"])
def test_a_run_follows_the_equations(data: dict[str, Any]) -> None:
    training = begin(data, steps=30)
    x, y = train_split(training)
    count = len(y)
    p, votes = torch.full((count,), 1 / count, dtype=torch.float64), [0.0, 0.0, 0.0]
    for member in range(3):
        torch.testing.assert_close(training.distribution, p)
        for _ in range(10):
            training.step()
        with torch.no_grad():
            output = training.ensemble.members[member](x)
        if y.is_floating_point():
            losses = (output - y).abs().squeeze(1).double()
            losses = losses / losses.max()
        else:
            losses = (output.argmax(1) != y).double()
        error, classes = float(p @ losses), 2 if y.is_floating_point() else int(y.max()) + 1
        assert 0 < error < 1 - 1 / classes, "the case tests nothing"
        votes[member] = math.log((1 - error) / error) + math.log(classes - 1)
        p = p * torch.exp(votes[member] * losses)
        p = p / p.sum()
        torch.testing.assert_close(training.ensemble.weights, torch.tensor(votes))
    torch.testing.assert_close(training.distribution, p)


def test_a_member_is_trained_on_what_the_distribution_draws() -> None:
    training = begin()
    count = len(training.distribution)
    training.distribution = torch.zeros(count, dtype=torch.float64)
    training.distribution[[3, 8]] = torch.tensor([0.25, 0.75], dtype=torch.float64)
    drawn = torch.cat([training.sample(member) for member in range(60)])
    assert set(drawn.tolist()) == {3, 8}
    assert float((drawn == 8).double().mean()) == pytest.approx(0.75, abs=0.03)
    assert len(training.sample(0)) == count
    x, _ = train_split(training)
    training._begin(1)
    rows = {tuple(row) for row in next(training.current._stream).inputs[0].tolist()}
    assert rows <= {tuple(row) for row in x[[3, 8]].tolist()}


def test_the_member_in_training_speaks_only_while_no_other_has_a_vote() -> None:
    training = begin(steps=9)
    weights = []
    for _ in range(9):
        training.step()
        weights.append([weight > 0 for weight in training.ensemble.weights.tolist()])
    assert weights == [[True, False, False]] * 5 + [[True, True, False]] * 3 + [[True, True, True]]


def test_one_no_better_than_chance_has_no_vote_and_the_next_begins_anew() -> None:
    training = begin(steps=6, lr=1e-9)
    with torch.no_grad():
        for member, bias in zip(training.ensemble.members, ([9.0, -9.0], [-9.0, 9.0], [9.0, -9.0]), strict=True):
            member.layers[-1].weight.zero_()  # type: ignore[union-attr, operator]
            member.layers[-1].bias.copy_(torch.tensor(bias))  # type: ignore[union-attr, arg-type]
    _, y = train_split(training)
    assert (y == 0).sum() == (y == 1).sum() == len(y) / 2, "each member is right on half of the examples"
    for _ in range(5):
        training.step()
    assert training.ensemble.weights.tolist() == [0, 0, 1]  # no one has a vote, so the one in training speaks
    training.step()
    assert training.votes == [0, 0, 0]
    assert training.ensemble.weights.tolist() == [0, 0, 1]
    torch.testing.assert_close(training.distribution, torch.full((len(y),), 1 / len(y), dtype=torch.float64))
    assert [line[:8] for line in training.findings] == ["Member 1", "Member 2", "Member 3"]
    assert "no better than chance and has no vote" in training.findings[0]


def test_one_without_a_mistake_has_a_finite_vote() -> None:
    data = {"name": "two_moons", "num_examples": 20, "noise": 0.0, "validation": 0.0, "test": 0.0}
    training = begin(data, steps=400, members=2, lr=0.1)
    model: Any = MODELS.parse({"name": "mlp", "widths": [32]}, "model")
    torch.manual_seed(0)
    training.ensemble.members[0] = model.build(training.source.spec)
    training._begin(0)
    for _ in range(200):
        training.step()
    assert training.votes == [pytest.approx(math.log(1e10), rel=1e-6)]
    assert len(set(training.distribution.tolist())) == 1
    assert "makes no mistake on the training split" in training.findings[0]


def test_the_training_error_falls_below_the_theorem_s_bound() -> None:
    """Freund and Schapire 1997, Theorem 6: at most the product of 2 sqrt(e (1 - e)) over the members' errors.

    Two hidden units cannot draw a ring; several such networks, each for what the others got wrong, can.
    """
    training = begin({"name": "rings", "num_examples": 300, "noise": 0.02}, 1200, members=20, lr=0.05, widths=[2])
    x, y = train_split(training)
    bound, errors = 1.0, []
    for _ in range(20):
        for _ in range(60):
            training.step()
        with torch.no_grad():
            errors.append(float((training.model(x).argmax(1) != y).float().mean()))
        weighted = 1 / (1 + math.exp(training.votes[-1]))
        bound *= 2 * math.sqrt(weighted * (1 - weighted))
        assert errors[-1] <= bound + 1e-6
    assert not training.findings, "the bound holds while the distribution is never begun anew"
    assert bound < 0.5
    assert errors[0] > 0.3
    assert errors[-1] < 0.03


def test_processes_share_the_scoring_of_a_member() -> None:
    """Each process scores its batches and adds zeros for the others': together they are one process's losses."""

    class Half(OneProcess):
        count = 2

        def __init__(self, rank: int) -> None:
            self.rank = rank
            self.summed: list[Tensor] = []

        def sum(self, tensors: list[Tensor]) -> None:
            self.summed += [tensor.clone() for tensor in tensors]

    whole = begin()
    x, y = train_split(whole)
    with torch.no_grad():
        wrong = (whole.current.model(x).argmax(1) != y).float()
    parts = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fourfold.algorithms.boosting.BATCH_SIZE", 16)
        for rank in (0, 1):
            processes = Half(rank)
            half = begin(processes=processes)
            half._losses()
            parts.append(processes.summed[-1])
    torch.testing.assert_close(parts[0] + parts[1], wrong)
    assert 0 < parts[0].sum() < wrong.sum()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"name": "diabetes", "task": "probabilistic_regression"}, "this data poses probabilistic_regression"),
    ],
)
def test_other_tasks_are_refused_in_one_line(data: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=f"^boosting is for classification, or for one number.*{says}$"):
        begin(data)
