"""Measure what the shipped recipes reach: mean and spread of the test score over seeds, and minutes a run.

    python benchmarks/expected.py digits-mlp xor-mlp --seeds 3 --write
    python benchmarks/expected.py shakespeare-gpt --seeds 3 --threads 1 --workspace ~/measured --write

`--write` puts the numbers into the recipes' `expected` lines; everything else in the files stays as it is. `--threads`
says how many threads a run has, and as many runs train side by side as the cores then hold: the minutes are of a run
so trained. `--workspace` keeps the runs. Tables of the documents that begin with `<!-- expected: RECIPE RECIPE ... -->`
are written anew from the recipes.
"""

import argparse
import multiprocessing
import os
import platform
import re
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import fourfold as ff
from fourfold.core.words import counted
from fourfold.run.parts import load_recipe, recipe_names

OWN = ("table-", "pictures-")  # data of one's own
DAYS = (
    *("-atari-dqn", "-atari-dqn2013", "-cifar10", "-imagenet", "-wikitext", "-wmt14", "gpt2"),
    *("bert-base-sst2", "bert-base-stsb", "bert-base-conll2003", "goodfellow-mnist"),
)
RECIPES = Path(ff.__file__).parent / "recipes"
DOCUMENTS = Path(__file__).parent.parent / "docs"
TABLE = re.compile(r"(<!-- expected: ([a-z0-9 -]+) -->\n).*?(<!-- expected: end -->)", re.DOTALL)


def trained(name: str, threads: int | None, workspace: str, seed: int) -> tuple[str, float, float, str]:
    """Run a recipe and return its metric, that metric of the test split, its seconds and on what it ran."""
    run = ff.run(name, {} if threads is None else {"runtime.threads": threads}, seed=seed, workspace=workspace)
    metric = run.recipe.expected.metric if run.recipe.expected else run.result["headline"]
    used = run.recipe.runtime
    device = f"{platform.machine()} cpu, threads={used.threads}" + (", bf16" if used.precision == "bf16" else "")
    return metric, run.metrics["test"][metric], run.result["seconds"], device


def measured(runs: list[tuple[str, float, float, str]]) -> dict[str, object]:
    metrics, scores, seconds, devices = zip(*runs, strict=True)
    return {
        "metric": metrics[0],
        "ours": float(f"{statistics.fmean(scores):.4g}"),
        "spread": float(f"{statistics.stdev(scores):.2g}") if len(scores) > 1 else None,
        "seeds": len(scores),
        "minutes": float(f"{statistics.fmean(seconds) / 60:.2g}"),
        "device": devices[0],
    }


def with_line(text: str, found: dict[str, object]) -> tuple[str, str]:
    """Return a recipe's text with what was found, and the line that says it."""
    if paper := re.search(r"^expected:.*\bpaper: ([0-9.e-]+)", text, re.MULTILINE):
        found = {"metric": found["metric"], "paper": paper[1], **found}
    line = "expected: {" + ", ".join(f"{k}: {'null' if v is None else v}" for k, v in found.items()) + "}"
    line = line.replace(f"device: {found['device']}", f'device: "{found["device"]}"')
    if re.search(r"^expected:", text, re.MULTILINE):
        return re.sub(r"^expected:.*$", line, text, flags=re.MULTILINE), line
    return f"{text.rstrip()}\n{line}\n", line


def table(names: list[str]) -> str:
    """Return Markdown that tells what recipes are expected to reach."""
    rows = ["| recipe | measure | test split, mean (spread) | seeds | minutes a run |", "|---|---|---|---|---|"]
    for name in names:
        line = load_recipe(name)[1].expected
        if line is None or line.ours is None:
            rows.append(f"| `{name}` | | not measured yet | | |")
            continue
        score = f"{line.ours:g}" if line.spread is None else f"{line.ours:g} ({line.spread:g})"
        threads = re.search(r"threads=(\d+)", line.device or "")
        on = f", {counted(int(threads[1]), 'thread')}" if threads else ""
        on += " of bf16" if "bf16" in (line.device or "") else ""
        rows.append(f"| `{name}` | {line.metric.replace('_', ' ')} | {score} | {line.seeds} | {line.minutes:g}{on} |")
    return "\n".join(rows)


def with_tables(text: str) -> str:
    """Return a document with its tables as the recipes have them now."""
    return TABLE.sub(lambda found: f"{found[1]}{table(found[2].split())}\n{found[3]}", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "recipes", nargs="*", default=[n for n in recipe_names() if not n.startswith(OWN) and not n.endswith(DAYS)]
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    at_once = 1 if arguments.threads is None else max(1, (os.cpu_count() or 1) // arguments.threads)
    spawned = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as passing, ProcessPoolExecutor(at_once, mp_context=spawned) as pool:
        workspace = str(arguments.workspace.expanduser()) if arguments.workspace else passing
        waiting = {
            name: [pool.submit(trained, name, arguments.threads, workspace, seed) for seed in range(arguments.seeds)]
            for name in arguments.recipes
        }
        for name, futures in waiting.items():
            file = RECIPES / f"{name}.yaml"
            text, line = with_line(file.read_text(encoding="utf-8"), measured([future.result() for future in futures]))
            print(f"{name}: {line}", flush=True)
            if arguments.write:
                file.write_text(text, encoding="utf-8")
                for document in DOCUMENTS.glob("*.md"):
                    text = document.read_text(encoding="utf-8")
                    document.write_text(with_tables(text), encoding="utf-8")


if __name__ == "__main__":
    main()
