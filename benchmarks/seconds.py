"""How long the first things a person tries take: digits-mlp after import, and mnist-mlp to 98 % on the test split.

    python benchmarks/seconds.py [--rounds 3] [--markdown docs/benchmarks.md]

`mnist-mlp` runs as shipped. Its time is the whole of it, data read and evaluated; MNIST itself is fetched before. The
first validation at 98 % is told as well, for the test split is looked at only once, at the end.
"""

import argparse
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tables import machine, spread, table, write_section

GOAL = 0.98


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    options = parser.parse_args()

    import fourfold
    from fourfold.run.build import build_parts
    from fourfold.run.parts import load_recipe
    from fourfold.run.watch import Watcher

    class StopWatch(Watcher):
        def __init__(self) -> None:
            self.began, self.reached = time.perf_counter(), float("nan")

        def progressed(self, step: int, metrics: Mapping[str, float], examples_per_second: float) -> None:
            if metrics.get("validation.accuracy", 0.0) >= GOAL and self.reached != self.reached:
                self.reached = time.perf_counter() - self.began

    build_parts(load_recipe("mnist-mlp")[1])  # fetches MNIST where it is missing
    rows = []
    with TemporaryDirectory() as workspace:
        for recipe in ("digits-mlp", "mnist-mlp"):
            whole, reached, accuracy = [], [], []
            for seed in range(options.rounds):
                watch = StopWatch()
                run = fourfold.run(recipe, seed=seed, workspace=workspace, watcher=watch)
                if run.status != "done":
                    sys.exit(f"{recipe} was {run.status}")
                whole.append(time.perf_counter() - watch.began)
                reached.append(watch.reached)
                accuracy.append(100 * run.metrics["test"]["accuracy"])
            told = "–" if any(map(math.isnan, reached)) else spread(reached, 1)
            rows.append([f"`{recipe}`", spread(whole, 1), told, spread(accuracy, 2)])
    columns = ["recipe", "s, all of it", f"s to {GOAL:.0%} in validation", "test accuracy, %"]
    text = f"## Seconds\n\n{machine()}. Imports left out; {options.rounds} seeds; median (quartiles).\n\n"
    text += table(columns, rows)
    print(text)
    if options.markdown is not None:
        write_section(options.markdown, "seconds", text)


if __name__ == "__main__":
    main()
