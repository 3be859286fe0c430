"""A DCGAN's step against the loop as it is usually written.

    python benchmarks/adversarial.py                                 about a minute
    python benchmarks/adversarial.py --markdown docs/benchmarks.md   write the table where readers find it

Both live in one process and take turns in a random order; each ratio is taken within a round.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import torch
from peers import dcgan
from tables import machine, table, write_section
from turns import interleaved, rows_of

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


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    load = os.getloadavg()[0]
    text = gan(options.rounds or (2 if options.quick else 15), options.threads, options.quick, options.clock)
    print(text)
    if options.markdown is not None:
        write_section(options.markdown, "beyond gan", f"{text}\n\n{machine()}. Load before: {load:.2f}.")


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
        rows += [[f"{name}, width {width}", *speeds] for name, *speeds in rows_of(seconds, batch)]
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


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a machine with other load")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--markdown", type=Path, default=None, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    main()
