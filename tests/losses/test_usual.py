"""Each task gets the loss it is usually trained with, with the same values."""

from pathlib import Path
from typing import Any

import pytest
import torch

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.losses import LOSSES
from fourfold.losses.cross_entropy import CrossEntropy
from fourfold.losses.gaussian_nll import GaussianNLL
from fourfold.losses.mse import MSE
from fourfold.losses.usual import UsualConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features, Spec

INPUT = Features(("a", "b"))
SPECS: dict[str, Spec] = {
    "cross_entropy": ClassificationSpec(INPUT, ("x", "y", "z")),
    "mse": RegressionSpec(INPUT, ("t",), (2.0,), (3.0,)),
    "gaussian_nll": ProbabilisticRegressionSpec(INPUT, ("t",), (2.0,), (3.0,)),
}
CLASSES = {"cross_entropy": CrossEntropy, "mse": MSE, "gaussian_nll": GaussianNLL}


@pytest.mark.parametrize("name", SPECS)
def test_the_same_values_as_the_loss_named(name: str) -> None:
    spec = SPECS[name]
    usual = UsualConfig().build(spec)
    assert type(usual) is CLASSES[name]
    named = LOSSES.parse(name, "loss").build(spec)  # type: ignore[attr-defined]
    output = torch.randn(7, spec.num_outputs, generator=torch.Generator().manual_seed(1))
    targets = torch.arange(7) % 3 if name == "cross_entropy" else torch.linspace(-1, 1, 7).unsqueeze(1)
    batch = Batch((torch.zeros(7, 2),), targets)
    got, expected = usual(output, batch), named(output, batch)
    assert torch.equal(got.total, expected.total)
    assert got.count == expected.count


@pytest.mark.parametrize(("name", "data"), [("cross_entropy", "iris"), ("mse", "diabetes")])
def test_a_run_with_it_is_the_run_with_the_loss_named(name: str, data: str, tmp_path: Path) -> None:
    recipe: dict[str, Any] = {
        "data": data,
        "model": {"name": "mlp", "widths": [4]},
        "algorithm": "supervised",
        "budget": {"steps": 5},
        "runtime": {"device": "cpu", "threads": 1},
    }
    usual, named = (ff.run({**recipe, "loss": loss}, workspace=tmp_path) for loss in ("usual", name))
    assert usual.metrics == named.metrics


def test_a_task_without_one_says_so() -> None:
    class Detection(ClassificationSpec):
        task = "detection"

    with pytest.raises(InputError, match=r"^loss: detection has no usual loss; name one$"):
        UsualConfig().build(Detection(INPUT, ("x", "y")))
