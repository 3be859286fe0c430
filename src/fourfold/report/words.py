"""A recipe in words: what each of the four parts is, and which of its fields were chosen.

Checked by: every part and every chosen field is named.
"""

from typing import Any, NamedTuple

from fourfold.core.config import PartConfig
from fourfold.core.recipe import PARTS, Recipe
from fourfold.core.words import counted, drawn_at_once, sizes_in_words
from fourfold.report.numbers import count
from fourfold.run.parts import TABLES


class PartInWords(NamedTuple):
    """One of the four parts.

    Attributes:
        kind: "data", "model", "loss" or "algorithm".
        name: its name in the recipe.
        summary: what it is, one line.
        choices: fields that are not at their default, and what is known besides, as (word, value).
    """

    kind: str
    name: str
    summary: str
    choices: list[tuple[str, str]]


def four_parts(recipe: Recipe, result: dict[str, Any]) -> list[PartInWords]:
    """Return data, model, loss and algorithm in words.

    Args:
        recipe: the resolved recipe.
        result: the run's result, for sizes, parameters and steps.
    """
    parts = []
    for kind in PARTS:
        config: PartConfig = getattr(recipe, kind)
        entry = TABLES[kind].get(config.name)
        summary = entry.summary if entry else ""
        parts.append(PartInWords(kind, config.name, summary, _known(kind, recipe, result) + choices(config)))
    return parts


def choices(config: PartConfig) -> list[tuple[str, str]]:
    """Return every field that says something, as (word, value)."""
    fields = {name: getattr(config, name) for name in type(config).model_fields if name != "name"}
    return [(name.replace("_", " "), in_words(value)) for name, value in fields.items() if value not in (None, [], "")]


def chosen(config: PartConfig) -> list[tuple[str, str]]:
    """Return the learning rate and the fields that are not at their default, as (word, value)."""
    fields = type(config).model_fields
    usual = {n: in_words(f.get_default(call_default_factory=True)) for n, f in fields.items() if n != "lr"}
    words = {name.replace("_", " "): text for name, text in usual.items()}
    return [(word, text) for word, text in choices(config) if words.get(word) != text]


def in_words(value: Any) -> str:
    """Return a field's value for reading: `adam (lr 0.003)`, `128, 64`, `yes`."""
    if isinstance(value, PartConfig):
        inside = ", ".join(f"{word} {text}" for word, text in chosen(value))
        return f"{value.name} ({inside})" if inside else value.name
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(in_words(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def paper_line(recipe: Recipe) -> str:
    """Return where the recipe comes from, empty if nowhere."""
    paper = recipe.paper
    if paper is None:
        return ""
    section = f", section {paper.section}" if paper.section else ""
    return f"{paper.authors + ': ' if paper.authors else ''}{paper.title}, {paper.year}{section}"


def _known(kind: str, recipe: Recipe, result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what the run found out about a part."""
    if kind == "data" and result.get("sizes"):
        return [sizes_in_words(result["sizes"], str(result.get("task")), between=", ")]
    if kind == "model" and result.get("params"):
        return [("parameters", count(result["params"]))]
    if kind == "algorithm":
        budget = recipe.budget
        epochs = f"{budget.epochs or 0:,g} epoch{'s' * (budget.epochs != 1)}"
        length = epochs if budget.epochs else counted(budget.steps or 0, "step")
        whole = "the whole training split"
        size = whole if budget.batch_size == "full" else drawn_at_once(budget.batch_size, str(result.get("task")))
        return [("length", length), ("batch", size)]
    return []
