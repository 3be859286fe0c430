"""Time an optimizer's step in training against every form torch.optim has of it, each in its own process, in turn.

    python benchmarks/optimizers.py [--threads N] [--launches N] [--rounds N] [--markdown FILE]

Each turn is one step, of a small network 30, each after a backward pass, which is not timed. Contenders take turns, so
that a machine that slows down slows all of them, and the table shows medians over turns. Ours is compared with the
fastest of torch's forms, and with the one that it takes unasked. Processes are launched anew a few times, for where a
process's memory happens to lie decides whether what a step allocates is had from the system each time: torch's default
Adadelta then takes 34 or 53 ms for the same step. Ours allocate next to nothing.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tables import machine, table, write_section
from torch import Tensor, nn
from torchvision.models import resnet18

from fourfold.algorithms.optimizers import SGD, Adadelta, Adagrad, Adam, Momentum, Nesterov, RMSprop

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


class Workload(NamedTuple):
    """What is trained, and on what."""

    network: Callable[[], nn.Module]
    inputs: tuple[int, ...]
    classes: int
    steps: int  # a turn


class Scales(nn.Module):
    """200 tensors of 64, each multiplied with the inputs and summed."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterList(torch.randn(64) for _ in range(200))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x @ weight for weight in self.weights], 1)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))


WORKLOADS = {
    "ResNet-18, 11.7 M parameters": Workload(resnet18, (16, 3, 32, 32), 1000, 1),
    "200 tensors of 64": Workload(Scales, (64, 64), 200, 30),
    "MLP 784-256-128-10": Workload(mlp, (64, 784), 10, 30),
}


class Contender:
    """One optimizer and its tensors, in a process that takes its steps when told to."""

    def __init__(self, optimizer: type, own: dict[str, Any], workload: str, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        arguments = (theirs, optimizer, own, workload, threads)
        self._process = context.Process(target=_take_steps, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def begins(self) -> bool:
        """Wait until it has begun; return whether there is such a form of this optimizer. Ask once."""
        return self._line.recv()

    def seconds(self) -> float:
        """Return the seconds of a step, the mean over a turn."""
        self._line.send("go")
        return self._line.recv()

    def close(self) -> None:
        """End the process."""
        self._line.close()
        self._process.join()


def _take_steps(line: Connection, optimizer: type, own: dict[str, Any], workload: str, threads: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network, inputs, classes, steps = WORKLOADS[workload]
    model, x, y = network(), torch.randn(inputs), torch.randint(classes, (inputs[0],))
    try:
        trained = optimizer(model.parameters(), lr=1e-4, **own)
    except TypeError:  # this optimizer has no fused form
        line.send(False)
        return

    def seconds() -> float:
        trained.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        start = time.perf_counter()
        trained.step()
        return time.perf_counter() - start

    for _ in range(3):  # which allocate
        seconds()
    line.send(True)
    try:
        while line.recv():
            line.send(statistics.fmean(seconds() for _ in range(steps)))
    except EOFError:
        return


def time_in_turn(
    ours: type, theirs: str, own: dict[str, Any], workload: str, launches: int, rounds: int, threads: int
) -> dict[str, float]:
    """Return the median seconds a step of ours and of each form torch has."""
    contenders = {"ours": (ours, {})} | {k: (getattr(torch.optim, theirs), own | form) for k, form in FORMS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(launches):
        started = {name: Contender(*each, workload, threads) for name, each in contenders.items()}
        running = {name: each for name, each in started.items() if each.begins()}
        for _ in range(rounds):
            for name, contender in running.items():
                seconds[name].append(contender.seconds())
        for contender in started.values():
            contender.close()
    return {name: statistics.median(each) for name, each in seconds.items() if each}


def measure(launches: int, rounds: int, threads: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for workload in WORKLOADS:
        for ours, theirs, own in CONTENDERS:
            medians = time_in_turn(ours, theirs, own, workload, launches, rounds, threads)
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
        f"{machine()}; threads: {threads}. One step in training, µs, each optimizer in a process of its own; median "
        "over turns of several launches. Below 1 in the last column but one: faster than the best that torch.optim "
        "has; above 1 in the last: faster than what it does unasked.",
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
    parser.add_argument("--launches", type=int, default=5, help="of each contender's process")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contender in each launch")
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    arguments = parser.parse_args()
    text = section(measure(arguments.launches, arguments.rounds, arguments.threads), arguments.threads)
    print(text)
    if arguments.markdown:
        write_section(arguments.markdown, "optimizers", text)


if __name__ == "__main__":
    main()
