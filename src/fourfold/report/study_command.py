"""The command that asks a study's question again.

Only words that read back as the same question are offered: what cannot be written so is said.

Checked by: the command of many questions, parsed by the command line, gives the same digest.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fourfold.core.document import parse_yaml, to_yaml
from fourfold.core.errors import InputError
from fourfold.core.overrides import LITERAL, apply_overrides, parse_overrides
from fourfold.run.parts import one_length, recipe_fields, recipe_names
from fourfold.study.design import arms_of, parse_vary

_PLAIN = re.compile(r"[A-Za-z_가-힣][\w.+/-]*")  # texts that YAML reads as they stand, also between [ and ]


class StudyCommand(NamedTuple):
    """How to ask again.

    Attributes:
        text: for a shell; None where no command line asks this.
        files: recipes that have to be saved first, by file name, as YAML.
    """

    text: str | None
    files: dict[str, str]


def study_command(asked: Mapping[str, Any]) -> StudyCommand:
    """Return the `fourfold compare …` that asks the same.

    Args:
        asked: `asked` of a study.json.
    """
    varied = _varied(asked["arms"])
    if varied is None or asked["seeds"] != list(range(len(asked["seeds"]))):
        return StudyCommand(None, {})
    problems, files, changes = list(asked["problems"]), {}, _changes(asked["problems"])
    if changes is None:  # recipes of one's own, or shipped ones that have changed since
        files = {f"{name}.yaml": to_yaml(fields) for name, fields in asked["problems"].items()}
        problems, changes = list(files), []
    words = ["fourfold", "compare", *problems, *changes]
    for text in varied:
        words += ["--vary", text]
    words += ["--seeds", str(len(asked["seeds"]))]
    for space in asked["tune"]:
        words += ["--tune", space]
    if asked["tune"]:
        words += ["--trials", str(asked["trials"])]
    if asked["metric"] is not None:
        words += ["--metric", asked["metric"]]
    if asked["against"] != asked["arms"][0]["name"]:
        words += ["--against", asked["against"]]
    if asked["smallest"] is not None:
        words += ["--smallest", json.dumps(asked["smallest"])]
    words += ["--unfair"] if asked["unfair"] else []
    words += ["--stack", asked["stack"]] if asked["stack"] != "never" else []
    return StudyCommand(shlex.join(words), files)


def varied_values(arms: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return each key that an arm sets, with its different values in the order of the arms."""
    values: dict[str, dict[str, Any]] = {}
    for arm in arms:
        for key, value in arm["overrides"].items():
            values.setdefault(key, {})[json.dumps(value)] = value
    return {key: list(different.values()) for key, different in values.items()}


def as_text(value: Any) -> str:
    """Return a value as it is typed: YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{as_text(key)}: {as_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(as_text(each) for each in value) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and _reads(value, "value") == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _varied(arms: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Return the values of each `--vary`, None where the arms are not all combinations of values."""
    values = varied_values(arms)
    texts = [f"{key}={','.join(as_text(value) for value in values[key])}" for key in values]
    try:
        again = [{"name": arm.name, "overrides": dict(arm.overrides)} for arm in arms_of(parse_vary(texts))]
    except InputError:
        return None
    return texts if _same(again, [dict(arm) for arm in arms]) else None


def _changes(problems: Mapping[str, Mapping[str, Any]]) -> list[str] | None:
    """Return the fewest `KEY=VALUE` that make shipped recipes these; None if none do."""
    if not set(problems) <= set(recipe_names()):
        return None
    shipped = {name: recipe_fields(name)[1] for name in problems}
    overrides: dict[str, Any] = {}
    for name, fields in problems.items():
        overrides |= _differences(shipped[name], fields)
    for key in list(overrides):  # `budget.steps=null` need not be said where `budget.epochs=5` is
        fewer = {k: v for k, v in overrides.items() if k != key}
        if _give(shipped, fewer, problems):
            overrides = fewer
    texts = [f"{key}={value if value in LITERAL else as_text(value)}" for key, value in overrides.items()]
    try:
        return texts if _give(shipped, parse_overrides(texts), problems) else None
    except InputError:
        return None


def _give(shipped: Mapping[str, Any], overrides: Mapping[str, Any], problems: Mapping[str, Any]) -> bool:
    try:
        return all(_same(apply_overrides(shipped[name], one_length(overrides)), problems[name]) for name in problems)
    except InputError:
        return False


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Return overrides, which may be more than are needed, that turn `old` into `new`, both as a person wrote them."""
    found: dict[str, Any] = {}
    for key, value in new.items():
        before, dotted = old.get(key), at + key
        if key in old and _same(before, value):
            continue
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            if "name" in value and before.get("name") != value["name"]:
                found[dotted], before = value["name"], {"name": value["name"]}
            found |= _differences(before, value, f"{dotted}.")
        else:
            found[dotted] = value
    return found


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are the same to a digest, to which 1 and 1.0 are not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _reads(text: str, source: str) -> Any:
    try:
        return parse_yaml(text, source)
    except InputError:
        return None
