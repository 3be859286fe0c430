"""As `relu-converges-faster`, in a convolutional network of four layers on colour pictures, as in the source's figure.

Three convolutions of 5x5, each followed by overlapping maxima of 3x3, and a full layer. Nothing regularizes, the
optimizer is momentum, and each activation has the step size, of the same five, that makes its own training fastest. The
error is that of the whole training split, looked at twice an epoch. Pictures are emoji of ten categories, which are
fetched; the quick size has digits of 8x8, which are at hand and are easy, and may say otherwise.
"""

from typing import TYPE_CHECKING

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import ratio

if TYPE_CHECKING:
    from torch import nn

    from fourfold.tasks.seam import Spec

LRS = {"quick": (0.03,), "full": (0.01, 0.03, 0.003, 0.1, 0.001)}  # likely ones first: none runs on after the best
DATA, EPOCHS, LEVEL = {"quick": "digits", "full": "emoji"}, 30, 0.25
MAPS, BATCH = (16, 16, 32), 32


def fastest(activation: str, seed: int, size: Name) -> float:
    """Return the fewest epochs that any of the step sizes needs, in halves."""
    best = 2 * EPOCHS
    for lr in LRS[size]:
        best = halves_to_level(activation, lr, seed, DATA[size], best)
    return best / 2


def halves_to_level(activation: str, lr: float, seed: int, data: str, most: int) -> int:
    """Return the half epochs after which the training error is at most the level; `most` if it is not by then."""
    import torch

    from fourfold.algorithms.optimizers.momentum import MomentumConfig
    from fourfold.data import DATA as SOURCES
    from fourfold.losses.usual import UsualConfig
    from fourfold.run.build import data_cache
    from fourfold.tasks.seam import Order

    source = SOURCES.parse({"name": data, "split_seed": None}, "data").build(seed, data_cache())  # type: ignore[attr-defined]
    model = four_layers(source.spec, activation, seed).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    loss, moves = UsualConfig().build(source.spec), MomentumConfig(lr=lr).build(model.parameters())
    stream = source.train(Order(seed, BATCH))
    steps = -(-source.sizes["train"] // (2 * BATCH))
    for half in range(1, most):
        for _ in range(steps):
            batch = next(stream)
            moves.zero_grad()
            loss(model(*batch.inputs), batch).mean.backward()
            moves.step()
        with torch.inference_mode():
            wrong = sum(int((model(*b.inputs).argmax(1) != b.targets).sum()) for b in source.split("train", 256))
        if wrong <= LEVEL * source.sizes["train"]:
            return half
    return most


def four_layers(spec: "Spec", activation: str, seed: int) -> "nn.Sequential":
    """Return the network, its weights drawn by the seed in the way that suits the activation."""
    import torch
    from torch import nn

    from fourfold.core.seeds import stream_seed
    from fourfold.nn.activations import make_activation
    from fourfold.nn.initialise import initialise_
    from fourfold.tasks.seam import Image, require_input

    image = require_input(spec, Image, "relu-in-a-convnet")
    channels, height, width = image.channels, image.height, image.width
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "init"))
        for maps in MAPS:
            layers += [nn.Conv2d(channels, maps, 5, padding=2), make_activation(activation)]  # type: ignore[arg-type]
            layers.append(nn.MaxPool2d(3, 2, padding=1))
            channels, height, width = maps, -(-height // 2), -(-width // 2)
        network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, spec.num_outputs))
        initialise_(network, "auto", activation)  # type: ignore[arg-type]
    return network


CLAIM = ComputedClaim(
    id="relu-in-a-convnet",
    says="A convolutional network of four layers reaches 25 % training error in fewer epochs with ReLUs than with tanh "
    "units.",
    source="Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, NIPS "
    "2012, section 3.1, Fig. 1",
    arms={"relu": "rectified units, He's initialisation", "tanh": "tanh units, Glorot's"},
    measured="epochs until the training error is at most 25 %, at the fastest of five step sizes",
    score=fastest,
    rule=ratio("tanh", "relu", above=1.0),
    quick=Size(seeds=6),
    full=Size(seeds=8),
    scaled_from="CIFAR-10, where ReLU was six times as fast; here 1,337 emoji of 32x32 in ten categories, and 16, 16 "
    "and 32 maps",
    likely_reason="so small a network cannot spare units: in a trial beside this claim a quarter of the second layer's "
    "maps passed on nothing of 256 pictures after six epochs with ReLUs at a step size of 0.003, and over half of them "
    "at 0.01, while at most a fifth of a layer's tanh values were near their bounds. What keeps those from there at "
    "first, Glorot's initialisation of 2010, the source may not have had",
)
