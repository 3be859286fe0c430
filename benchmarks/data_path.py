"""How many augmented pictures a second reach the model: pad and crop, flip, standardise, at 32x32 in colour.

    python benchmarks/data_path.py                                 a minute
    python benchmarks/data_path.py --markdown docs/benchmarks.md   write the table where readers find it
    python benchmarks/data_path.py --json data_path.json           all numbers

Each way delivers the same batches of 128 from the same 50,000 made-up pictures. Rounds are interleaved, A B C A B C …,
in a random order, and every ratio is taken within a round, so whatever disturbs the machine disturbs all. One thread;
CPU time, except where worker processes share the work: there, and for all in the last column, wall time.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from tables import machine, spread, table, write_section
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fourfold.data.augment.horizontal_flip import HorizontalFlip
from fourfold.data.augment.pad_crop import PadCrop
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Order

BATCH_SIZE = 128
EXAMPLES = 50_000
BASELINE = "torchvision on PIL, DataLoader"
Batches = Iterator[Any]


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    ways = all_ways(options.workers)
    rounds = [one_round(ways, options.batches, seed) for seed in range(-1, options.rounds)][1:]  # the first warms up
    text = section(ways, rounds)
    print(text)
    if options.markdown:
        write_section(options.markdown, "data path", text)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "rounds": rounds}, indent=1), encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument(
        "--batches", type=int, default=40, help="batches a round, of the slowest way; faster ones do 8x"
    )
    parser.add_argument("--workers", type=int, default=2, help="worker processes of the DataLoader that has some")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def all_ways(workers: int) -> dict[str, Callable[[], Batches]]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (EXAMPLES, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (EXAMPLES,), generator=generator)
    encoding = ImageEncoding.fit(images)
    mean = [value / 255 for value in encoding.mean]
    deviation = [value / 255 for value in encoding.deviation]
    pil = PerSample(images, labels, pil_transforms(mean, deviation), as_pil=True)
    v2 = PerSample(images, labels, v2_transforms(mean, deviation), as_pil=False)
    return {
        BASELINE: endless(pil, 0),
        f"torchvision on PIL, DataLoader, {workers} workers": endless(pil, workers),
        "torchvision v2 on tensors, DataLoader": endless(v2, 0),
        "**Fourfold**": fourfold(images, labels, encoding, [PadCrop(4), HorizontalFlip(0.5)]),
        "**Fourfold**, without augmentation": fourfold(images, labels, encoding, []),
    }


class PerSample(Dataset[tuple[Tensor, int]]):
    """One picture at a time, as torchvision's CIFAR-10 has it."""

    def __init__(self, images: Tensor, labels: Tensor, transform: Callable[[Any], Tensor], as_pil: bool) -> None:
        self.images = images.permute(0, 2, 3, 1).contiguous().numpy() if as_pil else images
        self.labels = labels.tolist()
        self.transform, self.as_pil = transform, as_pil

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        image = Image.fromarray(self.images[index]) if self.as_pil else self.images[index]
        return self.transform(image), self.labels[index]


def pil_transforms(mean: list[float], deviation: list[float]) -> Callable[[Any], Tensor]:
    from torchvision import transforms as T

    return T.Compose(
        [T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(mean, deviation)]
    )


def v2_transforms(mean: list[float], deviation: list[float]) -> Callable[[Any], Tensor]:
    from torchvision.transforms import v2

    return v2.Compose(
        [
            v2.RandomCrop(32, padding=4),
            v2.RandomHorizontalFlip(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(mean, deviation),
        ]
    )


def endless(dataset: PerSample, workers: int) -> Callable[[], Batches]:
    loader = DataLoader(dataset, BATCH_SIZE, shuffle=True, num_workers=workers, persistent_workers=workers > 0)

    def start() -> Batches:
        while True:
            yield from loader

    return start


def fourfold(images: Tensor, labels: Tensor, encoding: ImageEncoding, augment: list[Any]) -> Callable[[], Batches]:
    spec = ClassificationSpec(encoding.image, tuple("0123456789"))
    source = InMemorySource(spec, {"train": images}, {"train": labels}, encoding, augment)
    return lambda: source.train(Order(seed=0, batch_size=BATCH_SIZE))


def one_round(ways: dict[str, Callable[[], Batches]], batches: int, seed: int) -> dict[str, dict[str, float]]:
    """Return pictures a second, of CPU and of wall time, of each way."""
    names = list(ways)
    random.Random(seed).shuffle(names)
    measured = {}
    for name in names:
        count = batches * 8 if "Fourfold" in name else batches
        stream = ways[name]()
        next(stream)  # starting workers, and their first batches, are not counted
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            next(stream)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        measured[name] = {"wall": count * BATCH_SIZE / wall, "cpu": count * BATCH_SIZE / cpu}
        del stream
    return {name: measured[name] for name in ways}


def section(ways: dict[str, Callable[[], Batches]], rounds: list[dict[str, dict[str, float]]]) -> str:
    rows = []
    for name in ways:
        clock = "wall" if "workers" in name else "cpu"
        rate = statistics.median(one[name][clock] for one in rounds)
        times = [one[name][clock] / one[BASELINE][clock] for one in rounds]
        wall = [one[name]["wall"] / one[BASELINE]["wall"] for one in rounds]
        rows.append([name, f"{rate:,.0f}", spread(times, 1), spread(wall, 1)])
    columns = ["way", "pictures a second", "times the first", "the same in wall time"]
    return (
        f"## Data path\n\n{machine()}. Pad by 4 and crop, flip, standardise: 32x32 in colour, batches of {BATCH_SIZE}, "
        f"one thread; medians of {len(rounds)} interleaved rounds, quartiles in brackets.\n\n" + table(columns, rows)
    )


if __name__ == "__main__":
    main()
