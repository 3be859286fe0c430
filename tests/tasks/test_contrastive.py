"""Contrastive scores against scikit-learn and by hand; what is predicted and drawn."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.tasks.contrastive import (
    NEIGHBOURS,
    SHARPNESS,
    ContrastiveOutput,
    ContrastiveScorer,
    ContrastiveSpec,
    ContrastiveTargets,
    finds_other,
    vote_of_neighbours,
)
from fourfold.tasks.seam import Batch, Image
from fourfold.tasks.specs import spec_from_mapping, spec_to_mapping

SPEC = ContrastiveSpec(Image(1, 4, 4), ("x", "y", "z"))


def features(count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (count,), generator=generator)
    centres = torch.randn(3, 5, generator=generator)
    return F.normalize(centres[labels] + 0.8 * torch.randn(count, 5, generator=generator)), labels


@pytest.mark.promise("R14")
@pytest.mark.parametrize("count", [60, 700])
def test_the_vote_is_scikit_learn_s_of_all_others(count) -> None:
    known, labels = features(count)
    said = vote_of_neighbours(known, labels, 3)
    for i in range(0, count, 17):  # one left out at a time
        others = np.arange(count) != i
        theirs = KNeighborsClassifier(
            NEIGHBOURS, metric="cosine", weights=lambda d: np.exp((1 - d) / SHARPNESS), algorithm="brute"
        ).fit(known.numpy()[others], labels.numpy()[others])
        assert theirs.predict(known.numpy()[i : i + 1])[0] == said[i]
    assert 0.5 < float((said == labels).double().mean()) < 1


def test_two_pictures_vote_for_each_other() -> None:
    assert vote_of_neighbours(torch.eye(2), torch.tensor([0, 2]), 3).tolist() == [2, 0]
    assert vote_of_neighbours(torch.eye(1), torch.tensor([1]), 3).shape == (1,)


def test_which_views_find_their_other_one_by_hand() -> None:
    first = torch.tensor([[1.0, 0.0], [0.0, 5.0], [-1.0, 0.1]])
    second = torch.tensor([[2.0, 0.1], [-3.0, 0.0], [-1.0, -0.1]])
    # the third's views and the second's second view lie close: views 1, 4 and 2 or 5 are nearest to others
    assert finds_other(first, second).tolist() == [True, False, False, True, False, False]


class Given(nn.Module):
    def forward(self, pictures: Tensor) -> ContrastiveOutput:
        return ContrastiveOutput(pictures, None, 3 * pictures)


def test_scores_in_parts_are_those_of_the_whole() -> None:
    known, labels = features(90)
    parts = []
    for rows in (slice(0, 40), slice(40, 90)):
        scorer = ContrastiveScorer(3)
        for start in range(rows.start, rows.stop, 25):
            chosen = slice(start, min(start + 25, rows.stop))
            batch = Batch((known[chosen],), ContrastiveTargets(labels[chosen], known[chosen]))
            scorer.ask(Given(), batch)
            scorer.update(ContrastiveOutput(known[chosen], known[chosen] + 0.01, known[chosen]), batch)
        parts.append(scorer)
    parts[0].merge(parts[1])
    expected = float((vote_of_neighbours(known, labels, 3) == labels).double().mean())
    assert parts[0].compute() == {"knn_accuracy": expected, "contrastive_accuracy": pytest.approx(1.0, abs=0.1)}


def test_without_labels_the_headline_is_what_is_left() -> None:
    bare = ContrastiveSpec(Image(1, 4, 4))
    assert (SPEC.headline, bare.headline) == ("knn_accuracy", "contrastive_accuracy")
    scorer = bare.scorer()
    views = torch.randn(4, 3)
    batch = Batch((views, views), ContrastiveTargets(torch.full((4,), -100), views))
    scorer.ask(Given(), batch)
    scorer.update(ContrastiveOutput(views, views, views), batch)
    assert scorer.compute() == {"contrastive_accuracy": 1.0}
    for spec in (SPEC, bare):
        assert spec_from_mapping(spec_to_mapping(spec)) == spec


def test_predictions_are_features_and_the_figure_shows_neighbours() -> None:
    known, labels = features(30)
    output = ContrastiveOutput(known, None, known)
    assert SPEC.predictions(output)[3] == {"features": known[3].tolist()}
    raw = torch.randint(0, 256, (30, 1, 4, 4), dtype=torch.uint8)
    figure = SPEC.draw(Batch((known,), ContrastiveTargets(labels, known)), output, raw)
    rows = [axes for axes in figure.axes if axes.images]
    assert len(rows) == 3 * 7  # a row for each class: a picture and six others
    first = next(i for i, label in enumerate(labels.tolist()) if label == 0)
    assert rows[0].get_title(loc="center") == "x"
    cosines = (known @ known[first]).masked_fill(torch.arange(30) == first, -2)
    best = int(cosines.argmax())
    assert rows[1].get_title(loc="center") == f"{SPEC.class_names[int(labels[best])]} {float(cosines[best]):.2f}"
    np.testing.assert_allclose(rows[1].images[0].get_array(), raw[best, 0] / 255.0, atol=1e-6)
    bare = ContrastiveSpec(Image(1, 4, 4))
    unlabelled = bare.draw(Batch((known,), ContrastiveTargets(torch.full((30,), -100), known)), output, raw)
    assert len([axes for axes in unlabelled.axes if axes.images]) == 10 * 7
