import math

import pytest
import torch
from torch.nn import functional as F

from fourfold.losses import MAE, MSE, GaussianNLL, Huber

OUTPUT = torch.tensor([[1.0, 2.0], [0.0, -1.0]], dtype=torch.float64)
TARGET = torch.tensor([[1.5, 5.0], [0.0, -1.0]], dtype=torch.float64)


def test_hand_values() -> None:
    assert MSE()(OUTPUT, TARGET).total.item() == pytest.approx((0.25 + 9) / 2)
    assert MAE()(OUTPUT, TARGET).total.item() == pytest.approx((0.5 + 3) / 2)
    assert Huber(delta=1.0)(OUTPUT, TARGET).total.item() == pytest.approx((0.125 + 1 * (3 - 0.5)) / 2)
    assert MSE()(OUTPUT, TARGET).mean.item() == pytest.approx(9.25 / 4)


@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 3), (7, 2, 4)])
def test_means_equal_torchs_mean_over_every_number(shape) -> None:
    generator = torch.Generator().manual_seed(0)
    output, target = (2 * torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    for ours, theirs in (
        (MSE(), F.mse_loss(output, target)),
        (MAE(), F.l1_loss(output, target)),
        (Huber(0.6), F.huber_loss(output, target, delta=0.6)),
    ):
        torch.testing.assert_close(ours(output, target).mean, theirs, rtol=1e-12, atol=0)


def nll_case(low: float) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    mean = torch.randn(9, 3, generator=generator, dtype=torch.float64)
    log_variance = low + torch.randn(9, 3, generator=generator, dtype=torch.float64)
    return torch.cat([mean, log_variance], 1), torch.randn(9, 3, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("low", [0.0, -14.0, -40.0])
def test_gaussian_nll_equals_torchs_in_value_and_gradient_clamped_or_not(low) -> None:
    output, target = nll_case(low)
    ours_at, theirs_at = output.clone().requires_grad_(), output.clone().requires_grad_()
    ours = GaussianNLL(eps=1e-6)(ours_at, target).mean
    mean, log_variance = theirs_at.chunk(2, 1)
    theirs = F.gaussian_nll_loss(mean, target, log_variance.exp(), full=True, eps=1e-6)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=0)
    ours.backward()
    theirs.backward()
    torch.testing.assert_close(ours_at.grad, theirs_at.grad, rtol=1e-9, atol=1e-300)


def test_gaussian_nll_is_minus_the_log_density() -> None:
    output, target = nll_case(0.0)
    mean, log_variance = output.chunk(2, 1)
    density = torch.distributions.Normal(mean, (log_variance / 2).exp()).log_prob(target)
    torch.testing.assert_close(GaussianNLL()(output, target).total, -density.mean(1).sum())


def test_gaussian_nll_of_a_hand_case() -> None:
    value = GaussianNLL()(torch.tensor([[1.0, math.log(4)]]), torch.tensor([[4.0]]))
    assert value.total.item() == pytest.approx(0.5 * (math.log(2 * math.pi * 4) + 9 / 4))


def test_an_exact_prediction_that_is_too_sure_stays_finite() -> None:
    value = GaussianNLL()(torch.tensor([[1.0, -300.0]]), torch.tensor([[1.0]]))
    assert value.total.item() == pytest.approx(0.5 * math.log(2 * math.pi * 1e-6))
