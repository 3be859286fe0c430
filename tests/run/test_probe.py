"""A probe is scikit-learn's regression, and a vote, on frozen features; it reads no label that it may not read."""

from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.report.probe_figure import draw_probe
from fourfold.run.probe import PENALTIES, STEPS, labelled, pool_of, probe
from fourfold.run.run import Run

VIEWS: dict[str, Any] = {
    "data": {"name": "two_views", "of": "digits"},
    "model": {"name": "simclr", "encoder": {"name": "mlp", "widths": [12]}, "projected": 5},
    "loss": "nt_xent",
    "algorithm": "supervised",
    "budget": {"steps": 8, "batch_size": 64},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}
CLASSES = {**VIEWS, "data": "digits", "model": {"name": "mlp", "widths": [12]}, "loss": "cross_entropy"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    place = tmp_path_factory.mktemp("workspace")
    return ff.run(VIEWS, workspace=place), ff.run(CLASSES, workspace=place)


def by_hand(features: dict[str, Tensor], labels: dict[str, Tensor], chosen: Tensor, split: str) -> list[float]:
    mean, deviation = features["train"].mean(0), features["train"].std(0)
    x = {name: ((part - mean) / deviation).numpy() for name, part in features.items()}
    found = []
    for penalty in PENALTIES:
        model = LogisticRegression(C=penalty, max_iter=10 * STEPS).fit(x["train"][chosen], labels["train"][chosen])
        found.append(tuple(model.score(x[each], labels[each]) for each in ("validation", split)))
    known = max(known for known, _ in found)
    one = 1.5 / len(labels["validation"])  # a picture: which penalty is best may hang on the last digits of a feature
    return [asked for validation, asked in found if validation > known - one]


@pytest.mark.promise("R14")
@pytest.mark.parametrize("number", [0, 1])
def test_accuracies_are_scikit_learn_s_on_the_features(runs, number) -> None:
    run = runs[number]
    trained, drawn = probe([run], [0.3], "test")
    assert (trained.encoder, drawn.encoder) == (run.run_id, f"{run.run_id}, as drawn")
    pool = pool_of(run)
    encoder = run.model.encoder if number == 0 else run.model.layers[:-1]
    with torch.no_grad():
        features = {
            name: encoder(torch.cat([b.inputs[0] for b in pool.pictures.split(name, 500)])) for name in pool.labels
        }
    chosen = labelled(pool.labels["train"], 0.3, 0)
    assert trained.labels == len(chosen) == pytest.approx(0.3 * len(pool.labels["train"]), abs=10)
    best = by_hand(features, pool.labels, chosen, "test")
    assert min(abs(trained.linear - each) for each in best) <= 0.004
    assert trained.linear != drawn.linear


def test_a_test_split_that_is_damaged_is_not_noticed_until_it_is_asked_for(runs) -> None:
    run = Run(runs[0].folder)
    before = probe([run], [0.1])
    labels = run.parts.source.pictures._targets["test"]
    labels.copy_(labels.roll(1))
    assert probe([run], [0.1]) == before
    assert probe([run], [0.1], "test") != probe([runs[0]], [0.1], "test")


def test_more_labels_hold_the_fewer_ones_in_proportion_and_other_seeds_draw_others() -> None:
    labels = torch.arange(10).repeat(50)
    few, more = labelled(labels, 0.02, 0), labelled(labels, 0.3, 0)
    assert set(few.tolist()) < set(more.tolist())
    assert torch.bincount(labels[more]).tolist() == [15] * 10
    assert torch.bincount(labels[labelled(labels, 0.0001, 0)]).tolist() == [1] * 10
    assert not torch.equal(few, labelled(labels, 0.02, 1))
    assert len(labelled(labels, 1.0, 0)) == 500


def test_several_runs_share_labels_and_a_figure(runs) -> None:
    found = probe(list(runs), [0.05, 0.2])
    assert [(each.encoder, each.share) for each in found] == [
        (name, share) for name in (*(r.run_id for r in runs), f"{runs[0].run_id}, as drawn") for share in (0.05, 0.2)
    ]
    axes = draw_probe(found, "validation").axes[0]
    lines = {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
    assert lines[runs[1].run_id].get_ydata().tolist() == [found[2].linear, found[3].linear]
    assert lines[runs[1].run_id].get_xdata().tolist() == [found[2].labels, found[3].labels]


def test_mistakes_are_one_line(runs, tmp_path: Path) -> None:
    table = ff.run({**CLASSES, "data": "iris", "budget": {"steps": 1}}, workspace=tmp_path)
    with pytest.raises(InputError, match=r"a probe is of encoders of pictures, and this run's data are rows of 4"):
        probe([table], [0.1])
    with pytest.raises(InputError, match=r"takes rows of 4 numbers, and \S+ pictures of 1x8x8"):
        probe([runs[0], table], [0.1])
    with pytest.raises(InputError, match="a share is above 0 and at most 1"):
        probe([runs[0]], [0.0])
