"""How fast a trained network answers, beside torchvision's in evaluation as it is shipped; a part of vision.py.

Both have the same weights and get the same pictures, standardised already. Fourfold's is what `fourfold predict` uses:
batch normalisation folded into convolutions, channels-last memory, packed weights. Rounds are interleaved in a random
order, and each ratio is taken within a round.
"""

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from tables import spread, table
from torch import Tensor, nn

from fourfold.core.recipe import Runtime
from fourfold.models import MODELS
from fourfold.run import runtime
from fourfold.run.folding import folded
from fourfold.run.packing import packed
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

NETWORKS = ("resnet18", "resnet50", "vgg16_bn", "densenet121", "alexnet_one_tower")
BATCHES = (16, 1)
COLUMNS = ["network", "pictures", "torchvision, ms", "times as fast", "folding alone", "largest difference"]
SPEC = ClassificationSpec(Image(3, 224, 224), tuple(map(str, range(1000))))
Answer = Callable[[Tensor], Tensor]


def measure(threads: int, rounds: int, quick: bool, clock: str) -> str:
    """Return the table of all networks."""
    torch.set_num_threads(threads)
    rows = [row for name in (NETWORKS[:1] if quick else NETWORKS) for row in one(name, rounds, clock)]
    note = (
        f"The same weights, fp32, 224x224 in colour, {threads} thread{'s' if threads > 1 else ''}; medians (quartiles) "
        f"of {rounds} interleaved rounds, {'wall-clock' if clock == 'wall' else 'processor'} time. The difference is a "
        "share of the largest output."
    )
    return f"### Predicting, over torchvision's networks in evaluation\n\n{note}\n\n{table(COLUMNS, rows)}"


def one(name: str, rounds: int, clock: str) -> list[list[str]]:
    """Return a row for each number of pictures."""
    theirs, ours = pair(name)
    example = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    alone = folded(ours, example)
    whole = folded(ours, example)
    rearranged = Runtime(device="cpu", channels_last=True)
    if whole is not ours:  # as `Run.predictor` has it
        whole = runtime.place(whole, rearranged, torch.device("cpu"))
    whole = packed(whole, example)
    last: Answer = lambda x: whole(x.contiguous(memory_format=torch.channels_last))  # noqa: E731
    ways: dict[str, Answer] = {"theirs": theirs, "ours": last, "folded": alone}
    rows = []
    for count in BATCHES:
        x = torch.randn(count, 3, 224, 224, generator=torch.Generator().manual_seed(1))
        seconds, difference = interleaved(ways, x, rounds, clock)
        ratio = {way: [a / b for a, b in zip(seconds["theirs"], seconds[way], strict=True)] for way in ways}
        rows.append(
            [
                name,
                str(count),
                f"{1e3 * statistics.median(seconds['theirs']):.0f}",
                spread(ratio["ours"], 2),
                spread(ratio["folded"], 2) if alone is not ours else "–",
                f"{difference:.0e}",
            ]
        )
    return rows


def pair(name: str) -> tuple[nn.Module, nn.Module]:
    """Return torchvision's network, with statistics as if it were trained, and ours with the same weights."""
    from torchvision import models

    torch.manual_seed(0)
    theirs = getattr(models, name.removesuffix("_one_tower"))(weights=None)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    config: Any = MODELS.parse(name, "model")
    ours = config.build(SPEC)
    ours.load_state_dict(theirs.state_dict())
    return theirs.eval(), ours.eval()


@torch.inference_mode()
def interleaved(ways: dict[str, Answer], x: Tensor, rounds: int, clock: str) -> tuple[dict[str, list[float]], float]:
    """Return each way's seconds in each round, and how far ours is from theirs as a share of the largest output."""
    now = time.perf_counter if clock == "wall" else time.process_time
    expected, answer = ways["theirs"](x), ways["ours"](x)
    ways["folded"](x)
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        names = list(ways)
        random.Random(number).shuffle(names)
        for name in names:
            began = now()
            ways[name](x)
            seconds[name].append(now() - began)
    return seconds, float((answer - expected).abs().max() / expected.abs().max())
