"""Contenders in one process that take turns: their command line, and a step of Fourfold's own as a run takes it."""

import argparse
import ctypes
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from tables import spread

from fourfold.run import runtime
from fourfold.run.build import build_parts, build_training
from fourfold.run.parts import load_recipe
from fourfold.run.processes import SingleProcess


def parse(description: str | None, parts: Sequence[str], quick: str) -> argparse.Namespace:
    """Read the command line of a script that measures `parts`, and says what its `--quick` does."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts), metavar="PART")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: for a machine with others on it")
    parser.add_argument("--markdown", type=Path, help="write the sections of this file")
    return parser.parse_args()


def our_training(parts: dict[str, Any]) -> Any:
    """Return a recipe's algorithm at work, as a run has it."""
    recipe = load_recipe(parts, {})[1]
    built = build_parts(recipe)
    machine_known = runtime.resolve_machine(recipe.runtime)
    resolved = runtime.resolve_model(machine_known, built.model, recipe.budget.batch_size, built.source.spec)
    placed = built._replace(model=runtime.place(built.model, resolved, torch.device("cpu")))
    recipe = recipe.model_copy(update={"runtime": resolved})
    training, _, _ = build_training(recipe, placed, torch.device("cpu"), SingleProcess())
    return training


def rows_of(seconds: dict[str, list[float]], count: int) -> list[list[str]]:
    """Return a row a way: its name, how many of `count` a turn it does a second, and its speed, that of the first 1."""
    first = next(iter(seconds.values()))
    return [
        [
            name,
            f"{count / statistics.median(found):,.0f}",
            spread([a / b for a, b in zip(first, found, strict=True)], 2),
        ]
        for name, found in seconds.items()
    ]


def interleaved(ways: dict[str, Callable[[], object]], rounds: int, steps: int, clock: str) -> dict[str, list[float]]:
    """Return each way's seconds a step in each round; all are warmed up first."""
    now = time.perf_counter if clock == "wall" else time.process_time
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        names = list(ways)
        random.Random(number).shuffle(names)
        for name in names:
            memory_as_in(name)
            began = now()
            for _ in range(steps):
                ways[name]()
            seconds[name].append((now() - began) / steps)
    return seconds


def memory_as_in(name: str) -> None:
    """Set the C library's memory as a run of Fourfold has it, and for others as large as glibc makes it by itself."""
    if name.startswith("**Fourfold"):
        runtime.keep_freed_memory()
    elif hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(runtime.M_MMAP_THRESHOLD, 1 << 25)
        libc.mallopt(runtime.M_TRIM_THRESHOLD, 1 << 26)
