"""Q-learning against a plain second implementation, on the transitions that it recorded."""

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fourfold.core.errors import DivergedError, InputError
from fourfold.run.build import build_parts, build_training
from fourfold.run.parts import load_recipe
from fourfold.run.processes import SingleProcess

RECIPE: dict[str, Any] = {
    "data": {"name": "gym", "environment": "CartPole-v1", "discount": 0.9},
    "model": {"name": "mlp", "widths": [7, 5]},
    "loss": {"name": "td_error", "delta": 0.5},
    "algorithm": {
        "name": "q_learning",
        "optimizer": {"name": "momentum", "lr": 0.02},
        "capacity": 60,
        "learning_starts": 8,
        "train_every": 3,
        "updates": 2,
        "target_every": 7,
        "epsilon_moves": 100,
    },
    "budget": {"steps": 150, "batch_size": 6},
    "runtime": {"device": "cpu", "threads": 1},
}


def learner(overrides: dict[str, Any] | None = None) -> Any:
    _, recipe = load_recipe(RECIPE, overrides or {})
    return build_training(recipe, build_parts(recipe), torch.device("cpu"), SingleProcess())[0]


class Plain:
    """Algorithm 1, transition by transition."""

    def __init__(self, model: nn.Module, double: bool, prioritised: bool) -> None:
        self.model, self.target = deepcopy(model), deepcopy(model)
        self.double, self.prioritised = double, prioritised
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.02, momentum=0.9)
        self.transitions: dict[int, tuple] = {}  # by slot, in a ring of 60 observations
        self.priorities: dict[int, float] = {}
        self.pushed, self.highest = 0, 1.0
        self.last: np.ndarray | None = None

    def push(self, observation: np.ndarray) -> None:
        self.transitions.pop(self.pushed % 60, None)
        self.priorities.pop(self.pushed % 60, None)
        self.pushed += 1
        self.last = observation

    def met(self, action: int, reward: float, terminated: bool, truncated: bool, after: np.ndarray) -> None:
        slot, before = (self.pushed - 1) % 60, self.last
        self.push(after)
        self.transitions[slot] = (before, action, reward, terminated, after)
        self.priorities[slot] = self.highest

    def drawn(self, uniform: np.ndarray) -> list[int]:
        slots = sorted(self.priorities)
        p = np.array([self.priorities[slot] ** 0.6 for slot in slots])
        where = (np.arange(len(uniform)) + uniform) / len(uniform) * p.sum()
        return [slots[i] for i in np.searchsorted(np.cumsum(p), where, side="right")]

    def update(self, slots: list[int], beta: float) -> float:
        total = torch.zeros(())
        errors = []
        weights = [1.0] * len(slots)
        if self.prioritised:
            whole = sum(p**0.6 for p in self.priorities.values())
            weights = [(len(self.priorities) * self.priorities[s] ** 0.6 / whole) ** -beta for s in slots]
            weights = [w / max(weights) for w in weights]
        for slot, weight in zip(slots, weights, strict=True):
            before, action, reward, terminated, after = self.transitions[slot]
            worth = self.model(torch.from_numpy(before)[None])[0]
            with torch.no_grad():
                later = self.target(torch.from_numpy(after)[None])[0]
                chosen = (
                    int(self.model(torch.from_numpy(after)[None])[0].argmax()) if self.double else int(later.argmax())
                )
                wanted = reward if terminated else reward + 0.9 * float(later[chosen])
            error = wanted - worth[action]
            errors.append(float(error.detach()))
            absolute = error.abs()
            total = total + weight * (error**2 / 2 if absolute <= 0.5 else 0.5 * (absolute - 0.25))
        self.optimizer.zero_grad()
        (total / len(slots)).backward()
        self.optimizer.step()
        for slot, error in zip(slots, errors, strict=True):
            self.priorities[slot] = abs(error) + 1e-6
        self.highest = max(self.highest, *(abs(error) + 1e-6 for error in errors))
        return float(total.detach())


@pytest.mark.parametrize("variant", ["vanilla", "double", "prioritised", "double prioritised", "dueling", "no target"])
def test_updates_are_those_of_a_plain_implementation(variant, monkeypatch) -> None:
    overrides: dict[str, Any] = {"algorithm.double": "double" in variant, "algorithm.prioritised": "prior" in variant}
    if variant == "dueling":
        overrides |= {"model": {"name": "dueling_mlp", "widths": [7], "stream": 5}}
    if variant == "no target":
        overrides |= {"algorithm.target_every": None}
    training = learner(overrides)
    plain = Plain(training.model, "double" in variant, "prior" in variant)
    if variant == "no target":
        plain.target = plain.model
    environment = training.experience.environments[0]
    step, reset = environment.step, environment.reset

    def met(action: int) -> Any:
        move = step(action)
        plain.met(action, move.reward, move.terminated, move.truncated, move.observation)
        return move

    def begun() -> np.ndarray:
        observation = reset()
        plain.push(observation)
        return observation

    environment.step, environment.reset = met, begun
    drawn: list[list[int]] = []
    if training.priorities is None:
        draw = training.memory.draw

        def keep(count: int, generator: np.random.Generator) -> np.ndarray:
            slots = draw(count, generator)
            drawn.extend(slots.reshape(-1, 6).tolist())
            return slots

        monkeypatch.setattr(training.memory, "draw", keep)
    losses, expected = [], []
    for move in range(1, 151):
        before = deepcopy(training.draws)
        value = training.step()
        if move % 7 == 0 and variant != "no target":
            plain.target.load_state_dict(plain.model.state_dict())
        if move < 8 or move % 3:
            assert value.count == 0
            continue
        assert value.count == 12
        losses.append(float(value.total))
        beta = 0.4 + 0.6 * move / 150
        batches = drawn[-2:] if training.priorities is None else [None, None]
        expected.append(sum(plain.update(slots or plain.drawn(before.random(6)), beta) for slots in batches))
    assert plain.pushed > 154  # some episodes are over, and the ring has gone round
    np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-5)
    for mine, theirs in zip(training.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
    assert sorted(plain.transitions) == np.flatnonzero(training.memory.ready).tolist()


def test_an_episode_cut_off_is_bootstrapped_from_and_one_that_terminates_is_not() -> None:
    training = learner({"algorithm.learning_starts": 1000})
    environment = training.experience.environments[0]
    ends: list[tuple[bool, np.ndarray]] = []
    moves = 0

    def step(action: int) -> Any:
        nonlocal moves
        moves += 1
        move = environment.move(action)
        if moves % 10 == 0:  # as a time limit would
            move = move._replace(truncated=not move.terminated, over=True)
        environment._over = move.over
        if move.over:
            ends.append((move.terminated, move.observation))
        return move

    environment.step = step
    for _ in range(50):
        training.step()
    read = training.memory.read(np.flatnonzero(training.memory.ready))
    for terminated, last in ends[-3:]:
        row = int((read.after == torch.from_numpy(last)).all(1).nonzero())
        assert float(read.goes_on[row]) == (0.0 if terminated else 1.0)
        assert not (read.before == torch.from_numpy(last)).all(1).any()  # nobody acts where an episode is over
    assert {terminated for terminated, _ in ends} >= {False}


def test_epsilon_falls_evenly_once_there_is_enough_to_learn_from() -> None:
    training = learner()
    seen = []
    for _ in range(120):
        seen.append(training.epsilon)
        training.step()
    assert seen[:8] == [1.0] * 8
    assert seen[50] == pytest.approx(1 - 0.9 * 0.5)
    assert seen[100:] == pytest.approx([0.1] * 20)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ({"data": "iris"}, "q_learning is for control, but this data poses classification"),
        ({"runtime.accumulate": 2}, "does not cut its batches"),
        ({"runtime.compile": "model"}, "compiles nothing"),
        ({"algorithm.capacity": 4}, "4 observations are too few; the least is 5"),
        ({"algorithm.regularizers": ["ema"]}, "EMA would change; gradient_clipping"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(override, says) -> None:
    override = {"loss": "cross_entropy", **override} if "data" in override else override
    with pytest.raises(InputError, match=says) as told:
        learner(override)
    assert "\n" not in str(told.value)


@pytest.mark.promise("R5")
def test_a_reward_that_is_no_number_stops_before_it_is_learned_from() -> None:
    training = learner()
    environment = training.experience.environments[0]
    for _ in range(20):
        training.step()
    before = deepcopy(training.model.state_dict())
    move = environment.move
    environment.move = lambda action: move(action)._replace(score=float("nan"))
    with pytest.raises(DivergedError, match=r"step 20: the environment gave a reward of nan for move \d+ of episode"):
        training.step()
    assert all(torch.equal(value, before[name]) for name, value in training.model.state_dict().items())


@pytest.mark.promise("R5")
def test_a_loss_that_is_no_number_stops_before_the_update() -> None:
    training = learner({"algorithm.target_every": 1000})
    for _ in range(20):
        training.step()
    next(training.target.parameters()).data.fill_(float("inf"))
    before = deepcopy(training.model.state_dict())
    with pytest.raises(DivergedError, match=r"step 21: .*not finite"):
        training.step()
    assert all(torch.equal(value, before[name]) for name, value in training.model.state_dict().items())
