"""What a command says: tables and progress on stderr for people, one JSON object on stdout for programs."""

import json
import math
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def speak_utf8() -> None:
    """Make stdout and stderr UTF-8 whatever the locale, so that a Hangul path never ends a run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def is_first_process() -> bool:
    """Return whether this process speaks for the run; of several data-parallel processes only the first does."""
    return os.environ.get("RANK", "0") == "0"


def note(line: str) -> None:
    """Print a plain line to stderr."""
    print(line, file=sys.stderr, flush=True)


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

    return Console(
        stderr=stderr, highlight=False, emoji=False, soft_wrap=not (sys.stderr if stderr else sys.stdout).isatty()
    )


def number(value: float) -> str:
    """Return a measurement as people read it: four significant digits, thousands separated."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def duration(seconds: float) -> str:
    """Return `0.8 s`, `2 min 5 s` or `3 h 2 min`."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
