"""Strict configs: a typo is never ignored, and every message is one line that says where and what."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from fourfold.core.config import Config, PartConfig, validate
from fourfold.core.errors import BAD_INPUT, InputError


class Crop(Config):
    pad: int = Field(default=4, ge=0)


class MLP(PartConfig):
    name: Literal["mlp"] = "mlp"
    widths: list[int] = Field(default=[128])
    dropout: float = Field(default=0.0, ge=0, lt=1)
    activation: Literal["relu", "tanh", "sigmoid"] = "relu"
    crop: Crop = Crop()
    crops: list[Crop] = Field(default=[])
    pair: list[int] = Field(default=[1, 2], min_length=2)
    size: int | None = None
    sides: Annotated[int, Field(ge=1)] | list[Annotated[int, Field(ge=1)]] | None = None


class Needs(Config):
    rate: float


def message(fields: dict, cls: type[Config] = MLP, at: str = "model") -> str:
    with pytest.raises(InputError) as caught:
        validate(cls, fields, at)
    text = str(caught.value)
    assert "\n" not in text
    assert "pydantic" not in text
    assert caught.value.exit_code == BAD_INPUT
    return text


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"widht": 9}, "model.widht: no such field; did you mean 'widths'?"),
        ({"crop": {"padd": 1}}, "model.crop.padd: no such field; did you mean 'pad'?"),
        ({"crops": [{}, {"padd": 1}]}, "model.crops.1.padd: no such field; did you mean 'pad'?"),
        ({"activation": "rellu"}, "model.activation: 'rellu' is not a choice; did you mean 'relu'?"),
        ({"activation": "swish"}, "model.activation: 'swish' is not a choice; one of relu, sigmoid, tanh"),
        ({"dropout": 1.0}, "model.dropout: input should be less than 1 (got 1.0)"),
        ({"sides": 0}, "model.sides: input should be greater than or equal to 1 (got 0)"),
        ({"sides": [3, 0]}, "model.sides.1: input should be greater than or equal to 1 (got 0)"),
        ({"widths": 64}, "model.widths: input should be a valid list (got 64); did you mean [64]?"),
        ({"pair": 64}, "model.pair: input should be a valid list (got 64)"),
        ({"dropout": [0.5], "sides": [3, 0]}, "model.dropout: input should be a valid number (got [0.5])"),
        ({"widths": "abc"}, "model.widths: input should be a valid list (got 'abc')"),
        ({"dropout": None}, "model.dropout: input should be a valid number (got nothing)"),
        ({"dropout": ".nan"}, "model.dropout: input should be a finite number (got '.nan')"),
        ({"dropout": float("inf")}, "model.dropout: input should be a finite number (got inf)"),
        ({"crop": {"pad": -1}}, "model.crop.pad: input should be greater than or equal to 0 (got -1)"),
    ],
)
def test_a_mistake_is_one_line_with_its_key_and_the_nearest_name(fields: dict, expected: str) -> None:
    assert message(fields) == expected


def test_a_missing_field_is_named() -> None:
    assert message({}, Needs, "loss") == "loss.rate: this field is required"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(value: float) -> None:
    assert message({"dropout": value}).startswith("model.dropout: ")


def test_a_long_value_is_not_quoted_whole() -> None:
    assert len(message({"size": "x" * 5000})) < 200


@pytest.mark.parametrize("value", ["8", 8.5, [8], True])
def test_only_a_whole_number_is_a_whole_number(value: object) -> None:
    message({"size": value})


@pytest.mark.parametrize("value", ["0.5", True])
def test_only_a_number_is_a_number(value: object) -> None:
    message({"dropout": value})


def test_a_config_cannot_be_changed() -> None:
    config = MLP()
    with pytest.raises(ValidationError):
        config.dropout = 0.5  # type: ignore[misc]


def test_defaults_are_checked_too() -> None:
    class Wrong(Config):
        rate: float = Field(default=-1.0, ge=0)

    assert "rate" in message({}, Wrong, "x")


def test_a_mapping_holds_every_default() -> None:
    assert MLP(widths=[4]).to_mapping() == {
        "name": "mlp",
        "widths": [4],
        "dropout": 0.0,
        "activation": "relu",
        "crop": {"pad": 4},
        "crops": [],
        "pair": [1, 2],
        "size": None,
        "sides": None,
    }
