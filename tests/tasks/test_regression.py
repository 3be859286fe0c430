import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from fourfold.core.errors import InputError
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features

SPEC = RegressionSpec(Features(("a", "b")), ("price", "높이"), (150.0, -2.0), (77.0, 0.5))


def examples(count: int = 50) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(count, 2, generator=generator)
    return target + 0.3 * torch.randn(count, 2, generator=generator) + 0.1, target


def own(values: torch.Tensor) -> np.ndarray:
    return values.double().numpy() * np.array([77.0, 0.5]) + np.array([150.0, -2.0])


def test_metrics_equal_scikit_learns_in_the_targets_own_units() -> None:
    output, target = examples()
    scorer = SPEC.scorer()
    scorer.update(output, Batch((), target))
    scores = scorer.compute()
    assert scores["rmse"] == pytest.approx(root_mean_squared_error(own(target), own(output)), rel=1e-9)
    assert scores["mae"] == pytest.approx(mean_absolute_error(own(target), own(output)), rel=1e-9)
    assert scores["r2"] == pytest.approx(r2_score(own(target), own(output)), rel=1e-9)


@pytest.mark.promise("R13")
def test_ragged_batches_and_two_processes_add_up_to_the_whole() -> None:
    output, target = examples()
    whole, first, second = SPEC.scorer(), SPEC.scorer(), SPEC.scorer()
    whole.update(output, Batch((), target))
    for start, stop, scorer in ((0, 7, first), (7, 30, first), (30, 50, second)):
        scorer.update(output[start:stop], Batch((), target[start:stop]))
    first.merge(second)
    assert first.compute() == pytest.approx(whole.compute(), rel=1e-12)


def test_r2_of_targets_that_do_not_vary_is_as_in_scikit_learn() -> None:
    target = torch.full((4, 2), 0.7)
    for output in (target, target + 1):
        scorer = SPEC.scorer()
        scorer.update(output, Batch((), target))
        assert scorer.compute()["r2"] == r2_score(target.numpy(), output.numpy())


def test_predictions_are_in_the_targets_own_units() -> None:
    assert SPEC.predictions(torch.tensor([[1.0, -2.0]])) == [{"price": 227.0, "높이": -3.0}]


def test_an_empty_split_scores_without_dividing_by_zero() -> None:
    assert all(np.isfinite(value) for value in SPEC.scorer().compute().values())


@pytest.mark.parametrize(
    ("names", "mean", "deviation", "says"),
    [
        ((), (), (), "0 targets"),
        (("a",), (1.0, 2.0), (1.0,), "2 means"),
        (("a",), (1.0,), (0.0,), "above zero"),
        (("a",), (1.0,), (float("nan"),), "above zero"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(names, mean, deviation, says) -> None:
    with pytest.raises(InputError, match=says):
        RegressionSpec(Features(("a",)), names, mean, deviation)
