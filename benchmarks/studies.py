"""What a study costs beside its training: seven optimizers x ten seeds of digits-mlp, cold, and asked again.

    python benchmarks/studies.py [--rounds 3] [--seeds 10] [--markdown docs/benchmarks.md]

Beside it: joblib running the loop written by hand in PyTorch on the same grid, with torch.optim, on as many processes;
it keeps no curve, no checkpoint, no record and no statistics. Commands are whole processes, interleaved. The share that
is not training is 1 - (seconds in the steps of all runs) / (processes x seconds of the study), on cells of
two seconds and more.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tables import machine, spread, table, write_section

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam")
GRID = Path(__file__).with_name("peers") / "joblib_grid.py"
LONG = "budget.epochs=150"  # of digits-mlp: cells of two seconds and more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    options = parser.parse_args()
    seeds = str(options.seeds)
    cold, again, by_hand, not_training = [], [], [], []
    for _ in range(options.rounds):
        with TemporaryDirectory() as workspace:
            cold.append(timed(compare(seeds), workspace))
            again.append(timed(compare(seeds), workspace))
        by_hand.append(timed([sys.executable, str(GRID), seeds, *OPTIMIZERS], "."))
        with TemporaryDirectory() as workspace:
            seconds = timed(compare("10", LONG), workspace)
            not_training.append(100 * (1 - training(Path(workspace)) / (processes() * seconds)))
    rows = [
        [f"`fourfold compare`: 7 optimizers x {seeds} seeds, cold", spread(cold, 1)],
        ["the same command again", spread(again, 2)],
        ["joblib, the loop by hand, the same grid", spread(by_hand, 1)],
        ["cells of 2 s and more, 7 x 10: share that is not training, %", spread(not_training, 1)],
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


def training(workspace: Path) -> float:
    """Return the seconds that all runs were in steps."""
    (file,) = (workspace / "studies").glob("*/costs.json")
    return sum(cell["seconds"] for cell in json.loads(file.read_text(encoding="utf-8"))["cells"].values())


def processes() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
