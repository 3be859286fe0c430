"""LARS against its equations in NumPy, and against plain momentum where nothing is adapted."""

import numpy as np
import pytest
import torch
from torch import nn
from verification import verified

from fourfold.algorithms.optimizers import LARS


@pytest.mark.promise("R14")
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_ten_steps_by_hand(problem, decay) -> None:
    """With a regularizer's decay in the gradient of weights, as the paper's authors of SimCLR have it."""
    own = problem()
    optimizer = LARS(
        [{"params": own.params[:1]}, {"params": own.params[1:], "lr": 0.4}], lr=0.7, momentum=0.8, trust=0.02
    )
    theirs = [p.detach().numpy().copy() for p in own.params]
    velocities = [np.zeros_like(p) for p in theirs]
    for step in range(10):
        own.set_grads(step)
        optimizer.param_groups[0]["lr"] = lr = 0.7 / (step + 1)  # what a schedule does
        for i, (w, v) in enumerate(zip(theirs, velocities, strict=True)):
            if w.ndim > 1:
                own.params[i].grad += decay * own.params[i].detach()
            g = own.params[i].grad.numpy()
            ratio = 0.02 * np.sqrt((w**2).sum()) / np.sqrt((g**2).sum()) if w.ndim > 1 else 1.0
            v *= 0.8
            v += (0.4 if i else lr) * ratio * g
            w -= v
        optimizer.step()
        for param, w in zip(own.params, theirs, strict=True):
            np.testing.assert_allclose(param.detach().numpy(), w, rtol=1e-12, atol=1e-13)
    ours = [param.detach() for param in own.params]
    verified(
        "optimizer", "lars", "the equations in NumPy, 10 steps", "weights", ours, [torch.tensor(w) for w in theirs]
    )


def test_biases_and_gains_move_as_with_plain_momentum(problem) -> None:
    a, b = problem(shapes=[(7,), ()]), problem(shapes=[(7,), ()])
    own, theirs = LARS(a.params, lr=0.1, momentum=0.9), torch.optim.SGD(b.params, lr=0.1, momentum=0.9)
    torch.testing.assert_close(a.run(own, range(20)), b.run(theirs, range(20)), rtol=1e-12, atol=1e-13)


def test_a_step_is_as_long_as_the_trusted_share_whatever_the_gradient_and_zeros_still_move() -> None:
    for scale in (1e-6, 1.0, 1e6):
        weight = nn.Parameter(torch.full((3, 4), 2.0, dtype=torch.float64))
        weight.grad = scale * torch.arange(12.0, dtype=torch.float64).view(3, 4)
        before = weight.detach().clone()
        LARS([weight], lr=0.5, trust=0.01).step()
        assert float((weight - before).norm().detach()) == pytest.approx(0.5 * 0.01 * float(before.norm()), rel=1e-12)
    zeros = nn.Parameter(torch.zeros(2, 2))
    zeros.grad = torch.ones(2, 2)
    LARS([zeros], lr=0.5).step()
    assert torch.equal(zeros, torch.full((2, 2), -0.5))
    still = nn.Parameter(torch.ones(2, 2))
    still.grad = torch.zeros(2, 2)
    LARS([still], lr=0.5).step()
    assert torch.equal(still, torch.ones(2, 2))
