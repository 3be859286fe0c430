"""How a run ended: result.json.

Checked by: result.json damaged field by field.
"""

from pathlib import Path
from typing import Any, Literal, get_args

from fourfold.core.errors import InputError
from fourfold.records import strict_json

FinalStatus = Literal["done", "interrupted", "diverged", "failed"]


def read_result(path: Path) -> dict[str, Any]:
    """Read a result.json; `metrics` holds floats, NaN and infinities included.

    Raises:
        InputError: missing or damaged.
    """
    result = strict_json.read_mapping(path)
    if result.get("status") not in get_args(FinalStatus):
        raise InputError(f"{path}: damaged: status {result.get('status')!r} is not one of {get_args(FinalStatus)}")
    if type(result.get("steps", 0)) is not int or type(result.get("ended", "")) is not str:
        raise InputError(f"{path}: damaged: steps must be a whole number and ended a date")
    for key in ("params", "planned_steps", "seconds", "examples_per_second"):
        if not isinstance(result.get(key, 0), int | float):
            raise InputError(f"{path}: damaged: {key} must be a number, and is {result[key]!r:.60}")
    for key in ("findings", "notes"):
        lines = result.get(key, [])
        if not (isinstance(lines, list) and all(isinstance(line, str) for line in lines)):
            raise InputError(f"{path}: damaged: {key} must be a list of texts")
    if not isinstance(result.get("headline"), str | None):
        raise InputError(f"{path}: damaged: headline must be the name of a metric")
    try:
        result["metrics"] = strict_json.numbers(result.get("metrics", {}))
    except ValueError as error:
        raise InputError(f"{path}: damaged: metrics: {error}") from None
    return result
