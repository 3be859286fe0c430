"""Fourfold as its users run it: `fourfold.run` on a recipe, with its curve and checkpoints in a run folder.

Only the data are ours, a part added as anyone may add one; the gate is a watcher, which hears of every validation.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from gate import FOREVER, Gate
from workloads import BATCH_SIZE, LEARNING_RATE, LOG_EVERY, SEED, Workload, pictures

import fourfold
from fourfold.core.registry import Entry
from fourfold.data.base import DataConfig
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.run.parts import TABLES
from fourfold.run.watch import Watcher
from fourfold.tasks.classification import ClassificationSpec


def default(workload: Workload, gate: Gate) -> None:
    """Nothing chosen: precision and memory layout as `auto` has them."""
    _run({}, workload, gate)


def fp32(workload: Workload, gate: Gate) -> None:
    """runtime.precision=fp32, as all others compute."""
    _run({"precision": "fp32"}, workload, gate)


def one_graph(workload: Workload, gate: Gate) -> None:
    """runtime.compile=step."""
    _run({"compile": "step"}, workload, gate)


def one_graph_fp32(workload: Workload, gate: Gate) -> None:
    """runtime.compile=step runtime.precision=fp32."""
    _run({"compile": "step", "precision": "fp32"}, workload, gate)


class PicturesConfig(DataConfig):
    """The pictures that every contender trains on."""

    name: Literal["made_up_pictures"] = "made_up_pictures"
    network: Literal["mlp", "lenet5", "tiny"]
    examples: int
    validation_examples: int

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Return them as a source in memory."""
        drawn = pictures(Workload(self.network, self.examples, self.validation_examples, 1))
        examples = {
            "train": torch.from_numpy(drawn.train).unsqueeze(1),
            "validation": torch.from_numpy(drawn.validation).unsqueeze(1),
        }
        targets = {
            "train": torch.from_numpy(drawn.train_labels),
            "validation": torch.from_numpy(drawn.validation_labels),
        }
        encoding = ImageEncoding.fit(examples["train"])
        spec = ClassificationSpec(encoding.image, tuple("0123456789"))
        return InMemorySource(spec, examples, targets, encoding)


class AtGate(Watcher):
    """Stands at the gate after each validation, the last thing of an epoch."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def progressed(self, step: int, metrics: Mapping[str, float], examples_per_second: float) -> None:
        if "validation.loss" in metrics:
            self.gate(metrics["validation.loss"])


def _run(chosen: dict[str, Any], workload: Workload, gate: Gate) -> None:
    TABLES["data"].add("made_up_pictures", Entry(f"{__name__}:PicturesConfig", "what every contender trains on"))
    model = {"name": "lenet5"} if workload.network == "lenet5" else {"name": "mlp", "widths": workload.widths}
    data = {
        "name": "made_up_pictures",
        "network": workload.network,
        "examples": workload.examples,
        "validation_examples": workload.validation_examples,
    }
    recipe = {
        "data": data,
        "model": model,
        "loss": {"name": "cross_entropy"},
        "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": LEARNING_RATE}},
        "budget": {
            "steps": FOREVER * workload.steps,
            "batch_size": BATCH_SIZE,
            "log_every": LOG_EVERY,
            "validate_every": workload.steps,
            "checkpoint_every": FOREVER * workload.steps,  # by the clock, the time spent at the gate would count
        },
        "runtime": {"device": "cpu", "threads": workload.threads, **chosen},
        "seed": SEED,
    }
    fourfold.run(recipe, workspace="runs", watcher=AtGate(gate))
