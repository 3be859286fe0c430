"""Why runs cannot be stacked, each reason by a recipe that has it."""

import pytest
import torch
from part_tables import tables_restored
from torch import nn
from torch.nn import functional as F

from fourfold.core.recipe import Recipe
from fourfold.core.registry import Entry
from fourfold.models.base import ModelConfig
from fourfold.run.build import build_parts
from fourfold.run.parts import TABLES, load_recipe
from fourfold.study import stackable
from fourfold.study.stackable import can_stack, pays, room


def recipe(**overrides: object) -> Recipe:
    return load_recipe("moons-mlp", {key.replace("__", "."): value for key, value in overrides.items()})[1]


def test_seeds_optimizers_schedules_and_penalties_can_differ() -> None:
    recipes = [
        recipe(),
        recipe(seed=3),
        recipe(algorithm__optimizer="sgd", algorithm__schedule="cosine"),
        recipe(algorithm__regularizers=[{"name": "weight_decay"}, {"name": "gradient_clipping"}]),
    ]
    assert can_stack(recipes) is None


def test_words_about_a_recipe_can_differ() -> None:
    assert can_stack([recipe(), recipe(title="another")]) is None


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"model__widths": [7]}, "model"),
        ({"loss__label_smoothing": 0.1}, "loss"),
        ({"budget__batch_size": 31}, "budget"),
        ({"data__num_examples": 333}, "data"),
        ({"runtime__threads": 2}, "runtime"),
    ],
)
def test_nothing_else_can(overrides, named) -> None:
    reason = can_stack([recipe(), recipe(**overrides)])
    assert reason is not None
    assert reason.startswith(f"{named}: ")


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"algorithm": "perceptron_rule", "model": "perceptron", "loss": "perceptron"}, "perceptron_rule"),
        ({"algorithm__regularizers": [{"name": "early_stopping"}]}, "early_stopping"),
        ({"algorithm__regularizers": [{"name": "ema"}]}, "ema"),
        ({"algorithm__regularizers": [{"name": "weight_noise"}]}, "weight_noise"),
        ({"runtime__processes": 2}, "runtime.processes"),
        ({"runtime__accumulate": 2}, "runtime.accumulate"),
        ({"runtime__compile": "step"}, "runtime.compile"),
        ({"runtime__precision": "bf16"}, "bf16"),
        ({"budget__checkpoint_every": 5}, "budget.checkpoint_every"),
        ({"model__dropout": 0.5}, "Dropout"),
        ({"weights": "begun.pth"}, "weights"),
        ({"algorithm__freeze": ["layers.1"]}, "algorithm.freeze"),
        ({"algorithm__lr_factors": {"layers.1": 0.1}}, "algorithm.lr_factors"),
    ],
)
def test_each_reason_is_one_line_that_names_it(overrides, named) -> None:
    reason = can_stack([recipe(**overrides), recipe(**overrides, seed=1)])
    assert reason is not None
    assert named in reason
    assert "\n" not in reason


class NormalisedConfig(ModelConfig):
    name: str = "own"

    def build(self, spec):
        return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))


class NoisyConfig(ModelConfig):
    name: str = "own"

    def build(self, spec):
        class Noisy(nn.Linear):
            def forward(self, input):
                return F.dropout(super().forward(input), 0.5, training=True)

        return Noisy(2, 2)


class IdleConfig(ModelConfig):
    name: str = "own"

    def build(self, spec):
        class Idle(nn.Linear):
            def __init__(self):
                super().__init__(2, 2)
                self.idle = nn.Parameter(torch.zeros(3))

        return Idle()


class TogetherConfig(ModelConfig):
    """Its twin mixes the runs."""

    name: str = "own"

    def build(self, spec):
        class Together(nn.Linear):
            def forward_stacked(self, params, x):
                output = x @ params["weight"].mT + params["bias"].unsqueeze(1)
                return output.mean(0, keepdim=True).expand(len(x), -1, -1)

        return Together(2, 2)


class MistakenConfig(ModelConfig):
    """Its gradient by hand forgets the factor 2."""

    name: str = "own"

    def build(self, spec):
        class Mistaken(nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = nn.Parameter(torch.randn(2, 2))

            def forward(self, x):
                return 2 * x @ self.weight.mT

            def forward_stacked(self, params, x):
                return 2 * x @ params["weight"].mT

            def gradients_stacked(self, params, x, objective, into):
                totals, grad = objective(self.forward_stacked(params, x))
                into["weight"].copy_(grad.mT @ x)
                return totals

        return Mistaken()


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (NormalisedConfig, "buffers"),
        (NoisyConfig, "random"),
        (IdleConfig, "idle"),
        (TogetherConfig, "in a stack"),
        (MistakenConfig, "gradient of 'weight'"),
    ],
)
def test_what_nobody_has_written_down_is_found_by_a_trial(config, named) -> None:
    with tables_restored():
        TABLES["model"].add("own", Entry(f"{__name__}:{config.__name__}", "for tests"))
        reason = can_stack([recipe(model="own"), recipe(model="own", seed=1)])
    assert reason is not None
    assert named in reason


@pytest.mark.parametrize(
    ("overrides", "runs", "answer"),
    [
        ({}, 4, True),
        ({}, 3, False),
        ({"model__widths": [512, 512]}, 4, False),
        ({"model": "perceptron"}, 4, False),
    ],
)
def test_a_stack_pays_where_steps_are_small_and_runs_are_many(overrides, runs, answer) -> None:
    if "model" in overrides:
        _, parsed = load_recipe("iris-softmax", overrides)
        assert pays([parsed] * runs) is answer
    else:
        assert pays([recipe(**overrides, seed=seed) for seed in range(runs)]) is answer


def test_stacks_are_no_larger_than_memory_allows(monkeypatch) -> None:
    one = 1000 * 2 * 4 * 3  # bytes: examples, numbers in each, float32, three times
    assert sum(build_parts(recipe()).source.sizes.values()) == 1000
    assert room(recipe()) == stackable.MOST
    monkeypatch.setattr(stackable, "MEMORY", 5 * one)
    assert room(recipe()) == 5
    monkeypatch.setattr(stackable, "MEMORY", one // 2)
    assert room(recipe()) == 1
    assert not pays([recipe(seed=seed) for seed in range(8)])
