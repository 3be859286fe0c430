import numpy as np
import pytest
import torch
from scipy.stats import norm

from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec, gaussian
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features

MEAN, DEVIATION = np.array([150.0, -2.0]), np.array([77.0, 0.5])
FIELDS = (Features(("a",)), ("price", "height"), tuple(MEAN), tuple(DEVIATION))
SPEC = ProbabilisticRegressionSpec(*FIELDS)


def examples(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    target = torch.randn(count, 2, generator=generator)
    mean = target + 0.3 * torch.randn(count, 2, generator=generator)
    return torch.cat([mean, torch.randn(count, 2, generator=generator) - 2.5], dim=1), target


def scores(output: torch.Tensor, target: torch.Tensor) -> dict[str, float]:
    scorer = SPEC.scorer()
    scorer.update(output, Batch((), target))
    return scorer.compute()


def test_the_first_half_is_the_mean_and_the_second_the_log_variance() -> None:
    mean, variance = gaussian(torch.tensor([[1.0, 2.0, 0.0, float(np.log(9))]]))
    assert mean.tolist() == [[1.0, 2.0]]
    assert variance.tolist() == [[1.0, pytest.approx(9.0)]]


def test_nll_and_coverage_equal_scipys_normal_distribution_in_own_units() -> None:
    output, target = examples()
    raw = output.double().numpy()
    mean = raw[:, :2] * DEVIATION + MEAN
    deviation = np.exp(raw[:, 2:] / 2) * DEVIATION
    true = target.double().numpy() * DEVIATION + MEAN
    found = scores(output, target)
    assert found["nll"] == pytest.approx(-norm(mean, deviation).logpdf(true).mean(), rel=1e-9)
    low, high = norm(mean, deviation).interval(0.95)
    covered = ((true >= low) & (true <= high)).mean()
    assert 0.3 < covered < 0.95  # the case tells inside from outside
    assert found["coverage"] == pytest.approx(covered)


def test_point_metrics_are_regressions_of_the_mean() -> None:
    output, target = examples()
    plain = RegressionSpec(*FIELDS).scorer()
    plain.update(output[:, :2], Batch((), target))
    found, expected = scores(output, target), plain.compute()
    assert (found["rmse"], found["mae"]) == (expected["rmse"], expected["mae"])


def test_coverage_of_a_true_distribution_is_95_percent() -> None:
    generator = torch.Generator().manual_seed(2)
    log_variance = torch.randn(40_000, 2, generator=generator)
    target = torch.randn(40_000, 2, generator=generator) * (log_variance / 2).exp()
    output = torch.cat([torch.zeros(40_000, 2), log_variance], dim=1)
    assert scores(output, target)["coverage"] == pytest.approx(0.95, abs=0.005)


@pytest.mark.promise("R13")
def test_ragged_batches_and_two_processes_add_up_to_the_whole() -> None:
    output, target = examples()
    first, second = SPEC.scorer(), SPEC.scorer()
    for start, stop, scorer in ((0, 11, first), (11, 40, first), (40, 60, second)):
        scorer.update(output[start:stop], Batch((), target[start:stop]))
    first.merge(second)
    assert first.compute() == pytest.approx(scores(output, target), rel=1e-12)


def test_predictions_give_mean_deviation_and_interval_in_own_units() -> None:
    [prediction] = SPEC.predictions(torch.tensor([[1.0, 0.0, 2 * float(np.log(2)), 0.0]]))
    assert prediction["price"] == pytest.approx(
        {"mean": 227.0, "deviation": 154.0, "low": norm.ppf(0.025, 227, 154), "high": norm.ppf(0.975, 227, 154)},
        rel=1e-6,
    )
    assert prediction["height"]["mean"] == -2.0


def test_the_headline_is_a_metric() -> None:
    for spec in (SPEC, RegressionSpec(*FIELDS)):
        assert spec.headline in spec.scorer().compute()
