"""Reading and writing YAML as plain data, safely.

A document can only hold mappings, lists, strings, numbers, booleans and null: tags, aliases, repeated keys, deep
nesting and huge files are refused before anything is built from them.
"""

import math
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from fourfold.core.errors import InputError

MAX_BYTES = 1_000_000
MAX_DEPTH = 20


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's booleans and floats, and without anchors, tags or repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused("anchors and aliases are not allowed", event)
        if getattr(event, "tag", None):
            raise _refused(f"the tag {event.tag} is not allowed", event)
        self.depth = getattr(self, "depth", 0) + 1
        if self.depth > MAX_DEPTH:
            raise _refused(f"nested deeper than {MAX_DEPTH} levels", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _refused(f"the key {key!r} is not text", key_node)
            if key in seen:
                raise _refused(f"the key '{key}' stands twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """SafeDumper that never writes anchors, which `_Loader` refuses."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _refused(problem: str, where: Any) -> InputError:
    return InputError(f"line {where.start_mark.line + 1}: {problem}")


# YAML 1.1 reads `no` as false, `1e-3` as text and `12:30` as a number; YAML 1.2's core schema does not.
_FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_RESOLVERS = [
    ("tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), "-+0123456789"),
    ("tag:yaml.org,2002:float", _FLOAT, "-+0123456789."),
]
for _class in (_Loader, _Dumper):
    _class.yaml_implicit_resolvers = {}
    for _tag, _pattern, _first in _RESOLVERS:
        _class.add_implicit_resolver(_tag, _pattern, list(_first))


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    if len(node.value) > 20:
        raise _refused(f"the number {node.value[:12]}… is too long", node)
    return int(node.value)


def _construct_float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    number = float(node.value)
    if math.isinf(number):
        raise _refused(f"the number {node.value[:12]} is too large", node)
    return number


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)


def parse_yaml(text: str, source: str) -> Any:
    """Return the plain data in `text`; `source` names the file (or argument) in messages.

    Raises:
        InputError: not YAML, or YAML that is more than plain data.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"{source}: larger than {MAX_BYTES:,} characters")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{source}: {place}not YAML: {problem}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping from a UTF-8 file.

    Raises:
        InputError: missing, unreadable, not a regular file, too large, not UTF-8, or not a mapping.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would wait and a device would never end
            raise InputError(f"{path}: not a file")
        if found.st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    data = parse_yaml(text, str(path))
    if not isinstance(data, dict):
        found = {list: "a list", type(None): "nothing"}.get(type(data), f"only {data!r:.40}")
        raise InputError(f"{path}: expected 'key: value' lines, found {found}")
    return data


def to_yaml(data: object) -> str:
    """Write plain data as YAML, in the order given, non-ASCII text kept readable."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False)
