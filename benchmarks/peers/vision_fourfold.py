"""Fourfold on pictures as its users run it: `fourfold.run` on a recipe, with augmentations, curve and checkpoints."""

from pathlib import Path
from typing import Any, Literal

import torch
from gate import FOREVER, Gate
from workloads import BATCH_SIZE, LEARNING_RATE, LOG_EVERY, SEED, Workload, coloured

import fourfold
from fourfold.core.registry import Entry
from fourfold.data.augment.horizontal_flip import HorizontalFlip
from fourfold.data.augment.pad_crop import PadCrop
from fourfold.data.augment.random_resized_crop import RandomResizedCropConfig
from fourfold.data.base import DataConfig
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.run.parts import TABLES
from fourfold.tasks.classification import ClassificationSpec
from peers.fourfold_run import AtGate

MODELS = {"resnet18": "resnet18", "alexnet": "alexnet_one_tower"}


def default(workload: Workload, gate: Gate) -> None:
    """Nothing chosen: precision and memory layout as `auto` has them."""
    _run({}, workload, gate)


def compiled(workload: Workload, gate: Gate) -> None:
    """runtime.compile=step."""
    _run({"compile": "step"}, workload, gate)


class ColourPicturesConfig(DataConfig):
    """The pictures that every contender trains on."""

    name: Literal["made_up_colour_pictures"] = "made_up_colour_pictures"
    network: Literal["resnet18", "alexnet"]
    examples: int
    validation_examples: int

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Return them as a source in memory."""
        workload = Workload(self.network, self.examples, self.validation_examples, 1)
        drawn = coloured(workload)
        examples = {
            "train": torch.from_numpy(drawn.train).permute(0, 3, 1, 2),
            "validation": torch.from_numpy(drawn.validation).permute(0, 3, 1, 2),
        }
        targets = {
            "train": torch.from_numpy(drawn.train_labels),
            "validation": torch.from_numpy(drawn.validation_labels),
        }
        encoding = ImageEncoding.fit(examples["train"])
        crop = PadCrop(4) if workload.side == 32 else RandomResizedCropConfig().build(encoding.image)
        spec = ClassificationSpec(encoding.image, tuple("0123456789"))
        return InMemorySource(spec, examples, targets, encoding, [crop, HorizontalFlip(0.5)])


def _run(chosen: dict[str, Any], workload: Workload, gate: Gate) -> None:
    TABLES["data"].add(
        "made_up_colour_pictures", Entry(f"{__name__}:ColourPicturesConfig", "what every contender trains on")
    )
    data = {
        "name": "made_up_colour_pictures",
        "network": workload.network,
        "examples": workload.examples,
        "validation_examples": workload.validation_examples,
    }
    recipe = {
        "data": data,
        "model": {"name": MODELS[workload.network]},
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
