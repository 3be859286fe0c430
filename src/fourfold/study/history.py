"""Every landmark that fits the data, oldest first, under one budget: which years of deep learning pay off here?

All train by the same optimizer on the same batches; the perceptron has a learning rule of its own, and the support
vector machine's first step solves for all of it.

Departures: sizes are those that two cores can train. AlexNet's full layers have 512 units, VGG is its shallowest,
ResNet and DenseNet are those for small pictures, DenseNet of 22 layers; the others are as their papers have them.
Pictures get 200 steps of 32, far less than papers spend: who learns soonest is a part of the answer.
Checked by: what fits which data; the question that is asked is a fair one.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.overrides import apply_overrides
from fourfold.run.build import build_model, data_cache
from fourfold.run.parts import TABLES, one_length, with_parts
from fourfold.study.design import Arm, Space
from fourfold.study.question import MAX_TRIALS, Question
from fourfold.tasks.seam import Image, Spec

TABLES_OF_ONES_OWN = (".csv", ".tsv", ".txt", ".parquet", ".pq")
LENGTH = {"epochs": 20, "batch_size": 32}
PICTURES_LENGTH = {"steps": 200, "batch_size": 32}
FEWER = {"train_examples": 5000, "validation_examples": 1000}  # of sets of tens of thousands of pictures
SIDE = 32  # pixels, of the pictures in a folder
SPACE = Space("algorithm.optimizer.lr", 1e-4, 1e-1, log=True, whole=False)


class Landmark(NamedTuple):
    """A step in the history of the field.

    Attributes:
        year: of the publication.
        name: what it is called.
        source: who and where.
        overrides: what makes it, from softmax regression trained by Adam on.
    """

    year: int
    name: str
    source: str
    overrides: Mapping[str, Any]


LANDMARKS = (
    Landmark(1805, "linear_regression", "Legendre, Nouvelles méthodes", {"model": "linear_regression"}),
    Landmark(
        1958,
        "perceptron",
        "Rosenblatt, Psychological Review 65",
        {"model": "perceptron", "loss": "perceptron", "algorithm": "perceptron_rule"},
    ),
    Landmark(1966, "softmax_regression", "Cox, Research Papers in Statistics", {"model": "softmax_regression"}),
    Landmark(
        1986,
        "mlp, sigmoid",
        "Rumelhart, Hinton and Williams, Nature 323",
        {"model": {"name": "mlp", "widths": [128], "activation": "sigmoid"}},
    ),
    Landmark(
        1995,
        "kernel_svm",
        "Cortes and Vapnik, Machine Learning 20",
        {"model": "kernel_svm", "algorithm": "svm"},
    ),
    Landmark(1998, "lenet5", "LeCun et al., Proceedings of the IEEE 86", {"model": "lenet5"}),
    Landmark(
        2005,
        "kernel_svm on HOG",
        "Dalal and Triggs, CVPR",
        {"model": {"name": "kernel_svm", "features": "hog"}, "algorithm": "svm"},
    ),
    Landmark(
        2011,
        "mlp, deep and ReLU",
        "Glorot, Bordes and Bengio, AISTATS",
        {"model": {"name": "mlp", "widths": [128, 128], "activation": "relu"}},
    ),
    Landmark(
        2012,
        "alexnet",
        "Krizhevsky, Sutskever and Hinton, NeurIPS",
        {"model": {"name": "alexnet", "full_width": 512}},
    ),
    Landmark(2013, "nin", "Lin, Chen and Yan, arXiv:1312.4400", {"model": "nin"}),
    Landmark(
        2014,
        "mlp, deep, ReLU and dropout",
        "Srivastava et al., JMLR 15",
        {"model": {"name": "mlp", "widths": [128, 128], "activation": "relu", "dropout": 0.5}},
    ),
    Landmark(2014, "vgg11", "Simonyan and Zisserman, arXiv:1409.1556", {"model": "vgg11"}),
    Landmark(2014, "googlenet", "Szegedy et al., arXiv:1409.4842", {"model": "googlenet"}),
    Landmark(2015, "resnet20", "He et al., arXiv:1512.03385", {"model": "resnet20"}),
    Landmark(2016, "densenet22", "Huang et al., arXiv:1608.06993", {"model": {"name": "densenet_cifar", "depth": 22}}),
)


def history(
    data: str, target: str | None, overrides: Mapping[str, Any], seeds: list[int], trials: int
) -> tuple[Question, list[Landmark], list[str]]:
    """Return the question to ask, the landmarks in it, and why others are not.

    Args:
        data: a name from the table of data, or the path of a table or of a folder of pictures.
        target: the column to predict, of a table.
        overrides: to the recipe, for all alike.
        seeds: each landmark runs at each.
        trials: learning rates tried for each landmark and seed; 0 leaves the default.

    Raises:
        InputError: no such data, or nothing fits it; or a number of trials that is out of range.
    """
    if trials and not 2 <= trials <= MAX_TRIALS:
        raise InputError(f"--trials: 0 for none, or 2 to {MAX_TRIALS:,}, and not {trials:,}")
    base, overrides = _recipe(data, target), one_length(overrides)
    recipe = with_parts(apply_overrides(base, overrides))
    spec: Spec = recipe.data.build(seeds[0], data_cache()).spec  # type: ignore[attr-defined]
    if isinstance(spec.input, Image):
        base["budget"] = PICTURES_LENGTH
    fields = apply_overrides(base, overrides)
    fitting, left_out = [], []
    for landmark in LANDMARKS:
        try:
            recipe = with_parts(apply_overrides(fields, landmark.overrides))
            recipe.loss.build(spec)  # type: ignore[attr-defined]
            with torch.device("meta"):  # whether it can be built, without the numbers
                build_model(recipe.model, spec, seed=0)
            fitting.append(landmark)
        except InputError as error:
            left_out.append(f"{landmark.name} ({landmark.year}): {error}")
    if len(fitting) < 2:
        raise InputError(f"--data {data}: fewer than two landmarks fit {spec.task} on {spec.input}")
    arms = [Arm(landmark.name, landmark.overrides) for landmark in fitting]
    question = Question({_name(base["data"]): fields}, arms, seeds)
    if trials:
        question = replace(question, spaces=[SPACE], trials=trials, unfair=True)  # two have no rate to tune
    return question, fitting, left_out


def _recipe(data: str, target: str | None) -> dict[str, Any]:
    return {
        "data": _data(data, target),
        "model": {"name": "softmax_regression"},
        "loss": {"name": "usual"},
        "algorithm": {"name": "supervised", "optimizer": {"name": "adam"}},
        "budget": LENGTH,
    }


def _data(data: str, target: str | None) -> dict[str, Any]:
    path, name = Path(data), data.replace("-", "_")
    if path.suffix.lower() in TABLES_OF_ONES_OWN:
        if target is None:
            raise InputError(f"--target: which column of {data} is to be predicted?")
        return {"name": "table", "path": data, "target": target}
    if target is not None:
        raise InputError(f"--target: '{data}' is no table of your own, and knows its target")
    if name in TABLES["data"] and not (data != name and path.is_dir()):
        large = "train_examples" in TABLES["data"].config_class(name).model_fields
        return {"name": name, **FEWER} if large else {"name": name}
    if path.expanduser().is_dir():
        return {"name": "image_folder", "path": data, "size": SIDE}
    hint = did_you_mean(name, TABLES["data"])
    raise InputError(f"--data: no data called '{data}'{hint} (a table ends in .csv; pictures are a folder)")


def _name(part: Mapping[str, Any]) -> str:
    path = Path(part.get("path", part["name"]))
    return f"history-{path.stem or path.resolve().name}"
