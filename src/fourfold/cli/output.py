"""What a command says: tables and progress on stderr for people, one JSON object on stdout for programs."""

import json
import math
import os
import shutil
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from fourfold.tasks.figure import display_width

if TYPE_CHECKING:
    from rich.console import Console

FILE_WIDTH = 1000  # of a table in a file: nothing of ours is wider


def speak_utf8() -> None:
    """Make stdout and stderr UTF-8 whatever the locale, so that a Hangul path never ends a run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def is_first_process() -> bool:
    """Return whether this process speaks for the run; of several data-parallel processes only the first does."""
    return os.environ.get("RANK", "0") == "0"


def note(line: str) -> None:
    """Print one plain line to stderr, whatever a name in it may hold: a line break, or a terminal's codes."""
    print("".join(c if c.isprintable() else repr(c)[1:-1] for c in line), file=sys.stderr, flush=True)


def print_json(data: Mapping[str, Any]) -> None:
    """Print one JSON object as one line; NaN and infinities, which JSON lacks, become null."""
    print(json.dumps(_finite(data), ensure_ascii=False, allow_nan=False), flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value if value is None or isinstance(value, str | bool | int) else str(value)


def console(*, stderr: bool = False) -> "Console":
    """Return a rich console; answers go to stdout, everything about the work itself to stderr."""
    from rich.console import Console

    file = not (sys.stderr if stderr else sys.stdout).isatty()
    width = FILE_WIDTH if file and "COLUMNS" not in os.environ else None  # a line stays one, for grep
    return Console(stderr=stderr, highlight=False, emoji=False, soft_wrap=file, width=width)


def hanging(line: str, *, stderr: bool = False) -> list[str]:
    """Return `  · words` as lines that fit the terminal, each further one set below the words; in a file, one line."""
    stream = sys.stderr if stderr else sys.stdout
    if not stream.isatty():
        return [line]
    room = shutil.get_terminal_size().columns
    start = len(line) - len(line.lstrip(" "))
    words = line.lstrip(" ").split(" ")
    indent = " " * (start + len(words[0]) + 1)
    lines = [" " * start + words[0]]
    for word in words[1:]:
        if display_width(lines[-1]) + 1 + display_width(word) > room and lines[-1].strip() != words[0]:
            lines.append(indent + word)
        else:
            lines[-1] += " " + word
    return lines


def print_finding(finding: str, *, stderr: bool = False) -> None:
    """Print something a person should know about a run, yellow to its last line."""
    out = console(stderr=stderr)
    for piece in hanging(f"! {finding}", stderr=stderr):
        out.print(piece, markup=False, style="yellow")
