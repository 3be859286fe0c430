"""Dotted overrides: `model=densenet model.growth=12 algorithm.optimizer.lr=0.05 data.augment.0.pad=2`."""

from copy import deepcopy
from typing import Any, Iterable, Mapping

from fourfold.core.document import parse_yaml
from fourfold.core.errors import InputError

LITERAL = (",", "|", ":", "\t")  # texts of one character that YAML would read as syntax, or not at all


def parse_overrides(arguments: Iterable[str]) -> dict[str, Any]:
    """Turn `key=value` arguments into a mapping; values are read as YAML, so `[8, 8]` and `null` work.

    Raises:
        InputError: no `=`, an empty key, or the same key twice.
    """
    overrides: dict[str, Any] = {}
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if not equals or not key.strip("."):
            raise InputError(f"'{argument}': expected KEY=VALUE, for example algorithm.optimizer.lr=0.01")
        if key in overrides:
            raise InputError(f"'{key}' is given twice")
        overrides[key] = text if text in LITERAL else parse_yaml(text, key)
    return overrides


def apply_overrides(recipe: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of `recipe` (plain data) with each dotted key set.

    Choosing another part (`model=densenet` or `model.name=densenet`) drops the old part's fields; shorter keys are
    applied first, so that `model.growth=12 model=densenet` means what it says.

    Raises:
        InputError: a key has an empty part, is given twice, or walks through something that is not a mapping or list.
    """
    chosen: dict[str, Any] = {}
    for given, value in overrides.items():
        if not all(given.split(".")):
            raise InputError(f"'{given}': a name is missing between the dots")
        key = given.removesuffix(".name")
        if key in chosen:
            raise InputError(f"'{key}' is given twice")
        chosen[key] = value
    result = deepcopy(dict(recipe))
    for key in sorted(chosen, key=lambda k: k.count(".")):
        _set(result, key, deepcopy(chosen[key]))
    return result


def _set(root: dict[str, Any], dotted: str, value: Any) -> None:
    *path, last = dotted.split(".")
    node: Any = root
    for depth, part in enumerate(path):
        child = _get(node, part, dotted)
        if child is None:
            child = {}
            _put(node, part, child, dotted)
        elif isinstance(child, str):  # a part given by its name alone: `optimizer: adam`
            child = {"name": child}
            _put(node, part, child, dotted)
        elif not isinstance(child, dict | list):
            raise InputError(f"{dotted}: '{'.'.join(path[: depth + 1])}' is {child!r} and has no fields")
        node = child
    old = _get(node, last, dotted)
    if isinstance(old, dict) and isinstance(value, str) and "name" in old:
        value = old if old["name"] == value else {"name": value}
    _put(node, last, value, dotted)


def _get(node: dict[str, Any] | list[Any], part: str, dotted: str) -> Any:
    if isinstance(node, dict):
        return node.get(part)
    return node[_index(node, part, dotted)]


def _put(node: dict[str, Any] | list[Any], part: str, value: Any, dotted: str) -> None:
    if isinstance(node, dict):
        node[part] = value
    else:
        node[_index(node, part, dotted)] = value


def _index(node: list[Any], part: str, dotted: str) -> int:
    if part not in map(str, range(len(node))):
        last = f"0 to {len(node) - 1}" if node else "nothing: the list is empty"
        raise InputError(f"{dotted}: '{part}' is not a position in the list ({last})")
    return int(part)
