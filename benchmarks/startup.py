"""From `fourfold run digits-mlp` to its first training step, against `python -c "import torch"`.

    python benchmarks/startup.py [--rounds 11] [--markdown docs/benchmarks.md]

Both are timed from before their process is started. The first step is read off the run itself: with
`budget.log_every=1` each point of its curve carries the time at which it was taken, and the first is step 1's.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import machine, spread, table, write_section

RECIPE = "digits-mlp"


def import_torch() -> float:
    """Return the seconds of `python -c "import torch"`."""
    began = time.time()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.time() - began


def first_step(workspace: str) -> float:
    """Return the seconds from starting the command line to the end of the first training step."""
    command = [sys.executable, "-m", "fourfold", "run", RECIPE, "budget.epochs=null", "budget.steps=2"]
    began = time.time()
    subprocess.run(
        [*command, "budget.log_every=1", "--workspace", workspace],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    newest = max(Path(workspace).glob(f"{RECIPE}-*"), key=lambda folder: folder.stat().st_mtime)
    points = [json.loads(line) for line in (newest / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    (first,) = [point["time"] for point in points if point["step"] == 1 and point["name"] == "train.loss"]
    return first - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    options = parser.parse_args()
    rounds = []
    with tempfile.TemporaryDirectory() as workspace:
        import_torch(), first_step(workspace)  # files into memory, .pyc files onto the disk
        for _ in range(options.rounds):
            rounds.append((import_torch(), first_step(workspace)))
    rows = [
        ['`python -c "import torch"`', spread([torch for torch, _ in rounds], 2), "1"],
        [
            f"`fourfold run {RECIPE}`, to the end of step 1",
            spread([ours for _, ours in rounds], 2),
            spread([ours / torch for torch, ours in rounds], 2),
        ],
    ]
    text = f"## Start-up\n\n{machine()}. {options.rounds} rounds, interleaved; median (quartiles).\n\n"
    text += table(["command", "seconds", "ratio"], rows)
    print(text)
    if options.markdown is not None:
        write_section(options.markdown, "startup", text)


if __name__ == "__main__":
    main()
