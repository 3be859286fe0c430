"""Members trained in turn: their steps, seeds, samples and weights."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from fourfold.algorithms import ALGORITHMS
from fourfold.algorithms.members import MembersInTurn, member_seed
from fourfold.core.errors import DivergedError, InputError
from fourfold.core.seeds import stream_seed
from fourfold.data import DATA
from fourfold.losses import LOSSES
from fourfold.models import MODELS
from fourfold.tasks.seam import Plan

POINTS = {"name": "two_moons", "num_examples": 60, "validation": 0.15, "test": 0.15}


def begin(algorithm: dict[str, Any], data: dict[str, Any] | None = None, **plan: Any) -> Any:
    """Return an ensemble in training, as a run would build it."""
    source = DATA.parse(data or POINTS, "data").build(0, Path("nowhere"))  # type: ignore[attr-defined]
    model: Any = MODELS.parse({"name": "mlp", "widths": [6]}, "model")
    config: Any = ALGORITHMS.parse(algorithm, "algorithm")
    loss = LOSSES.parse("usual", "loss").build(source.spec)  # type: ignore[attr-defined]

    def draw(seed: int) -> torch.nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "init"))
            return model.build(source.spec)

    made = Plan(**{"seed": 5, "steps": 10, "batch_size": 12, "steps_per_epoch": 4, **plan})
    return config.build(config.network(draw, source.spec, made.seed), loss, source, made)


def weights_of(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in model.parameters()])


ENSEMBLES = pytest.mark.parametrize("name", ["bagging", "boosting"])


@ENSEMBLES
def test_the_budget_s_steps_are_shared_out_and_each_moves_one_member(name: str) -> None:
    training = begin({"name": name, "members": 3})
    before = [weights_of(member) for member in training.ensemble.members]
    assert not any(torch.equal(before[0], other) for other in before[1:])  # an initial draw of its own
    moved = []
    for _ in range(10):
        training.step()
        after = [weights_of(member) for member in training.ensemble.members]
        moved.append([i for i in range(3) if not torch.equal(before[i], after[i])])
        before = after
    assert moved == [[0]] * 4 + [[1]] * 3 + [[2]] * 3


@ENSEMBLES
def test_each_member_goes_by_a_schedule_of_its_own_length(name: str) -> None:
    training = begin({"name": name, "members": 2, "optimizer": {"name": "sgd", "lr": 1.0}, "schedule": "cosine"})
    rates = []
    for _ in range(10):
        training.step()
        rates.append(training.gauges())
    one = [0.5 * (1 + math.cos(math.pi * step / 5)) for step in range(5)]
    assert [rate["lr"] for rate in rates] == pytest.approx(one + one)
    assert [rate["member"] for rate in rates] == [1.0] * 5 + [2.0] * 5


def test_the_first_member_has_the_run_s_seed_and_the_others_their_own() -> None:
    assert member_seed(7, 0) == 7
    seeds = [member_seed(seed, member) for seed in range(3) for member in range(4)]
    assert len(set(seeds)) == len(seeds)


def test_every_member_is_the_supervised_run_of_its_own_seed() -> None:
    descent = {"optimizer": {"name": "adam", "lr": 0.02}, "schedule": "cosine", "regularizers": ["input_noise"]}
    training = begin({"name": "bagging", "members": 2, "sample": None, **descent})
    for _ in range(10):
        training.step()
    for member in range(2):
        alone = begin({"name": "supervised", **descent}, seed=member_seed(5, member), steps=5)
        for _ in range(5):
            alone.step()
        assert torch.equal(weights_of(training.ensemble.members[member]), weights_of(alone.model)), member


@ENSEMBLES
def test_fewer_steps_than_members_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"^algorithm.members: 11 members cannot share 10 steps.*number is 10$"):
        begin({"name": name, "members": 11})
    begin({"name": name, "members": 10})


@ENSEMBLES
def test_what_goes_by_validation_scores_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"^algorithm.regularizers: early_stopping goes by validation scores"):
        begin({"name": name, "regularizers": ["weight_decay", "early_stopping"]})
    begin({"name": name, "regularizers": ["weight_decay", "ema"]})


@ENSEMBLES
def test_an_averaged_member_stands_in_the_ensemble_averaged(name: str) -> None:
    training = begin({"name": name, "members": 2, "regularizers": [{"name": "ema", "decay": 0.5}]})
    averages = []
    for step in range(10):
        training.step()
        assert training.ensemble.members[training.member] is training.current.model
        assert training.current.model is not training.current.network
        assert not torch.equal(weights_of(training.current.model), weights_of(training.current.network)) or step % 5 < 1
        if step in (4, 9):
            averages.append(weights_of(training.current.model))
    assert all(
        torch.equal(weights_of(member), average)
        for member, average in zip(training.ensemble.members, averages, strict=True)
    )


@ENSEMBLES
def test_a_member_that_diverges_is_named_with_the_run_s_step(name: str) -> None:
    training = begin({"name": name, "members": 2, "optimizer": {"name": "sgd", "lr": 0.1}})
    for _ in range(6):
        training.step()
    with torch.no_grad():
        next(training.current.network.parameters()).fill_(math.nan)
    with pytest.raises(DivergedError, match=r"^member 2 of 2, from step 5: step 1: .*") as refused:
        training.step()
    assert refused.value.step in (None, 6)


@ENSEMBLES
def test_what_a_step_does_and_what_was_done(name: str) -> None:
    training = begin({"name": name, "members": 3})
    assert training.explain()[0].startswith("take the member in training, of 3 in turn, 3 steps each")
    assert "update: Adam" in training.explain()
    for _ in range(10):
        training.step()
    assert training.finish()[-1].startswith("3 members, trained one after another: 3 steps of 12 examples each, 0.75 ")


def test_a_state_is_continued_where_it_was(tmp_path: Path) -> None:
    assert isinstance(begin({"name": "bagging"}), MembersInTurn)
    for name in ("bagging", "boosting"):
        config = {"name": name, "members": 3, "regularizers": [{"name": "ema", "decay": 0.5}]}
        whole = begin(config)
        states = []
        for _ in range(10):
            states.append((copied(whole.model.state_dict()), copied(whole.state_dict())))
            whole.step()
        end = weights_of(whole.model)
        for made, (model, state) in enumerate(states):
            again = begin(config)
            again.model.load_state_dict(model)
            again.load_state_dict(state)
            for _ in range(10 - made):
                again.step()
            assert torch.equal(weights_of(again.model), end), (name, made)
            assert torch.equal(again.ensemble.weights, whole.ensemble.weights), (name, made)


def copied(state: Any) -> Any:
    if isinstance(state, torch.Tensor):
        return state.clone()
    if isinstance(state, Mapping):
        return {key: copied(value) for key, value in state.items()}
    return [copied(value) for value in state] if isinstance(state, list | tuple) else state
