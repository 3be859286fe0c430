"""Who a run is: run.json.

Checked by: run.json damaged field by field.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from fourfold.core.errors import InputError
from fourfold.records import strict_json

FORMAT = 1


@dataclass(frozen=True)
class Identity:
    """What run.json says."""

    uid: str  # 32 hex digits, drawn at random
    recipe: str  # the recipe's name
    seed: int
    created: str  # UTC, ISO 8601
    process: Mapping[str, Any]  # the process that trains or trained it, from this_process
    format: int = FORMAT


def read_identity(path: Path) -> Identity:
    """Read a run.json.

    Raises:
        InputError: missing, damaged, or written by a newer Fourfold.
    """
    fields = strict_json.read_mapping(path)
    kinds = {"uid": str, "recipe": str, "seed": int, "created": str, "process": dict, "format": int}
    for name, kind in kinds.items():
        if type(fields.get(name)) is not kind:
            raise InputError(f"{path}: damaged: '{name}' is missing or not {kind.__name__}")
    if fields["format"] > FORMAT:
        raise InputError(f"{path}: written by a newer Fourfold (format {fields['format']}, this one reads {FORMAT})")
    if not re.fullmatch("[0-9a-f]{32}", fields["uid"]):
        raise InputError(f"{path}: damaged: 'uid' is not 32 hex digits")
    if not 0 <= fields["seed"] < 2**63 or len(fields["created"]) > 40:
        raise InputError(f"{path}: damaged: 'seed' or 'created' is out of range")
    if "\0" in fields["recipe"] or any("\ud800" <= c <= "\udfff" for c in fields["recipe"]):
        raise InputError(f"{path}: damaged: 'recipe' holds characters that no name has")
    return Identity(**{name: fields[name] for name in kinds})
