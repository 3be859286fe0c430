"""Numbers to Markdown: medians with their quartiles, and sections of a results file that scripts own."""

import os
import platform
import re
import statistics
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HEADER = (
    "# Benchmarks\n\nMeasured by the scripts in [benchmarks](../benchmarks/README.md), which also write this file.\n"
)


def spread(values: Sequence[float], digits: int) -> str:
    """Return the median and, in brackets, the first and third quartile."""
    return between(statistics.median(values), values, digits)


def between(middle: float, values: Sequence[float], digits: int) -> str:
    """Return a number and, in brackets, the first and third quartile of the values that it is made of."""
    if len(values) < 3:
        return f"{middle:.{digits}f}"
    low, _, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def write_section(path: Path, name: str, text: str) -> None:
    """Replace the section `name` of a Markdown file, or add it at the end."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    before = path.read_text(encoding="utf-8") if path.exists() else HEADER
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(before):
        after = pattern.sub(lambda _: section, before)
    else:
        after = before.rstrip() + "\n\n" + section + "\n"
    path.write_text(after, encoding="utf-8")


def tell(path: Path | None, name: str, text: str) -> None:
    """Print a section, and write it to the file at once: what is measured is not lost if the rest is stopped."""
    print(text, end="\n\n", flush=True)
    if path is not None:
        write_section(path, name, text)


def machine() -> str:
    """Return what the numbers were measured on."""
    names = ("torch", "torchvision", "lightning", "accelerate", "skorch", "transformers", "keras", "jax", "tensorflow")
    versions = [f"{name} {found}" for name in names if (found := installed(name))]
    return f"{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}; {', '.join(versions)}"


def processor() -> str:
    """Return the processor's name, and the matrix instructions that decide how fast bf16 is."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    name = re.search(r"model name\s*: (.*)", text)
    extras = [flag for flag in ("avx512_bf16", "amx_bf16") if re.search(rf"\b{flag}\b", text)]
    found = name.group(1).strip() if name else platform.machine()
    return f"{found} ({', '.join(extras)})" if extras else found


def installed(name: str) -> str | None:
    """Return a package's version, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
