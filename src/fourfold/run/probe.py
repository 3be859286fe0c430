"""What an encoder's features are good for: classifiers of its frozen features, by how many labels they are given.

    linear   logistic regression on the features, each standardised over the training pictures
    knn      a vote of the 20 labelled training pictures whose features are most alike

The encoder is a run's: of one that learned without labels the encoder, of a classifier all but its output layer; and
beside them the first one's as it was drawn, for even that says something of a picture. Which pictures have labels is
drawn once for all, in proportion to the classes, those of a smaller share being among those of a larger one. How much
the regression is regularised is chosen on the validation split, so its own accuracy there flatters a little; the test
split is read where it is asked for, and no choice depends on it.

Paper: a linear classifier on frozen features as in Chen, Kornblith, Norouzi and Hinton, ICML 2020, arXiv:2002.05709,
section 2.3 and appendix B.8; by L-BFGS with a searched penalty as in its appendix B.8 for other data sets; the vote of
Wu, Xiong, Yu and Lin, CVPR 2018, arXiv:1805.01978, section 3.4.
Departures: six penalties where the paper tries 45, and the validation pictures are not joined to the others afterwards.
Checked by: scikit-learn on features by hand; features that are the label, and that are noise; a damaged test split.
"""

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.data.in_memory import InMemorySource
from fourfold.data.streamed import StreamedSource
from fourfold.data.views import TwoViewsSource
from fourfold.models.encoders import without_output_layer
from fourfold.run.run import Run
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveSpec, vote_of_neighbours
from fourfold.tasks.inputs import Image
from fourfold.tasks.seam import Spec

BATCH_SIZE = 512
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)  # C of scikit-learn: the inverse of what weights cost
STEPS = 300  # of L-BFGS, which is warm from the penalty before
RANDOM = "as drawn"


def _nobody(done: int = 0, total: int = 0) -> None:
    """Hear nothing."""


class Probed(NamedTuple):
    """How well frozen features tell the classes, with some of the labels."""

    encoder: str  # a run's name, or of which run the encoder is as it was drawn
    labels: int  # training pictures whose class was told
    share: float  # of all training pictures
    linear: float  # accuracy of logistic regression
    knn: float  # accuracy of the vote
    penalty: float  # C of the regression


@dataclass(frozen=True)
class Pool:
    """The pictures that encoders are probed with, and their classes, on the CPU.

    Attributes:
        pictures: where they come from.
        labels: of each split, int64 `[pictures]`.
        num_classes: how many classes there are.
    """

    pictures: InMemorySource | StreamedSource
    labels: dict[str, Tensor]
    num_classes: int

    def features(self, encoder: nn.Module, split: str, heard: Callable[[], None] = _nobody) -> Tensor:
        """Return what an encoder says of a split's pictures as they are, float32 `[pictures, features]`.

        Args:
            encoder: in evaluation mode.
            split: whose pictures.
            heard: called after each batch.
        """
        standardise, found = self.pictures.encoding.standardise(), []
        with torch.inference_mode():
            for numbers in torch.arange(self.pictures.sizes[split]).split(BATCH_SIZE):
                found.append(encoder(standardise.encode(self.pictures.raw(split, numbers.tolist()))).float())
                heard()
        return torch.cat(found)


def probe(
    runs: Sequence[Run],
    shares: Sequence[float],
    split: str = "validation",
    seed: int = 0,
    heard: Callable[[int, int], None] = _nobody,
) -> list[Probed]:
    """Return how well each run's features tell the classes of the first one's pictures, and its encoder's as drawn.

    Args:
        runs: one or more, of encoders for pictures of one size.
        shares: of the training labels, each above 0 and at most 1.
        split: that is scored, "validation" or "test".
        seed: of which labels are told.
        heard: told how much is done and of how much, after each batch of pictures and each regression.

    Raises:
        InputError: a run has no encoder for these pictures, or they have no labels.
        CheckpointError: a run has no weights, or they are damaged.
    """
    for share in shares:
        if not 0 < share <= 1:
            raise InputError(f"labels: a share is above 0 and at most 1 (got {share:g})")
    pool = pool_of(runs[0])
    if not pool.pictures.sizes.get("validation") or not pool.pictures.sizes.get(split):
        raise InputError(f"{runs[0].run_id}: its data have no {'test' if split == 'test' else 'validation'} split")
    for run in runs[1:]:
        if run.spec.input != runs[0].spec.input:
            raise InputError(f"{run.run_id}: takes {run.spec.input}, and {runs[0].run_id} {runs[0].spec.input}")
    encoders = [(run.run_id, encoder_of(run.spec, run.model, run.run_id)) for run in runs]
    drawn = encoder_of(runs[0].spec, runs[0].parts.model, runs[0].run_id)
    encoders.append((f"{runs[0].run_id}, {RANDOM}", drawn))
    batches = sum(math.ceil(pool.pictures.sizes[each] / BATCH_SIZE) for each in _read(split))
    total = len(encoders) * (batches + len(shares) * len(PENALTIES))
    done = count(1)

    def worked() -> None:
        heard(next(done), total)

    return [each for name, encoder in encoders for each in _probed(name, encoder, pool, shares, split, seed, worked)]


def pool_of(run: Run) -> Pool:
    """Return the pictures of a run's data with their labels.

    Raises:
        InputError: they are no pictures, or have no labels.
    """
    source = run.parts.source
    pictures = source.pictures if isinstance(source, TwoViewsSource) else source
    spec = pictures.spec
    if not isinstance(pictures, InMemorySource | StreamedSource) or not isinstance(spec.input, Image):
        raise InputError(f"{run.run_id}: a probe is of encoders of pictures, and this run's data are {spec.input}")
    if not isinstance(spec, ClassificationSpec):
        raise InputError(f"{run.run_id}: its pictures have no labels that features could be asked for")
    return Pool(pictures, {name: pictures.labels(name) for name in pictures.sizes}, spec.num_classes)


def encoder_of(spec: Spec, model: nn.Module, who: str) -> nn.Module:
    """Return what maps pictures to features in a run's network, in evaluation mode.

    Raises:
        InputError: there is no such thing in it.
    """
    if isinstance(spec, ContrastiveSpec):
        encoder = getattr(model, "encoder", None)
        if not isinstance(encoder, nn.Module):
            raise InputError(f"{who}: its network has no part called encoder")
        return encoder.eval()
    if not isinstance(spec, ClassificationSpec) or not isinstance(spec.input, Image):
        raise InputError(f"{who}: a probe is of encoders of pictures, and this run is of {spec.task} of {spec.input}")
    return without_output_layer(deepcopy(model), who)[0].eval()


def _read(split: str) -> list[str]:
    """Return the splits whose features are needed to score one."""
    return list(dict.fromkeys(("train", "validation", split)))


def _probed(
    name: str,
    encoder: nn.Module,
    pool: Pool,
    shares: Sequence[float],
    split: str,
    seed: int,
    worked: Callable[[], None],
) -> list[Probed]:
    """Return an encoder's scores for each share of labels."""
    features = {each: pool.features(encoder, each, worked) for each in _read(split)}
    mean, deviation = features["train"].mean(0), features["train"].std(0).clamp(min=1e-6)
    scaled = {each: (part - mean) / deviation for each, part in features.items()}
    unit = {each: F.normalize(part) for each, part in features.items()}
    found = []
    for share in shares:
        chosen = labelled(pool.labels["train"], share, seed)
        own = pool.labels["train"][chosen]
        known = {**scaled, "train": scaled["train"][chosen]}
        linear, penalty = linear_accuracy(known, {**pool.labels, "train": own}, split, worked)
        vote = vote_of_neighbours(unit[split], own, pool.num_classes, unit["train"][chosen])
        knn = float((vote == pool.labels[split]).double().mean())
        found.append(Probed(name, len(chosen), share, linear, knn, penalty))
    return found


def labelled(labels: Tensor, share: float, seed: int) -> Tensor:
    """Return which pictures keep their label: a share of each class, but one at least, int64, ascending."""
    generator = torch.Generator().manual_seed(stream_seed(seed, "sample"))
    order = torch.randperm(len(labels), generator=generator)
    parts = []
    for number in labels.unique().tolist():
        own = order[labels[order] == number]
        parts.append(own[: max(1, round(share * len(own)))])
    return torch.cat(parts).sort().values


def linear_accuracy(
    features: dict[str, Tensor], labels: dict[str, Tensor], split: str, heard: Callable[[], None] = _nobody
) -> tuple[float, float]:
    """Return the accuracy of logistic regression on a split, and the penalty that validation chose.

    Args:
        features: of the labelled pictures ("train"), of validation and of the split that is scored, standardised.
        labels: theirs, int64.
        split: that is scored.
        heard: called after each regression.

    Raises:
        InputError: the labelled pictures are all of one class.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    own = labels["train"].numpy()
    if len(set(own.tolist())) < 2:
        raise InputError("labels: a classifier needs pictures of two classes or more")
    inputs = {name: part.numpy() for name, part in features.items()}
    model = LogisticRegression(max_iter=STEPS, warm_start=True)
    best, score, penalty = -1.0, 0.0, PENALTIES[0]
    for each in PENALTIES:
        model.set_params(C=each)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # an early end is a little more of regularisation
            model.fit(inputs["train"], own)
        accuracy = model.score(inputs["validation"], labels["validation"].numpy())
        if accuracy > best:
            best, penalty = accuracy, each
            score = accuracy if split == "validation" else model.score(inputs[split], labels[split].numpy())
        heard()
    return float(score), penalty
