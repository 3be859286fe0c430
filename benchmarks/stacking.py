"""Seeds trained as one stack against seeds trained one after another: as commands, and as cells within a process.

    python benchmarks/stacking.py [--quick] [--rounds 3] [--markdown docs/benchmarks.md]

Commands are whole processes on all cores, each in an empty workspace: a run, and a study of as many seeds with its
statistics and its page. Cells are data, steps, scores and run folders, in a process that has loaded everything. Each
round runs one cell alone, then each stack, in one process on one thread, so that whatever disturbs the machine
disturbs both; a stack is compared with the cell of its own round. Separate cells are independent of each other, so 64
of them take 64 times as long as one. `mnist-mlp` is cut to 200 steps, for it takes minutes otherwise, and alone in fp32
too, as stacks are.
"""

import argparse
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from tables import machine, spread, table, write_section

from fourfold.run import runtime
from fourfold.run.parts import load_recipe
from fourfold.study import warm  # noqa: F401 - imports what a cell's process has imported
from fourfold.study.cells import Cell, run_cell
from fourfold.study.stacked import run_stack

RECIPES: dict[str, dict[str, Any]] = {"digits-mlp": {}, "mnist-mlp": {"budget.steps": 200, "runtime.precision": "fp32"}}
SIZES = (16, 64)
SEEDS = itertools.count(1)  # a cell that was run is never run again


def cells(name: str, count: int) -> list[Cell]:
    """Return cells that were not run before."""
    fields = load_recipe(name, {**RECIPES[name], "runtime.threads": 1})[1].to_mapping()
    return [Cell(name, {**fields, "seed": next(SEEDS)}) for _ in range(count)]


def seconds_alone(name: str, workspace: Path) -> float:
    (cell,) = cells(name, 1)
    began = time.perf_counter()
    run_cell(cell, workspace)
    return time.perf_counter() - began


def seconds_stacked(name: str, count: int, threads: int, workspace: Path) -> float:
    stack = cells(name, count)
    began = time.perf_counter()
    run_stack(stack, workspace, threads)
    return time.perf_counter() - began


def measure(name: str, sizes: list[int], rounds: int) -> list[list[str]]:
    """Return the rows of a recipe."""
    threads = sorted({1, runtime.cores()})
    alone: list[float] = []
    stacked: dict[tuple[int, int], list[float]] = {(size, count): [] for size in sizes for count in threads}
    with TemporaryDirectory() as folder:
        workspace = Path(folder)
        seconds_alone(name, workspace)  # the first one imports and allocates
        for _ in range(rounds):
            alone.append(seconds_alone(name, workspace))
            for (size, count), heard in stacked.items():
                heard.append(seconds_stacked(name, size, count, workspace))
    rows = [[f"`{name}`", "1, alone", "1", spread(alone, 2), "1", "1"]]
    for (size, count), heard in stacked.items():
        ratios = [own / one for own, one in zip(heard, alone, strict=True)]
        gains = [size * one / own for own, one in zip(heard, alone, strict=True)]
        rows.append([f"`{name}`", str(size), str(count), spread(heard, 2), spread(ratios, 1), spread(gains, 1)])
    return rows


def measure_commands(sizes: list[int], rounds: int) -> list[list[str]]:
    """Return a row for one run, and for each study of several seeds."""
    study = ["compare", "digits-mlp", "--seeds"]
    commands: dict[str, list[str]] = {"fourfold run digits-mlp": ["run", "digits-mlp"]}
    for way in ([], ["--stack", "auto"]):
        for size in sizes:
            words = [*study, str(size), *way]
            commands[f"fourfold {' '.join(words)}"] = words
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, words in commands.items():
            seconds[name].append(seconds_of(words))
    one = next(iter(seconds.values()))
    return [
        [f"`{name}`", spread(own, 1), spread([a / b for a, b in zip(own, one, strict=True)], 1)]
        for name, own in seconds.items()
    ]


def seconds_of(words: list[str]) -> float:
    """Return the seconds of a command in an empty workspace."""
    with TemporaryDirectory() as workspace:
        began = time.perf_counter()
        where = {**os.environ, "FOURFOLD_WORKSPACE": workspace}
        subprocess.run([sys.executable, "-m", "fourfold", *words, "--quiet"], check=True, env=where)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="digits-mlp and 16 seeds only, once")
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names, sizes, rounds = (["digits-mlp"], [16], 1) if options.quick else (list(RECIPES), list(SIZES), options.rounds)
    whole = measure_commands(sizes, rounds)
    rows = [row for name in names for row in measure(name, sizes, rounds)]
    columns = ["recipe", "seeds", "threads", "s", "/ one alone", "times as fast as separate"]
    cut = RECIPES["mnist-mlp"]["budget.steps"]
    text = (
        f"## Stacked seeds\n\n{machine()}. Median (quartiles) of {rounds} rounds. Commands as a person types them, "
        f"start, statistics and page included, on {runtime.cores()} cores:\n\n"
        f"{table(['command', 's', '/ one run'], whole)}\n\n"
        "Whole cells as a study runs them, in a process that has loaded everything: data read, steps, every "
        f"validation, the scores of each split, a complete run folder each. `mnist-mlp` is cut to {cut} steps, and in "
        "fp32 alone too. Separate cells run on one thread, one after another; with as many processes as cores they are "
        "as many times as fast, and so are stacks on one thread each.\n\n"
    )
    text += table(columns, rows)
    print(text)
    if options.markdown:
        write_section(options.markdown, "stacking", text)


if __name__ == "__main__":
    main()
