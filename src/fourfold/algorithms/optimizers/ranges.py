"""What a hyperparameter may be."""

import math
from typing import Any


def require(name: str, value: Any, low: float, high: float, *, open_low: bool = False, open_high: bool = False) -> None:
    """Raise ValueError unless `value` is a number between `low` and `high`, the ends included unless open."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or (open_low and value == low) or (open_high and value == high):
        ends = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
        raise ValueError(f"{name}: expected a number in {ends}, got {value!r}")


def require_lr(value: object) -> None:
    """Raise ValueError unless `value` can be a learning rate."""
    require("lr", value, 0, math.inf, open_high=True)
