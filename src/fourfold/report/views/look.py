"""All views of a trained network together: those inside it, and those of its answers.

Checked by: each kind of run has the figures that belong to it; numbers against the figures' own sources.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from fourfold.core.errors import InputError, did_you_mean
from fourfold.data.image_encoding import ImageEncoding
from fourfold.report.drawing import Drawn
from fourfold.report.numbers import count
from fourfold.report.predictions import Predictions, predict_split
from fourfold.report.views.embedding import draw_embedding, project
from fourfold.report.views.examples import Example
from fourfold.report.views.inside import Looked, look_inside, look_inside_at, sees_places
from fourfold.report.views.pairs import MOST_PAIRS, draw_pairs
from fourfold.report.weights import draw_weights
from fourfold.run.run import Run
from fourfold.run.views.embedding import listening
from fourfold.run.views.mistakes import confused_pairs, surprise, worst_mistakes
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

PICTURES, ROWS = 12, 8  # mistakes that are drawn
ORDER = (  # of figures, so that those that stand side by side are about equally high
    *("weights", "receptive-fields", "feature-maps", "embedding", "grad-cam", "confused-pairs", "worst-mistakes"),
)


def look_at_data(run: Run, asked: str | None = None) -> Looked:
    """Draw every view of a run that its data and network have: of the test split, validation where there is none.

    Args:
        run: with weights; its data are needed.
        asked: a class that Grad-CAM explains besides what the network says.

    Raises:
        InputError: the run does not tell classes apart, its data cannot be read, or there is no such class.
        CheckpointError: the run has no weights, or they are damaged.
    """
    spec = require_classes(run)
    explained = None if asked is None else _class(run, spec, asked)
    with listening(run.model) as heard:
        predictions = predict_split(run)
    weights = draw_weights(run.model, spec)
    parts = [Looked([weights] if weights else [], {})]
    if sees_places(run):
        parts.append(look_inside(run, predictions, explained))
    parts += [_embedding(spec, predictions, heard), _confusions(run, spec, predictions), _mistakes(spec, predictions)]
    facts = {"split": predictions.split, "examples": len(predictions)}
    return Looked(_ordered(each for part in parts for each in part.drawn), facts | _merged(parts))


def look_at_picture(run: Run, path: str, asked: str | None = None) -> tuple[Looked, list[str]]:
    """Draw what the network sees in a picture file, and return what was done to the picture too; no data are needed.

    Raises:
        InputError: the run or its network does not take such a look, or the file is no picture; or no such class.
        CheckpointError: the run has no weights, or they are damaged.
    """
    if not os.path.lexists(path):  # said first: another network would not find it either
        raise InputError(f"{path}: no such file")
    spec = require_classes(run)
    if not isinstance(spec.input, Image):
        raise InputError(
            f"--image: this run takes {spec.input}; of its data there are the other views, without --image"
        )
    if not sees_places(run):
        raise InputError(f"--image: shows convolutions, and {run.recipe.model.name} here has none to look into")
    explained = None if asked is None else _class(run, spec, asked)
    encoded = run.encoding.encode_rows([path])
    example = Example(encoded.inputs[0], path, None)
    return look_inside_at(run, [example], example.inputs, "this picture", explained), encoded.notes


def what_it_sees(run: Run, predictions: Predictions, heard: Sequence[Tensor]) -> list[Drawn]:
    """Return the few figures of a run on pictures that its page has.

    Args:
        run: with weights, whose task is classification.
        predictions: of its pictures.
        heard: the embeddings, from `run.views.embedding.listening`; may be empty.
    """
    assert isinstance(predictions.spec, ClassificationSpec)
    inside = look_inside(run, predictions, None).drawn if sees_places(run) else []
    return _ordered([*inside, *_embedding(predictions.spec, predictions, heard).drawn])


def require_classes(run: Run) -> ClassificationSpec:
    """Return the run's spec, or raise InputError that says which views there are, and of what."""
    if isinstance(run.spec, ClassificationSpec):
        return run.spec
    raise InputError(
        f"{run.run_id}: look shows how classes are told apart (embedding, confused pairs, worst mistakes; of pictures "
        f"also filters, feature maps, receptive fields, Grad-CAM), and this run's task is {run.spec.task}; "
        f"see fourfold report {run.run_id}"
    )


def _class(run: Run, spec: ClassificationSpec, asked: str) -> int:
    if not sees_places(run):
        raise InputError("--class: is for Grad-CAM, which needs pictures and a network with convolutions")
    if asked not in spec.class_names:
        raise InputError(f"--class: no class called '{asked}'{did_you_mean(asked, spec.class_names)}")
    return spec.class_names.index(asked)


def _embedding(spec: ClassificationSpec, predictions: Predictions, heard: Sequence[Tensor]) -> Looked:
    whole = sum(map(len, heard)) == len(predictions)  # a layer that runs twice for a picture gives no embedding
    embeddings = torch.cat(list(heard)) if whole else predictions.output
    members, projection = project(embeddings)
    kept = torch.tensor(members)
    targets, said = predictions.batch.targets[kept], predictions.output[kept].argmax(1)
    what = f"{predictions.split} {'pictures' if isinstance(spec.input, Image) else 'examples'}"
    drawn = draw_embedding(projection, targets, said, spec.class_names, embeddings.shape[1], what)
    facts = {"examples": members, "points": projection.points.tolist(), "shares": projection.shares.tolist()}
    return Looked([drawn], {"embedding": facts})


def _confusions(run: Run, spec: ClassificationSpec, predictions: Predictions) -> Looked:
    pairs = confused_pairs(predictions.output, predictions.batch.targets, MOST_PAIRS)
    names = spec.class_names
    encoding = run.encoding if isinstance(run.encoding, ImageEncoding) else None
    told = [
        {"true": names[pair.true], "said": names[pair.said], "examples": pair.examples, "of": pair.of} for pair in pairs
    ]
    return Looked([draw_pairs(pairs, names, predictions, encoding)] if pairs else [], {"confused_pairs": told})


def _mistakes(spec: ClassificationSpec, predictions: Predictions) -> Looked:
    targets, output = predictions.batch.targets, predictions.output
    worst = worst_mistakes(output, targets, PICTURES if isinstance(spec.input, Image) else ROWS)
    far, said = surprise(output, targets), output.argmax(1)
    names = spec.class_names
    told = [
        {"example": i, "true": names[int(targets[i])], "said": names[int(said[i])], "surprise": float(far[i])}
        for i in worst
    ]
    if not worst:
        return Looked([], {"worst_mistakes": told})
    wrong = int((said != targets).sum())
    caption = f"The {len(worst)} of {count(wrong)} mistakes" if len(worst) < wrong else f"All {count(wrong)} mistakes"
    if wrong == 1:
        caption = "The only mistake"
    caption += f" on the {predictions.split} split, the least probability on the true class first."
    return Looked([Drawn("worst-mistakes", spec.draw(*predictions.choose(worst)), caption)], {"worst_mistakes": told})


def _ordered(drawn: Iterable[Drawn]) -> list[Drawn]:
    return sorted(drawn, key=lambda each: ORDER.index(each.name))


def _merged(parts: Sequence[Looked]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.told.items()}
