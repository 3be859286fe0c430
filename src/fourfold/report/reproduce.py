"""The command that does a run again.

Checked by: loading what the command names gives the run's recipe back.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from fourfold.core.errors import InputError
from fourfold.core.recipe import WORDS, Recipe
from fourfold.run.parts import load_recipe, recipe_names


def command(name: str, recipe: Recipe) -> str:
    """Return the shortest `fourfold run …` that gives `recipe`; from its own YAML file if no shipped recipe is near.

    Args:
        name: the name it was run under.
        recipe: resolved.
    """
    if name not in recipe_names():
        return "fourfold run recipe.yaml"
    overrides = differences(_settings(load_recipe(name)[1], recipe), _settings(recipe, recipe))
    for key in list(overrides):  # what a chosen part has by default need not be said
        fewer = {k: v for k, v in overrides.items() if k != key}
        if _gives(name, fewer, recipe):
            overrides = fewer
    if not _gives(name, overrides, recipe):  # the shipped recipe has changed since
        return "fourfold run recipe.yaml"
    return shlex.join(["fourfold", "run", name, *(f"{key}={_value(value)}" for key, value in overrides.items())])


def is_unchanged(name: str, recipe: Recipe) -> bool:
    """Whether nothing but the seed and the machine differs from the shipped recipe; true of a recipe of one's own."""
    return name not in recipe_names() or _gives(name, {"seed": recipe.seed}, recipe)


def _gives(name: str, overrides: dict[str, Any], recipe: Recipe) -> bool:
    try:
        return _settings(load_recipe(name, overrides)[1], recipe) == _settings(recipe, recipe)
    except InputError:
        return False


def differences(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """Return dotted overrides that turn `old` into `new`, both plain data."""
    found: dict[str, Any] = {}
    for key in [*new, *(k for k in old if k not in new)]:
        before, after, dotted = old.get(key), new.get(key), f"{at}.{key}" if at else key
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            if before.get("name") != after.get("name"):
                found[dotted] = after["name"]
                found |= {f"{dotted}.{k}": v for k, v in after.items() if k != "name"}
            else:
                found |= differences(before, after, dotted)
        else:
            found[dotted] = after
    return found


def _settings(recipe: Recipe, like: Recipe) -> dict[str, Any]:
    """Return what the result depends on; the machine's own choices are taken from `like`."""
    same_machine = recipe.model_copy(update={"runtime": like.runtime})
    return {key: value for key, value in same_machine.to_mapping().items() if key not in WORDS}


def _value(value: Any) -> str:
    """Write a value as an override has it: plain text without JSON's quotes, whole numbers without a fraction."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str) and value.replace("_", "").isalpha() and value not in ("true", "false", "null"):
        return value
    return json.dumps(value, ensure_ascii=False)
