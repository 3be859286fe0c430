"""Four tiny parts and their tables: enough for a recipe, and no torch."""

import sys
import types
from collections.abc import Iterator
from typing import Annotated, Literal

import pytest
from pydantic import Field, SerializeAsAny

from fourfold.core.config import Config, PartConfig
from fourfold.core.registry import Entry, Table, choice_of

TOY = "fourfold_toy_parts"
OPTIMIZERS = Table(
    "optimizer",
    {"adam": Entry(f"{TOY}:AdamConfig", "adaptive moments"), "sgd": Entry(f"{TOY}:SGDConfig", "plain steps")},
)
AnyOptimizer = Annotated[SerializeAsAny[PartConfig], choice_of(OPTIMIZERS, "algorithm.optimizer")]


class Crop(Config):
    pad: int = Field(default=4, ge=0)


class DigitsConfig(PartConfig):
    name: Literal["digits"] = "digits"
    validation: float = Field(default=0.15, ge=0, lt=1)
    shuffled: bool = True
    augment: list[Crop] = Field(default=[])


class MLPConfig(PartConfig):
    name: Literal["mlp"] = "mlp"
    widths: list[int] = Field(default=[128])
    activation: Literal["relu", "tanh"] = "relu"
    dropout: float = Field(default=0.0, ge=0, lt=1)


class DenseNetConfig(PartConfig):
    name: Literal["densenet"] = "densenet"
    growth: int = Field(default=12, ge=1)
    depth: int = 40


class CrossEntropyConfig(PartConfig):
    name: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: float = 0.0


class AdamConfig(PartConfig):
    name: Literal["adam"] = "adam"
    lr: float = Field(default=1e-3, gt=0)
    beta1: float = 0.9


class SGDConfig(PartConfig):
    name: Literal["sgd"] = "sgd"
    lr: float = Field(default=0.1, gt=0)


class SupervisedConfig(PartConfig):
    name: Literal["supervised"] = "supervised"
    optimizer: AnyOptimizer = Field(default="adam")  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def _toy_parts_can_be_imported() -> Iterator[None]:
    module = types.ModuleType(TOY)
    classes = (DigitsConfig, MLPConfig, DenseNetConfig, CrossEntropyConfig, AdamConfig, SGDConfig, SupervisedConfig)
    for cls in classes:
        setattr(module, cls.__name__, cls)
    sys.modules[TOY] = module
    yield
    del sys.modules[TOY]


@pytest.fixture
def tables() -> dict[str, Table]:
    return {
        "data": Table("data", {"digits": Entry(f"{TOY}:DigitsConfig", "8x8 digits")}),
        "model": Table(
            "model",
            {
                "mlp": Entry(f"{TOY}:MLPConfig", "affine maps"),
                "densenet": Entry(f"{TOY}:DenseNetConfig", "everything to everything"),
                "densenet121": Entry(f"{TOY}:DenseNetConfig", "the large one", {"growth": 32, "depth": 121}),
            },
        ),
        "loss": Table("loss", {"cross_entropy": Entry(f"{TOY}:CrossEntropyConfig", "classes")}),
        "algorithm": Table("algorithm", {"supervised": Entry(f"{TOY}:SupervisedConfig", "gradient descent")}),
        "optimizer": OPTIMIZERS,
    }


@pytest.fixture
def fields() -> dict[str, object]:
    return {
        "data": "digits",
        "model": {"name": "mlp", "widths": [8]},
        "loss": "cross_entropy",
        "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 0.5}},
        "budget": {"steps": 10},
    }
