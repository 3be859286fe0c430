"""JSON as RFC 8259 has it: it has no NaN and no Infinity, which Python's `json` would write all the same.

A number that is not finite is written as the text "nan", "inf" or "-inf"; `number` reads either form back.

Source: RFC 8259, section 6.
Checked by: a round trip of every kind of float; a reader that refuses NaN literals.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

from fourfold.core.errors import InputError

MAX_BYTES = 32_000_000  # no file of a run folder that is read whole comes near this
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def encode(value: object, indent: int | None = None) -> bytes:
    """Return `value` as UTF-8 JSON, text kept readable; NaN and infinities become text.

    Raises:
        TypeError: `value` holds something that is not a mapping, list, text, number, boolean or None.
    """
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return text.encode("utf-8", errors="backslashreplace")  # half a surrogate pair, from a file name that is not UTF-8


def decode(data: bytes | str) -> Any:
    """Read strict JSON.

    Raises:
        ValueError: not UTF-8, not JSON, a NaN literal, or nested too deeply.
    """
    try:
        return _DECODER.decode(data.decode("utf-8") if isinstance(data, bytes) else data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def number(value: object) -> float:
    """Return the float that `encode` wrote, whichever form it took.

    Raises:
        ValueError: not a number.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    raise ValueError(f"{value!r} is not a number")


def numbers(groups: Any) -> dict[str, dict[str, float]]:
    """Return a run's metrics, `{"test": {"loss": 0.1}}`, each number as `number` does.

    Raises:
        ValueError: something else.
    """
    try:  # ten thousand listed runs have a quarter of a million of these, nearly all of them floats already
        return {
            group: {name: value if type(value) is float else number(value) for name, value in named.items()}
            for group, named in groups.items()
        }
    except AttributeError:
        raise ValueError("expected names in groups") from None


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        InputError: missing, unreadable, too large, damaged, or not an object; names the file.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise InputError(f"{path}: larger than {MAX_BYTES:,} bytes")
            data = file.read()
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    try:
        value = decode(data)
    except ValueError as error:
        raise InputError(f"{path}: damaged: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: damaged: expected an object, found {type(value).__name__}")
    return value


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(float(value))
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _refuse(literal: str) -> Any:
    raise ValueError(f"the literal {literal} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
