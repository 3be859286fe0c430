"""A DCGAN's step against the loop as it is usually written; part of beyond.py."""

import statistics
from collections.abc import Callable

import torch
from peers import dcgan
from tables import spread, table
from turns import interleaved

from fourfold.algorithms import ALGORITHMS
from fourfold.core.recipe import Runtime
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.synthesis.classifier import Judge
from fourfold.data.synthesis.pictures import PicturesToMake
from fourfold.losses import NonSaturating
from fourfold.models import DCGAN
from fourfold.run import runtime
from fourfold.tasks.seam import Plan

LATENT = 100


def gan(rounds: int, threads: int, quick: bool, clock: str) -> str:
    """Return the table of steps of both players."""
    batch, count = (8, 64) if quick else (64, 2048)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)
    rows = []
    for width in (4,) if quick else (32, 64):
        ways = {
            "raw": dcgan.loop(pixels, LATENT, width, batch),
            "**Fourfold**": ours(pixels, width, batch, threads, "auto"),
        }
        if runtime.has_native_bf16("cpu"):
            ways["**Fourfold**, precision=fp32"] = ours(pixels, width, batch, threads, "fp32")
        seconds = interleaved(ways, rounds, 1, clock)
        for name, found in seconds.items():
            ratios = [a / b for a, b in zip(seconds["raw"], found, strict=True)]
            rows.append([f"{name}, width {width}", f"{batch / statistics.median(found):,.0f}", spread(ratios, 2)])
    note = (
        f"A DCGAN of colour pictures of 32x32, batches of {batch}, one move of each player a step, {threads} threads; "
        f"median (quartiles) of {rounds} rounds. Raw is PyTorch's well-known example in float32."
    )
    return f"### Training a DCGAN\n\n{note}\n\n{table(['loop', 'pictures a second', 'throughput, raw = 1'], rows)}"


def ours(pixels: torch.Tensor, width: int, batch: int, threads: int, precision: str) -> Callable[[], object]:
    """Return a step of Fourfold's own algorithm, as a run takes it."""
    halves = [127.5] * 3
    encoding = ImageEncoding(channels=3, height=32, width=32, mean=halves, deviation=halves)
    held = pixels.contiguous(memory_format=torch.channels_last)
    source = PicturesToMake({"train": held}, encoding, [], Judge("none", lambda x: x), 10, 0, [])
    model = DCGAN(3, 32, 4, LATENT, "normal", width)
    machine = Runtime.model_validate({"device": "cpu", "threads": threads, "precision": precision})
    resolved = runtime.resolve_model(machine, model, batch)
    model = runtime.place(model, resolved, torch.device("cpu"))
    config = ALGORITHMS.parse("adversarial", "algorithm")
    plan = Plan(0, 10**6, batch, autocast=runtime.autocast(resolved))
    return config.build(model, NonSaturating(), source, plan).step  # type: ignore[attr-defined]
