"""Time one optimizer step against every form torch.optim has of it, in one process, in turn.

    python benchmarks/optimizers.py [--threads N] [--rounds N] [--markdown FILE]

Each round steps every contender once on its own copy of the tensors, so that a machine that slows down slows all of
them; the table shows medians over rounds. Ours is compared with the fastest of torch's forms, and with the one that it
takes unasked.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tables import machine, table, write_section
from torch import nn

from fourfold.algorithms.optimizers import SGD, Adadelta, Adagrad, Adam, Momentum, Nesterov, RMSprop

Shapes = list[tuple[int, ...]]
CONTENDERS: list[tuple[type, str, dict[str, Any]]] = [
    (SGD, "SGD", {}),
    (Momentum, "SGD", {"momentum": 0.9}),
    (Nesterov, "SGD", {"momentum": 0.9, "nesterov": True}),
    (Adagrad, "Adagrad", {}),
    (Adadelta, "Adadelta", {}),
    (RMSprop, "RMSprop", {}),
    (Adam, "Adam", {}),
]
FORMS: dict[str, dict[str, bool]] = {"default": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}


def workloads() -> dict[str, Shapes]:
    """Return the parameter shapes that are timed."""
    from torchvision.models import resnet18

    return {
        "ResNet-18, 11.7 M parameters": [tuple(p.shape) for p in resnet18().parameters()],
        "200 tensors of 64": [(64,)] * 200,
        "MLP 784-256-128-10": [(256, 784), (256,), (128, 256), (128,), (10, 128), (10,)],
    }


def tensors(shapes: Shapes) -> list[nn.Parameter]:
    draw = torch.Generator().manual_seed(0)
    params = [nn.Parameter(torch.randn(shape, generator=draw) * 0.1) for shape in shapes]
    for param in params:
        param.grad = torch.randn(param.shape, generator=draw) * 0.01
    return params


def contenders(ours: type, theirs: str, own: dict[str, Any], shapes: Shapes) -> dict[str, Callable[[], object]]:
    """Return the step of ours and of each form torch has, each on its own tensors."""
    steps: dict[str, Callable[[], object]] = {"ours": ours(tensors(shapes), lr=1e-4).step}
    for form, flags in FORMS.items():
        try:
            steps[form] = getattr(torch.optim, theirs)(tensors(shapes), lr=1e-4, **own, **flags).step
        except TypeError:  # this optimizer has no fused form
            continue
    return steps


def time_in_turn(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each, every round running each once."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for i in range(rounds + 3):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if i >= 3:  # the first rounds allocate
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in seconds.items()}


def measure(rounds: int | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for workload, shapes in workloads().items():
        count = rounds or (31 if sum(map(math.prod, shapes)) > 1_000_000 else 301)
        for ours, theirs, own in CONTENDERS:
            medians = time_in_turn(contenders(ours, theirs, own, shapes), count)
            best = min(value for name, value in medians.items() if name != "ours")
            rows.append(
                {
                    "workload": workload,
                    "optimizer": ours.__name__,
                    "microseconds": {name: round(value * 1e6, 1) for name, value in medians.items()},
                    "vs_best": round(medians["ours"] / best, 3),
                    "vs_default": round(medians["default"] / medians["ours"], 2),
                }
            )
    return rows


def section(rows: list[dict[str, Any]], threads: int) -> str:
    """Return a table of each workload."""
    columns = ["optimizer", "Fourfold", *(f"torch, {form}" for form in FORMS), "Fourfold / best", "default / Fourfold"]
    parts = [
        "## Optimizers",
        f"{machine()}; threads: {threads}. One step, µs, median of steps taken in turn. Below 1 in the last column but "
        "one: faster than the best that torch.optim has; above 1 in the last: faster than what it does unasked.",
    ]
    for workload in dict.fromkeys(row["workload"] for row in rows):
        lines = []
        for row in (row for row in rows if row["workload"] == workload):
            times = [f"{row['microseconds'][k]:,.0f}" if k in row["microseconds"] else "–" for k in ("ours", *FORMS)]
            lines.append([row["optimizer"], *times, f"{row['vs_best']:.2f}", f"{row['vs_default']:.2f}"])
        parts += [f"### {workload}", table(columns, lines)]
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--rounds", type=int, help="timed steps of each contender")
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    text = section(measure(arguments.rounds), arguments.threads)
    print(text)
    if arguments.markdown:
        write_section(arguments.markdown, "optimizers", text)


if __name__ == "__main__":
    main()
