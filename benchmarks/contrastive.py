"""SimCLR's pictures a second, augmentation included, against torchvision's transforms and a DataLoader.

    python benchmarks/contrastive.py                                 some minutes
    python benchmarks/contrastive.py --markdown docs/benchmarks.md   write the table where readers find it

All live in one process and take turns in a random order; each ratio is taken within a round.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from peers import simclr_torchvision
from tables import machine, table, write_section
from turns import interleaved, rows_of

from fourfold.algorithms import ALGORITHMS
from fourfold.core.recipe import Runtime
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.data.two_views import TwoViewsConfig
from fourfold.data.views import TwoViewsSource
from fourfold.losses import NTXent
from fourfold.models import MODELS
from fourfold.models.encoders import build_encoder
from fourfold.run import runtime
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveSpec
from fourfold.tasks.seam import Order, Plan

COUNT, BATCH = 4096, 256
ENCODERS = {
    "lenet5": {"name": "lenet5", "activation": "relu", "pooling": "max"},
    "resnet8": {"name": "resnet_cifar", "depth": 8},
}


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    load = os.getloadavg()[0]
    text = simclr(options.rounds or (2 if options.quick else 11), options.threads, options.workers, options.clock)
    print(text)
    if options.markdown is not None:
        write_section(options.markdown, "beyond simclr", f"{text}\n\n{machine()}. Load before: {load:.2f}.")


def simclr(rounds: int, threads: int, workers: int, clock: str) -> str:
    """Return the table of views alone, and of whole steps."""
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
    rows = []
    usual = simclr_torchvision.batches(pixels, BATCH, workers)
    stream = source(pixels).train(Order(0, BATCH))
    work: dict[str, dict[str, Callable[[], object]]] = {
        "two views alone": {"torchvision": lambda: next(usual), "**Fourfold**": lambda: next(stream)}
    }
    for name, fields in ENCODERS.items():
        encoder, width = build_encoder(MODELS.parse(fields, "model"), source(pixels).spec.input)  # type: ignore[arg-type]
        ways = {
            "torchvision": simclr_torchvision.step(pixels, BATCH, workers, encoder, width),
            "**Fourfold**": ours(pixels, fields, threads, "auto"),
            "**Fourfold**, compile=step": ours(pixels, fields, threads, "auto", "step"),
        }
        if runtime.has_native_bf16("cpu"):
            ways["**Fourfold**, precision=fp32"] = ours(pixels, fields, threads, "fp32")
        work[f"a step of {name}"] = ways
    for name, ways in work.items():
        seconds = interleaved(ways, rounds, 1, clock)
        rows += [[f"{name}, {who}", *speeds] for who, *speeds in rows_of(seconds, BATCH)]
    note = (
        f"Pictures of 32x32 in colour, batches of {BATCH}, crop, mirror, colour jitter and grey as in appendix "
        f"B.9; {threads} threads, the DataLoader's workers: {workers}; median (quartiles) of {rounds} rounds. "
        "torchvision's pipeline trains in fp32."
    )
    return f"### SimCLR\n\n{note}\n\n{table(['what', 'pictures a second', 'throughput, torchvision = 1'], rows)}"


def source(pixels: np.ndarray) -> TwoViewsSource:
    """Return two views of made-up pictures."""
    encoding = ImageEncoding(channels=3, height=32, width=32, mean=[127.5] * 3, deviation=[63.75] * 3)
    held = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    spec = ClassificationSpec(encoding.image, ("a", "b"))
    pool = InMemorySource(spec, {"train": held}, {"train": torch.zeros(len(held), dtype=torch.int64)}, encoding)
    config = TwoViewsConfig()
    augment = [part.build(encoding.image) for part in config.augment]
    return TwoViewsSource(ContrastiveSpec(encoding.image), pool, augment, [p.name for p in config.augment], BATCH)


def ours(
    pixels: np.ndarray, fields: dict[str, object], threads: int, precision: str, compile: str = "none"
) -> Callable[[], object]:
    """Return a step of Fourfold's own algorithm, as a run takes it."""
    views = source(pixels)
    model = MODELS.parse({"name": "simclr", "encoder": fields}, "model").build(views.spec)  # type: ignore[attr-defined]
    asked = Runtime.model_validate({"device": "cpu", "threads": threads, "precision": precision, "compile": compile})
    resolved = runtime.resolve_model(asked, model, BATCH)
    model = runtime.place(model, resolved, torch.device("cpu"))
    algorithm = ALGORITHMS.parse("supervised", "algorithm")
    plan = Plan(0, 10_000, BATCH, autocast=runtime.autocast(resolved), compile=compile)
    return algorithm.build(model, NTXent(0.5), views, plan).step  # type: ignore[attr-defined]


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes of the DataLoader")
    parser.add_argument("--rounds", type=int)
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall", help="cpu: leaves out what a DataLoader's workers did"
    )
    parser.add_argument("--markdown", type=Path, help="write the section of this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
