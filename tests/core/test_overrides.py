"""Dotted overrides."""

import re
from copy import deepcopy
from itertools import permutations

import pytest

from fourfold.core.errors import InputError
from fourfold.core.overrides import apply_overrides, parse_overrides

RECIPE = {
    "model": {"name": "mlp", "widths": [8, 8], "dropout": 0.5},
    "algorithm": {"name": "supervised", "optimizer": "adam", "regularizers": [{"name": "l2", "rate": 0.1}]},
    "seed": 0,
}


def test_values_are_read_as_yaml() -> None:
    parsed = parse_overrides(["a=1", "b=1e-3", "c=[8, 8]", "d=null", "e=true", "f=adam", "g=x=y", "h=", "i=no"])
    expected = {"a": 1, "b": 1e-3, "c": [8, 8], "d": None, "e": True, "f": "adam", "g": "x=y", "h": None, "i": "no"}
    assert parsed == expected
    assert [type(parsed[k]) for k in "abei"] == [int, float, bool, str]


@pytest.mark.promise("R9")
@pytest.mark.parametrize("argument", ["model", "=3", "..=3", ""])
def test_an_argument_that_is_not_key_and_value_is_refused(argument: str) -> None:
    with pytest.raises(InputError, match="expected KEY=VALUE"):
        parse_overrides([argument])


@pytest.mark.promise("R9")
@pytest.mark.parametrize("key", [".seed", "seed.", "model..widths", "", "."])
def test_a_key_with_an_empty_part_is_refused(key: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"'{key}': a name is missing")):
        apply_overrides(RECIPE, {key: 3})


@pytest.mark.promise("R9")
def test_a_part_cannot_be_chosen_twice() -> None:
    with pytest.raises(InputError, match=r"'model' is given twice"):
        apply_overrides(RECIPE, {"model": "mlp", "model.name": "densenet"})


@pytest.mark.promise("R9")
def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match=r"'seed' is given twice"):
        parse_overrides(["seed=1", "seed=2"])


def test_what_divides_values_needs_no_quotes() -> None:
    given = {",": ",", ";": ";", "|": "|", ":": ":", "\t": "\t", "','": ",", "~": None}
    assert {text: parse_overrides([f"data.delimiter={text}"])["data.delimiter"] for text in given} == given


@pytest.mark.promise("R8")
@pytest.mark.parametrize("text", ["!!python/name:os.system", "&a [1]", "[" * 50, "{a: 1, a: 2}"])
def test_a_value_is_as_safe_as_a_recipe(text: str) -> None:
    with pytest.raises(InputError, match=r"^model\.widths: "):
        parse_overrides([f"model.widths={text}"])


def test_a_field_is_set_and_the_recipe_is_left_alone() -> None:
    before = deepcopy(RECIPE)
    result = apply_overrides(RECIPE, {"model.dropout": 0.1, "seed": 3})
    assert result["model"] == {"name": "mlp", "widths": [8, 8], "dropout": 0.1}
    assert result["seed"] == 3
    assert before == RECIPE


def test_choosing_another_part_drops_the_old_one_s_fields() -> None:
    assert apply_overrides(RECIPE, {"model": "densenet"})["model"] == {"name": "densenet"}


def test_choosing_the_same_part_keeps_its_fields() -> None:
    assert apply_overrides(RECIPE, {"model": "mlp"})["model"] == RECIPE["model"]


def test_a_part_chosen_by_its_name_field_drops_the_old_fields_too() -> None:
    assert apply_overrides(RECIPE, {"model.name": "densenet"})["model"] == {"name": "densenet"}


def test_a_part_given_by_name_alone_gets_fields() -> None:
    result = apply_overrides(RECIPE, {"algorithm.optimizer.lr": 0.1})
    assert result["algorithm"]["optimizer"] == {"name": "adam", "lr": 0.1}


@pytest.mark.promise("R9")
@pytest.mark.parametrize("swap", ["model", "model.name"])
def test_the_order_of_arguments_changes_nothing(swap: str) -> None:
    overrides = {"model.growth": 12, swap: "densenet", "algorithm.optimizer.lr": 0.1, "algorithm.optimizer": "sgd"}
    results = [apply_overrides(RECIPE, dict(items)) for items in permutations(overrides.items())]
    assert results[0]["model"] == {"name": "densenet", "growth": 12}
    assert results[0]["algorithm"]["optimizer"] == {"name": "sgd", "lr": 0.1}
    assert all(result == results[0] for result in results)


def test_a_list_element_is_reached_by_its_position() -> None:
    result = apply_overrides(RECIPE, {"algorithm.regularizers.0.rate": 0.2, "model.widths.1": 9})
    assert result["algorithm"]["regularizers"] == [{"name": "l2", "rate": 0.2}]
    assert result["model"]["widths"] == [8, 9]


@pytest.mark.promise("R9")
@pytest.mark.parametrize("key", ["model.widths.2", "model.widths.-1", "model.widths.x", "model.widths.²"])
def test_a_position_outside_the_list_is_refused(key: str) -> None:
    with pytest.raises(InputError, match=r"0 to 1"):
        apply_overrides(RECIPE, {key: 1})


@pytest.mark.promise("R9")
def test_a_number_has_no_fields() -> None:
    with pytest.raises(InputError, match=r"model\.dropout\.rate: 'model\.dropout' is 0\.5 and has no fields"):
        apply_overrides(RECIPE, {"model.dropout.rate": 1})


def test_a_value_is_not_shared_with_the_result() -> None:
    widths = [1]
    result = apply_overrides(RECIPE, {"model.widths": widths})
    widths.append(2)
    assert result["model"]["widths"] == [1]


def test_a_section_that_is_absent_is_made() -> None:
    assert apply_overrides(RECIPE, {"budget.steps": 3})["budget"] == {"steps": 3}
