"""Clothes told apart from 100 and 1,000 labels: by features learned without labels, as drawn, or from those labels.

Without labels, that is by SimCLR on the 55,000 training pictures of Fashion-MNIST: the network learns which two views
are of one picture. Its features then stand still, and a linear classifier is fitted to those of the labelled pictures,
how much it is regularised being chosen on 1,000 validation pictures. The features as drawn have the same classifier.
The rival learns all of the same network from the same labelled pictures, mirrored at times, and is taken where the
validation pictures like it best. All three see the same pictures with labels.

The quick size is few steps, and may say otherwise.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, greater, not_greater

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fourfold.data.views import TwoViewsSource

LABELS = (100, 1000)
PICTURES: dict[str, Any] = {"name": "fashion_mnist"}
NETWORK: dict[str, Any] = {"name": "lenet5", "activation": "relu", "pooling": "max"}
CHANGES: list[Any] = [
    {"name": "random_resized_crop", "area_low": 0.2},
    "horizontal_flip",
    {"name": "colour_jitter", "brightness": 0.4, "contrast": 0.4, "probability": 0.8},
]
RIVAL_CHANGES: list[Any] = ["horizontal_flip"]  # crops that make views leave too little to tell a class by
VIEWED = {"quick": 4, "full": 1500}  # steps of 256 pictures, two views each
SORTED = {"quick": 4, "full": 600}  # steps of the rival, of 50 pictures
LOOKS = 10  # of the rival at the validation pictures
CHOOSERS = 1000  # validation pictures


def score(arm: str, seed: int, size: Name) -> float:
    """Return the share of the test pictures whose class is right."""
    import torch

    from fourfold.models import MODELS
    from fourfold.models.encoders import build_encoder
    from fourfold.run.probe import labelled, linear_accuracy

    features, _, count = arm.partition(", ")
    source = pictures(size)
    labels = {name: source.pictures.labels(name) for name in source.sizes}
    chosen = labelled(labels["train"], int(count.split()[0]) / len(labels["train"]), seed)
    if features == "labels":
        return rival(source, chosen, seed, size)
    if features == "views":
        encoder = viewed(seed, size)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            config: Any = MODELS.parse(NETWORK, "model")
            encoder = build_encoder(config, source.spec.input)[0].eval()
    parts = {"train": chosen, **{name: torch.arange(_most(name, source)) for name in ("validation", "test")}}
    found = {name: _features(encoder, source, name, numbers) for name, numbers in parts.items()}
    mean, deviation = found["train"].mean(0), found["train"].std(0).clamp(min=1e-6)
    scaled = {name: (part - mean) / deviation for name, part in found.items()}
    own = {name: labels[name][numbers] for name, numbers in parts.items()}
    return linear_accuracy(scaled, own, "test")[0]


@lru_cache(maxsize=1)
def pictures(size: Name) -> "TwoViewsSource":
    """Return the pictures in two views each."""
    from fourfold.data import DATA
    from fourfold.run.build import data_cache

    config: Any = DATA.parse({"name": "two_views", "of": PICTURES, "augment": CHANGES}, "data")
    return config.build(0, data_cache())


@lru_cache(maxsize=1)
def viewed(seed: int, size: Name) -> "nn.Module":
    """Return an encoder that has learned which views are of one picture."""
    from fourfold.models import MODELS
    from fourfold.run.build import build_model

    source = pictures(size)
    config = MODELS.parse({"name": "simclr", "encoder": NETWORK, "projected": 64}, "model")
    model: Any = build_model(config, source.spec, seed)
    training = _training(model, {"name": "nt_xent", "temperature": 0.2}, source, seed, VIEWED[size], 256)
    for _ in range(VIEWED[size]):
        training.step()
    training.check()
    return model.encoder.eval()


def rival(source: "TwoViewsSource", chosen: "Tensor", seed: int, size: Name) -> float:
    """Return the test accuracy of a network that learns from the labels alone, at its best by validation."""
    import torch

    from fourfold.data import DATA
    from fourfold.models import MODELS
    from fourfold.run.build import build_model, data_cache

    config: Any = DATA.parse({**PICTURES, "augment": RIVAL_CHANGES}, "data")
    few = config.build(0, data_cache()).resampled(chosen)
    model = build_model(MODELS.parse(NETWORK, "model"), few.spec, seed)
    training = _training(model, "cross_entropy", few, seed, SORTED[size], 50)
    best = 0.0, 0.0
    for step in range(1, SORTED[size] + 1):
        training.step()
        if step % max(1, SORTED[size] // LOOKS) == 0:
            model.eval()
            hits = []
            for name in ("validation", "test"):
                numbers = torch.arange(_most(name, source))
                said = _features(model, source, name, numbers).argmax(1)
                hits.append(float((said == source.pictures.labels(name)[numbers]).double().mean()))
            best = max(best, (hits[0], hits[1]), key=lambda each: each[0])
            model.train()
    training.check()
    return best[1]


def _most(name: str, source: "TwoViewsSource") -> int:
    return min(CHOOSERS, source.sizes[name]) if name == "validation" else source.sizes[name]


def _training(model: "nn.Module", loss: Any, source: Any, seed: int, steps: int, batch_size: int) -> Any:
    from fourfold.algorithms import ALGORITHMS
    from fourfold.losses import LOSSES
    from fourfold.tasks.seam import Plan

    fields = {
        "optimizer": {"name": "adam", "lr": 0.002},
        "schedule": {"name": "warmup", "steps": 0.05, "then": "cosine"},
    }
    fields = fields if steps >= 20 else {"optimizer": {"name": "adam", "lr": 0.002}}
    algorithm: Any = ALGORITHMS.parse({"name": "supervised", **fields}, "algorithm")
    built: Any = LOSSES.parse(loss, "loss")
    batch_size = min(batch_size, source.sizes["train"])
    return algorithm.build(model.train(), built.build(source.spec), source, Plan(seed, steps, batch_size))


def _features(network: "nn.Module", source: "TwoViewsSource", name: str, numbers: "Tensor") -> "Tensor":
    """Return what a network says of some pictures of a split as they are."""
    import torch

    with torch.inference_mode():
        return torch.cat(
            [network(source.encode(source.raw(name, part.tolist()))).float() for part in numbers.split(500)]
        )


CLAIM = ComputedClaim(
    id="ssl-labels",
    says="Features learned without labels tell classes better than features as drawn, and with few labels no worse "
    "than the same network learned from those labels.",
    source="T. Chen, S. Kornblith, M. Norouzi and G. Hinton, A simple framework for contrastive learning of visual "
    "representations, ICML 2020, arXiv:2002.05709, tables 6 and 7",
    arms={
        f"{features}, {labels} labels": f"{what}, {labels} labelled pictures"
        for labels in LABELS
        for features, what in {
            "views": "features learned from two views of 55,000 pictures, and a linear classifier",
            "as drawn": "features of the same network as drawn, and a linear classifier",
            "labels": "the same network, all of it learned from the labelled pictures",
        }.items()
    },
    measured="share of the 10,000 test pictures whose class is right",
    score=score,
    rule=all_of(
        *(greater(f"views, {labels} labels", f"as drawn, {labels} labels", by=0.01) for labels in LABELS),
        not_greater("labels, 100 labels", "views, 100 labels", by=0.01),
    ),
    quick=Size(seeds=7),
    full=Size(seeds=8),
    likely_reason="a small network sees few views here: 1,500 steps are seven passes, and the source makes a thousand",
    scaled_from="ImageNet at 1 % and 10 % of its labels, residual networks of 50 layers and 1,000 epochs",
)
