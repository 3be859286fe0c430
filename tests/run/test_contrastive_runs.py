"""Runs that learn without labels: stopped and resumed, refused where a value is not finite, and used afterwards."""

from pathlib import Path
from typing import Any

import pytest
import torch
from stopping import differences, remains, resumed, start_and_stop

import fourfold as ff
from fourfold.core.errors import DivergedError, InputError
from fourfold.report.neighbours import draw_nearest
from fourfold.run.parts import load_recipe
from fourfold.run.predict import predict
from fourfold.run.run import start

RECIPE: dict[str, Any] = {
    "data": {"name": "two_views", "of": "digits", "compared": 64},
    "model": {"name": "simclr", "encoder": {"name": "resnet_cifar", "depth": 8}, "projected": 8},
    "loss": {"name": "nt_xent", "temperature": 0.3},
    "algorithm": {
        "name": "supervised",
        "optimizer": {"name": "lars", "lr": 0.2, "trust": 0.02},
        "schedule": {"name": "warmup", "steps": 2, "then": "cosine"},
        "regularizers": [{"name": "weight_decay", "rate": 1e-6}],
    },
    "budget": {"steps": 4, "batch_size": 24, "validate_every": 3, "log_every": 1},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


@pytest.mark.promise("R1")
def test_stopped_after_any_step_and_resumed(tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE)
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    assert whole["step"] == 4
    for k in (1, 3):
        run = resumed(start_and_stop(recipe, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ff.Run:
    return ff.run(RECIPE, {"budget.steps": 3}, workspace=tmp_path_factory.mktemp("workspace"))


def test_it_is_scored_predicted_and_drawn(trained: ff.Run) -> None:
    assert trained.headline == "knn_accuracy"
    assert {"loss", "knn_accuracy", "contrastive_accuracy"} == set(trained.metrics["test"])
    picture = trained.parts.source.raw("test", [3])
    row = predict(trained, picture.tolist()).rows[0]["features"]
    with torch.no_grad():
        expected = trained.model(trained.parts.source.encode(picture)).features[0]
    torch.testing.assert_close(torch.tensor(row), expected, rtol=1e-3, atol=1e-4)  # normalisations were folded
    (drawn,) = draw_nearest(trained)
    assert drawn.name == "neighbours"
    assert len([axes for axes in drawn.figure.axes if axes.images]) == 10 * 7


@pytest.mark.promise("R5")
def test_a_loss_that_is_not_finite_stops_before_the_update(tmp_path: Path) -> None:
    hot = {"algorithm.optimizer": {"name": "sgd", "lr": 1e30}, "algorithm.schedule": "constant"}
    with pytest.raises(DivergedError, match=r"step 1: .*not finite"):
        ff.run(RECIPE, hot, workspace=tmp_path)


def test_an_encoder_is_fine_tuned_with_few_labels(trained: ff.Run, tmp_path: Path) -> None:
    few = {
        "data": "digits",
        "model": {"name": "resnet_cifar", "depth": 8},
        "loss": "cross_entropy",
        "algorithm": {"name": "supervised", "freeze": ["conv1", "layer1"]},
        "budget": {"steps": 1, "batch_size": 24},
        "runtime": RECIPE["runtime"],
        "weights": str(trained.folder.path),
    }
    run = ff.run(few, workspace=tmp_path)
    assert torch.equal(run.model.conv1.weight, trained.model.encoder.conv1.weight)  # type: ignore[union-attr, arg-type]
    notes = "\n".join(run.result["notes"])
    assert "fc.weight, fc.bias drawn anew" in notes
    assert "projection.0.weight" in notes


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "lenet5"}, "model: lenet5 takes no batches of contrastive.*; made for it: simclr"),
        ({"data": "digits"}, "model: simclr is for contrastive, and this data poses classification"),
        ({"loss": "cross_entropy"}, "cross_entropy is for"),
        ({"model.encoder": "nin"}, "nin has no affine output layer"),
        ({"model.encoder": "resnet99"}, "no model called 'resnet99'"),
        ({"algorithm.regularizers": ["mixup"]}, "mixup"),
        ({"algorithm": "bagging"}, "bagging"),
    ],
)
def test_what_does_not_fit_is_one_line(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says) as error:
        ff.run(RECIPE, changes, workspace=tmp_path / "workspace")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "workspace").exists()
