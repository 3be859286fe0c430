import shlex

import pytest

from fourfold.core.overrides import parse_overrides
from fourfold.report.numbers import duration, metric, number
from fourfold.report.reproduce import command, is_unchanged
from fourfold.report.words import four_parts, paper_line
from fourfold.run.parts import load_recipe


def test_the_parts_are_named_with_their_fields():
    _, recipe = load_recipe("digits-mlp", {"model.widths": [32, 16], "algorithm.optimizer.lr": 0.01})
    result = {"sizes": {"train": 1257, "test": 270}, "params": 2410}
    data, model, loss, algorithm = four_parts(recipe, result)
    assert (data.name, loss.name, algorithm.name) == ("digits", "cross_entropy", "supervised")
    assert ("examples", "1,257 train, 270 test") in data.choices
    assert ("widths", "32, 16") in model.choices
    assert ("parameters", "2,410") in model.choices
    assert dict(algorithm.choices)["optimizer"] == "adam (lr 0.01)"
    assert dict(algorithm.choices)["batch"] == "32 examples"


def test_an_environment_is_not_described_as_examples():
    result = {"sizes": {"train": 10_000, "validation": 20, "test": 100}, "task": "control"}
    data, _, _, algorithm = four_parts(load_recipe("cartpole-dqn")[1], result)
    assert ("episodes", "20 validation, 100 test, and 10,000 transitions count as an epoch") in data.choices
    assert dict(algorithm.choices)["batch"].endswith(" transitions")


def test_the_paper_is_named_only_where_there_is_one():
    assert paper_line(load_recipe("digits-mlp")[1]) == ""
    assert "Rosenblatt" in paper_line(load_recipe("and-perceptron")[1])


@pytest.mark.promise("R10")
@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"seed": 7},
        {"model.widths": [64, 32], "model.activation": "tanh"},
        {"model": "softmax_regression"},
        {"algorithm.optimizer": "sgd", "algorithm.optimizer.lr": 0.5},
        {"budget.epochs": None, "budget.steps": 100},
        {"algorithm.schedule": "cosine", "data.split_seed": None},
    ],
)
def test_the_command_gives_the_recipe_back(overrides):
    _, recipe = load_recipe("digits-mlp", overrides)
    words = shlex.split(command("digits-mlp", recipe))
    assert words[:3] == ["fourfold", "run", "digits-mlp"]
    assert load_recipe(words[2], parse_overrides(words[3:]))[1].digest() == recipe.digest()


def test_a_recipe_of_ones_own_is_run_from_its_file():
    assert command("mine", load_recipe("digits-mlp")[1]) == "fourfold run recipe.yaml"


def test_numbers_for_reading():
    assert metric("accuracy", 0.98148) == "98.15\u00a0%"  # never broken before its sign
    assert metric("rmse", 54.321) == "54.32"
    assert metric("rmse", 12230.4) == "12,230"
    assert metric("loss", float("nan")) == "nan"
    assert [number(v) for v in (0.0, 7.0, 0.072871, 1e30, float("inf"))] == ["0", "7", "0.07287", "1e+30", "inf"]
    assert number(1_250_400_000.4) == "1,250,400,000"  # a price in won
    assert [duration(s) for s in (0.123, 59.6, 250, 7500)] == ["0.12 s", "60 s", "4 min 10 s", "2 h 5 min"]
    assert (duration(0.00003), duration(0.0042)) == ("0 s", "4.2 ms")


def test_what_a_chosen_part_has_by_default_is_not_said():
    recipe = load_recipe("moons-mlp", {"data": "rings", "data.noise": 0.2, "seed": 3})[1]
    assert sorted(command("moons-mlp", recipe).split()[3:]) == ["data.noise=0.2", "data=rings", "seed=3"]


def test_only_the_shipped_recipe_is_expected_to_reach_what_it_reached():
    assert is_unchanged("moons-mlp", load_recipe("moons-mlp", {"seed": 3})[1])
    assert not is_unchanged("moons-mlp", load_recipe("moons-mlp", {"data": "rings"})[1])
    assert not is_unchanged("moons-mlp", load_recipe("moons-mlp", {"algorithm.optimizer.lr": 0.02})[1])
