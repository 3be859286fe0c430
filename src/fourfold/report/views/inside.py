"""The views inside one network that looks at pictures: Grad-CAM, feature maps and receptive fields.

Checked by: each kind of run has the figures that belong to it; numbers against the figures' own sources.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fourfold.algorithms.ensemble import Ensemble
from fourfold.data.image_encoding import ImageEncoding
from fourfold.report.drawing import Drawn
from fourfold.report.numbers import count
from fourfold.report.predictions import Predictions
from fourfold.report.views.examples import Example, choose, spaced
from fourfold.report.views.fields import affordable, draw_fields, field_facts, measure_fields
from fourfold.report.views.grad_cam import Explained, draw_grad_cam, explain
from fourfold.report.views.maps import draw_maps
from fourfold.run.run import Run
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

RIGHT, WRONG = 1, 2  # pictures that Grad-CAM explains


class Looked(NamedTuple):
    """What was seen."""

    drawn: list[Drawn]
    told: dict[str, Any]  # the numbers, ready for JSON


def sees_places(run: Run) -> bool:
    """Return whether there is one network that looks at pictures through convolutions."""
    layers = [module for name, module in run.model.named_modules() if name]
    several = isinstance(run.model, Ensemble)
    return isinstance(run.spec.input, Image) and not several and any(isinstance(each, nn.Conv2d) for each in layers)


def look_inside(run: Run, predictions: Predictions, asked: int | None) -> Looked:
    """Draw what the network sees in a few pictures of a split.

    Args:
        run: with weights, for which `sees_places` holds.
        predictions: of its pictures.
        asked: a class that Grad-CAM explains besides what the network says, or None.
    """
    inputs = predictions.batch.inputs[0]
    members = spaced(len(inputs), affordable(*inputs.shape[2:]))
    over = f"{count(len(members))} {predictions.split} picture{'s' if len(members) > 1 else ''}"
    return look_inside_at(run, choose(predictions, RIGHT, WRONG), inputs[torch.tensor(members)], over, asked)


def look_inside_at(run: Run, examples: list[Example], inputs: Tensor, over: str, asked: int | None) -> Looked:
    """Draw what the network sees in these pictures.

    Args:
        run: with weights, for which `sees_places` holds.
        examples: of which Grad-CAM explains each, and feature maps are drawn of the first.
        inputs: pictures over which receptive fields in effect are averaged.
        over: what these are, such as `32 test pictures`.
        asked: a class that Grad-CAM explains besides what the network says, or None.
    """
    assert isinstance(run.encoding, ImageEncoding)
    assert isinstance(run.spec, ClassificationSpec)
    found, measured = explain(run.model, examples, asked), measure_fields(run.model, inputs)
    names = run.spec.class_names
    drawn = [
        draw_fields(measured, over),
        draw_maps(run.model, run.encoding, examples[0]),
        draw_grad_cam(found, run.encoding, names, asked),
    ]
    told = {"grad_cam": [_explained(each, names) for each in found], "receptive_fields": field_facts(measured)}
    return Looked(drawn, told)


def _explained(each: Explained, names: Sequence[str]) -> dict[str, Any]:
    classes = [
        {"class": names[k], "probability": float(each.probabilities[k]), "heat": heat.tolist()}
        for k, heat in zip(each.classes, each.heat, strict=True)
    ]
    true = None if each.example.true is None else names[each.example.true]
    return {"picture": each.example.name, "said": names[each.said], "true": true, "classes": classes}
