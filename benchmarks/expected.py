"""Measure what the shipped recipes reach: mean and spread of the test score over seeds, and minutes a run.

    python benchmarks/expected.py digits-mlp xor-mlp --seeds 3 --write

`--write` puts the numbers into the recipes' `expected` lines; everything else in the files stays as it is.
"""

import argparse
import platform
import re
import statistics
import tempfile
from pathlib import Path

import fourfold as ff
from fourfold.run.parts import recipe_names

OWN = ("table-", "pictures-")  # data of one's own
DAYS = ("-cifar10", "-imagenet", "-wikitext", "-wmt14", "gpt2")
RECIPES = Path(ff.__file__).parent / "recipes"


def measure(name: str, seeds: int, workspace: str) -> dict[str, object]:
    runs = [ff.run(name, seed=seed, workspace=workspace) for seed in range(seeds)]
    metric = runs[0].recipe.expected.metric if runs[0].recipe.expected else runs[0].result["headline"]
    scores = [run.metrics["test"][metric] for run in runs]
    return {
        "metric": metric,
        "ours": float(f"{statistics.fmean(scores):.4g}"),
        "spread": float(f"{statistics.stdev(scores):.2g}") if seeds > 1 else None,
        "seeds": seeds,
        "minutes": float(f"{statistics.fmean(run.result['seconds'] for run in runs) / 60:.2g}"),
        "device": f"{platform.machine()} cpu, threads={runs[0].recipe.runtime.threads}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "recipes", nargs="*", default=[n for n in recipe_names() if not n.startswith(OWN) and not n.endswith(DAYS)]
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.recipes:
        with tempfile.TemporaryDirectory() as workspace:
            found = measure(name, arguments.seeds, workspace)
        file = RECIPES / f"{name}.yaml"
        text = file.read_text(encoding="utf-8")
        if paper := re.search(r"^expected:.*\bpaper: ([0-9.e-]+)", text, re.MULTILINE):
            found = {"metric": found.pop("metric"), "paper": paper[1], **found}
        line = "expected: {" + ", ".join(f"{k}: {'null' if v is None else v}" for k, v in found.items()) + "}"
        line = line.replace(f"device: {found['device']}", f'device: "{found["device"]}"')
        print(f"{name}: {line}", flush=True)
        if arguments.write:
            file.write_text(re.sub(r"^expected:.*$", line, text, flags=re.MULTILINE), encoding="utf-8")


if __name__ == "__main__":
    main()
