"""What study.json and costs.json hold, and a reader that takes nothing else.

A file may be cut short, edited by hand, or of another program; whoever reads a study through `read_study` can rely on
every field that is named here, and on the parts fitting each other.

Checked by: every field of a real study taken away or exchanged for something else.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fourfold.core.errors import InputError
from fourfold.records.strict_json import read_mapping
from fourfold.study.answer import FORMAT
from fourfold.study.design import parse_space


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _AskedArm(_Part):
    name: str
    overrides: dict[str, Any]


class _Asked(_Part):
    problems: dict[str, dict[str, Any]]
    arms: list[_AskedArm] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    metric: str | None
    tune: list[str]
    trials: int
    against: str
    smallest: float | None
    unfair: bool
    stack: str
    use: list[str]
    fourfold: str


class _Trial(_Part):
    values: dict[str, float]
    score: float | None
    key: str


class _Cell(_Part):
    seed: int
    key: str
    folder: str | None
    status: str
    score: float | None
    metrics: dict[str, dict[str, Any]]
    because: str | None
    tuned: dict[str, float]
    trials: list[_Trial]


class _Arm(_Part):
    name: str
    params: int | None
    planned_steps: int | None
    finished: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None
    interquartile_mean: float | None
    interquartile_low: float | None
    interquartile_high: float | None
    cells: list[_Cell]


class _Comparison(_Part):
    arm: str
    against: str
    smallest: float
    n: int
    verdict: Literal["better", "worse", "no difference", "undecided"]
    because: str


class _Measured(_Comparison):
    """A comparison of arms that have a seed in common."""

    difference: float
    low: float | None
    high: float | None
    p_holm: float
    probability_of_improvement: float


class _Decided(_Measured):
    """One whose interval lies on one side of zero."""

    low: float
    high: float


class _Problem(_Part):
    recipe: str
    metric: str = Field(pattern=r"^(train|validation|test)\..")
    higher_is_better: bool
    held_equal: dict[str, Any]
    arms: list[_Arm]
    comparisons: list[dict[str, Any]]


class _Ranks(_Part):
    average: list[float]
    p: float
    critical_difference: float


class _Profile(_Part):
    factors: list[float] = Field(min_length=1)
    shares: list[list[float]]


class _Middle(_Part):
    mean: float
    low: float
    high: float


class _Overall(_Part):
    arms: list[str]
    ranks: _Ranks
    profile: _Profile | None
    interquartile: list[_Middle] | None
    probability_of_improvement: list[float | None]


class _Study(_Part):
    asked: _Asked
    complete: bool
    unfair: list[str]
    sampler: str | None
    problems: list[_Problem] = Field(min_length=1)
    overall: _Overall | None


class _Costs(_Part):
    cells: dict[str, dict[str, Any]]


def read_study(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a study's content, and what each of its cells cost by its key; the latter empty without a costs.json.

    Raises:
        InputError: a file is missing, damaged, or written by another version; names it and the field.
    """
    path = folder / "study.json"
    study = read_mapping(path)
    if study.get("format") != FORMAT:
        raise InputError(f"{path}: written by another version of Fourfold; ask the study again")
    try:
        _check(study)
    except ValidationError as error:
        raise InputError(f"{path}: damaged: {_first(error)}") from None
    except ValueError as error:
        raise InputError(f"{path}: damaged: {error}") from None
    path = folder / "costs.json"
    costs = read_mapping(path) if path.exists() else {"cells": {}}
    try:
        _Costs.model_validate(costs)
    except ValidationError as error:
        raise InputError(f"{path}: damaged: {_first(error)}") from None
    return study, costs["cells"]


def _check(study: Mapping[str, Any]) -> None:
    """Look at every field, then at what has to fit.

    Raises:
        ValidationError: a field is missing or of another kind.
        ValueError: parts do not fit each other; says which.
    """
    _Study.model_validate(study)
    for number, problem in enumerate(study["problems"]):
        for place, row in enumerate(problem["comparisons"]):
            kind = _Decided if row.get("verdict") in ("better", "worse") else _Measured
            try:
                (kind if row.get("difference") is not None else _Comparison).model_validate(row)
            except ValidationError as error:
                raise ValueError(f"problems.{number}.comparisons.{place}.{_first(error)}") from None
    for said in _misfits(study):
        raise ValueError(said)
    try:
        for text in study["asked"]["tune"]:
            parse_space(text)
    except InputError as error:
        raise ValueError(f"asked.tune: {error}") from None


def _misfits(study: Mapping[str, Any]) -> Iterator[str]:
    """Yield where two parts of a study do not fit each other."""
    asked, overall = study["asked"], study["overall"]
    names = [arm["name"] for arm in asked["arms"]]
    if len(set(names)) < len(names):
        yield "asked.arms: two have the same name"
    if asked["against"] not in names:
        yield f"asked.against: no arm is called {asked['against']!r}"
    others = [name for name in names if name != asked["against"]]
    if [problem["recipe"] for problem in study["problems"]] != list(asked["problems"]):
        yield "problems: not those that were asked"
    for number, problem in enumerate(study["problems"]):
        here = f"problems.{number}"
        if [arm["name"] for arm in problem["arms"]] != names:
            yield f"{here}.arms: not those that were asked"
        if any([cell["seed"] for cell in arm["cells"]] != asked["seeds"] for arm in problem["arms"]):
            yield f"{here}.arms: their cells are not of the seeds that were asked"
        if [row["arm"] for row in problem["comparisons"]] != others:
            yield f"{here}.comparisons: not one of each arm but {asked['against']!r}"
        if any(row["against"] != asked["against"] for row in problem["comparisons"]):
            yield f"{here}.comparisons: one is not with '{asked['against']}'"
    if overall is None:
        return
    each = [overall["arms"], overall["ranks"]["average"], overall["probability_of_improvement"]]
    each += [overall["interquartile"]] if overall["interquartile"] is not None else []
    each += [overall["profile"]["shares"]] if overall["profile"] is not None else []
    if overall["arms"] != names or any(len(values) != len(names) for values in each):
        yield "overall: not one of each arm that was asked"
    if overall["profile"] is not None:
        steps = len(overall["profile"]["factors"])
        if any(len(shares) != steps for shares in overall["profile"]["shares"]):
            yield "overall.profile.shares: not one for each factor"


def _first(error: ValidationError) -> str:
    """Return the first mistake: `problems.0.arms.1.mean is missing`."""
    mistake = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, mistake["loc"]))
    if mistake["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {mistake['msg'][:1].lower()}{mistake['msg'][1:]}"
