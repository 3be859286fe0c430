"""Seeds trained as one stack against seeds trained one after another, whole cells: data, steps, scores and run folders.

    python benchmarks/stacking.py [--quick] [--rounds 3] [--markdown docs/benchmarks.md]

Each round runs one cell alone, then each stack, in one process on one thread, so that whatever disturbs the machine
disturbs both; a stack is compared with the cell of its own round. Separate cells are independent of each other, so 64
of them take 64 times as long as one. `mnist-mlp` is cut to 200 steps, for it takes minutes otherwise, and alone in fp32
too, as stacks are.
"""

import argparse
import itertools
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="digits-mlp and 16 seeds only, once")
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names, sizes, rounds = (["digits-mlp"], [16], 1) if options.quick else (list(RECIPES), list(SIZES), options.rounds)
    rows = [row for name in names for row in measure(name, sizes, rounds)]
    columns = ["recipe", "seeds", "threads", "s", "/ one alone", "times as fast as separate"]
    cut = RECIPES["mnist-mlp"]["budget.steps"]
    text = (
        f"## Stacked seeds\n\n{machine()}. Whole cells as a study runs them: data read, steps, every validation, the "
        f"scores of each split, a complete run folder each. `mnist-mlp` is cut to {cut} steps, and in fp32 "
        f"alone too. Median (quartiles) of {rounds} rounds. Separate cells run on one thread, one after another; with "
        "as many processes as cores they are as many times as fast, and so are stacks on one thread each.\n\n"
    )
    text += table(columns, rows)
    print(text)
    if options.markdown:
        write_section(options.markdown, "stacking", text)


if __name__ == "__main__":
    main()
