"""The record of a judged claim: a small JSON file that a repository can keep and a page is made from.

Checked by: a round trip; a record whose scores give the verdict that it states.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourfold.claims.comparisons import Outcome, Rule, Scores
from fourfold.claims.rules import Judged, judge
from fourfold.core.errors import InputError
from fourfold.records.atomic import write_atomically
from fourfold.records.folder import cannot_write
from fourfold.records.strict_json import read_mapping

FORMAT = 1


def write_record(record: Mapping[str, Any], path: Path) -> None:
    """Write a record.

    Raises:
        RecordError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (_layout(record) + "\n").encode("utf-8"))
    except OSError as error:
        raise cannot_write(error, path) from None


def read_record(path: Path) -> dict[str, Any]:
    """Read a record.

    Raises:
        InputError: missing, damaged, or of another format; names the file.
    """
    record = read_mapping(path)
    if record.get("format") != FORMAT:
        raise InputError(f"{path}: a record of format {record.get('format')}, and not {FORMAT}; make it again")
    return record


def read_records(folder: Path) -> list[dict[str, Any]]:
    """Read every record of a folder, by id."""
    return sorted((read_record(path) for path in folder.glob("*.json")), key=lambda record: record["id"])


def scores_of(record: Mapping[str, Any]) -> Scores:
    """Return the scores of a statistical claim's record."""
    return {
        arm["name"]: {int(seed): math.nan if score is None else score for seed, score in arm["scores"].items()}
        for arm in record["arms"]
    }


def judged_again(rule: Rule, record: Mapping[str, Any]) -> tuple[Outcome, list[Judged]]:
    """Return what a rule says of a record's scores, and of each of its comparisons."""
    return judge(rule, scores_of(record))


def _layout(value: Any, indent: str = "") -> str:
    """Return JSON with whatever holds no further containers on one line, so that a change is a few lines of a diff."""
    items = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else []
    if not any(isinstance(item, Mapping | list | tuple) for item in items):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    deeper = indent + " "
    if isinstance(value, Mapping):
        lines = [f"{deeper}{json.dumps(name, ensure_ascii=False)}: {_layout(v, deeper)}" for name, v in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _layout(item, deeper) for item in items) + f"\n{indent}]"
