"""What a comparison asks, from a command line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourfold.core.errors import InputError
from fourfold.study.design import Arm, Space, arms_of, parse_seeds, parse_space, parse_vary


def names(*arguments: str) -> list[str]:
    return [arm.name for arm in arms_of(parse_vary(arguments))]


def test_values_are_yaml() -> None:
    varied = parse_vary(["a.b=sgd,0.5,[1, 2],{name: adam, lr: 1e-2},null,true", "c=x"])
    assert varied == {"a.b": ["sgd", 0.5, [1, 2], {"name": "adam", "lr": 0.01}, None, True], "c": ["x"]}


def test_arms_are_the_cross_product_the_first_values_first() -> None:
    arms = arms_of({"algorithm.optimizer": ["sgd", "adam"], "budget.batch_size": [8, 16]})
    assert arms[0] == Arm("sgd, batch_size=8", {"algorithm.optimizer": "sgd", "budget.batch_size": 8})
    assert [arm.name for arm in arms] == [
        "sgd, batch_size=8",
        "sgd, batch_size=16",
        "adam, batch_size=8",
        "adam, batch_size=16",
    ]


def test_an_arm_is_called_by_what_tells_it_apart() -> None:
    assert names("algorithm.optimizer=sgd,{name: adam, lr: 1e-2}") == ["sgd", "adam lr=0.01"]
    assert names("model.widths=[8],[8, 8]") == ["widths=[8]", "widths=[8, 8]"]
    assert names("a.lr=1,2", "b.lr=1,2")[0] == "a.lr=1, b.lr=1"
    assert names("model.name=mlp,lenet5") == ["mlp", "lenet5"]
    assert names("loss.weight=null,true") == ["weight=null", "weight=true"]


def test_a_number_keeps_all_its_digits_in_an_arms_name() -> None:
    assert names("algorithm.optimizer.lr=0.12345678,0.12345679") == ["lr=0.12345678", "lr=0.12345679"]
    assert names("algorithm.optimizer={name: sgd, lr: 0.1234567},sgd")[0] == "sgd lr=0.1234567"
    assert names("a.lr=100000.0,1e-5,1e38,0.5,2") == ["lr=100000", "lr=1e-05", "lr=1e+38", "lr=0.5", "lr=2"]
    with pytest.raises(InputError, match="'lr=1' is given twice"):
        names("a.lr=1,1.0")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2, unique=True))
def test_numbers_that_differ_are_called_differently(values: list[float]) -> None:
    one, other = (arm.name.removeprefix("lr=") for arm in arms_of({"a.lr": values}))
    assert [float(one), float(other)] == values


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["model"], "--vary 'model': expected KEY=A,B"),
        (["=a,b"], "expected KEY=A,B"),
        (["model="], "--vary model: no values"),
        (["model=a", "model=b"], "--vary model: given twice"),
        (["model=[a"], "--vary model"),
    ],
)
def test_a_mistake_names_the_key(arguments: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_vary(arguments)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_anything_varied_there_is_the_recipe() -> None:
    assert arms_of({}) == [Arm("as it is", {})]


def test_the_same_arm_twice_and_too_much() -> None:
    with pytest.raises(InputError, match="'sgd' is given twice"):
        names("algorithm.optimizer=sgd,sgd")
    with pytest.raises(InputError, match="more than 1,000 arms"):
        arms_of({"a": list(range(40)), "b": list(range(40))})


def test_a_space_reads_back() -> None:
    assert parse_space("algorithm.optimizer.lr=1e-4:1:log") == Space("algorithm.optimizer.lr", 1e-4, 1.0, True, False)
    assert parse_space("model.layers=1:8:int") == Space("model.layers", 1, 8, False, True)
    for text in ("algorithm.optimizer.lr=0.0001:1:log", "model.layers=1:8:int", "a=0.5:0.75"):
        assert str(parse_space(text)) == text
    exact = Space("a", 0.1 + 0.2, 1 / 3, log=False, whole=False)  # 17 digits
    assert parse_space(str(exact)) == exact


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lr", "expected KEY=low:high"),
        ("lr=1", "expected KEY=low:high"),
        ("lr=1:2:lin", "expected KEY=low:high"),
        ("lr=a:b", "must be numbers"),
        ("lr=2:1", "must be below"),
        ("lr=1:1", "must be below"),
        ("lr=0:1:log", "begins above 0"),
        ("lr=1:inf", "must be below"),
        ("n=1:2.5:int", "whole ends"),
    ],
)
def test_a_space_that_is_none(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_space(text)


def test_seeds_count_from_zero() -> None:
    assert parse_seeds(3) == [0, 1, 2]
    with pytest.raises(InputError, match="at least 1"):
        parse_seeds(0)
    with pytest.raises(InputError, match="at most 10,000"):  # a list of them would fill the memory
        parse_seeds(10**12)
