"""What a study costs beside its training: seven optimizers x ten seeds of digits-mlp, cold, and asked again.

    python benchmarks/studies.py [--rounds 3] [--seeds 10] [--markdown docs/benchmarks.md]

Beside it: joblib running the loop written by hand in PyTorch on the same grid, with torch.optim, on as many processes;
it keeps no curve, no checkpoint, no record and no statistics. Commands are whole processes, interleaved. On cells of
2 s and more: what the study adds to its runs is 1 - (seconds of all runs, data and scores and records included) /
(processes x seconds of the study); what is not in steps counts their validations, too.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tables import machine, spread, table, write_section

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam")
GRID = Path(__file__).with_name("peers") / "joblib_grid.py"
LONG = "budget.epochs=400"  # of digits-mlp: cells of two seconds and more; the table says how long they were


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    options = parser.parse_args()
    seeds = str(options.seeds)
    cold, again, by_hand, added, not_in_steps, long = [], [], [], [], [], []
    for _ in range(options.rounds):
        with TemporaryDirectory() as workspace:
            cold.append(timed(compare(seeds), workspace))
            again.append(timed(compare(seeds), workspace))
        by_hand.append(timed([sys.executable, str(GRID), seeds, *OPTIMIZERS], "."))
        with TemporaryDirectory() as workspace:
            seconds = timed(compare("10", LONG), workspace)
            in_runs, in_steps, cell = spent(Path(workspace))
            long.append(cell)
            added.append(100 * (1 - in_runs / (processes() * seconds)))
            not_in_steps.append(100 * (1 - in_steps / (processes() * seconds)))
    rows = [
        [f"`fourfold compare`: 7 optimizers x {seeds} seeds, cold", spread(cold, 1)],
        ["the same command again", spread(again, 2)],
        ["joblib, the loop by hand, the same grid", spread(by_hand, 1)],
        ["longer cells, 7 x 10: seconds of one, median", spread(long, 1)],
        ["the same: what the study adds to its runs, %", spread(added, 1)],
        ["the same: what is not in training steps, %", spread(not_in_steps, 1)],
    ]
    text = f"## Studies\n\n{machine()}. Load before: {os.getloadavg()[0]:.2f}. {options.rounds} rounds, interleaved; "
    text += f"seconds of the whole process, median (quartiles).\n\n{table(['what', 'measured'], rows)}"
    print(text)
    if options.markdown is not None:
        write_section(options.markdown, "studies", text)


def compare(seeds: str, *overrides: str) -> list[str]:
    varied = ["--vary", f"algorithm.optimizer={','.join(OPTIMIZERS)}", "--seeds", seeds]
    return [sys.executable, "-m", "fourfold", "compare", "digits-mlp", *overrides, *varied, "--quiet"]


def timed(command: list[str], workspace: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "FOURFOLD_WORKSPACE": workspace})
    return time.perf_counter() - began


def spent(workspace: Path) -> tuple[float, float, float]:
    """Return the seconds of all runs, those that they were in training steps, and those of the middle one."""
    (file,) = (workspace / "studies").glob("*/costs.json")
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"].values()
    whole = [cell["process_seconds"] for cell in cells]
    return sum(whole), sum(cell["seconds"] for cell in cells), statistics.median(whole)


def processes() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
