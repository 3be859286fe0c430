"""How sharp a minimum is: the largest rise of the loss in a small box around it, and its largest curvature.

    C = {z : -eps (|(A^+ x)_i| + 1) <= z_i <= eps (|(A^+ x)_i| + 1)}                     Eq. 3
    phi = (max_{y in C} f(x + A y) - f(x)) / (1 + f(x)) * 100                            Eq. 4

Paper: Keskar, Mudigere, Nocedal, Smelyanskiy and Tang, On Large-Batch Training for Deep Learning: Generalization Gap
and Sharp Minima, ICLR 2017, arXiv:1609.04836, Metric 2.1. A is the identity (full space), or has 100 random columns of
length 1 (random subspace), and the maximum is sought by 10 iterations of L-BFGS-B. The curvature: Lanczos, by ARPACK.
Departures: the search starts at a random corner of a box of a tenth of the size as well as at the middle, and the
higher end counts: at an exact minimum the gradient in the middle is zero, and a search from there would not move.
Checked by: quadratics whose maximum is at a corner, by hand; a search of every corner; the exact Hessian of tiny nets.
"""

from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.study.objective import Objective

EPS = 1e-3  # the paper's tables have this and 5e-4
COLUMNS = 100  # of A in the random subspace
ITERATIONS = 10  # of L-BFGS-B
_SMALL = 20  # weights up to which the Hessian is written out


def _nobody(count: int) -> None:
    """Hear nothing."""


class Sharpness(NamedTuple):
    """How far the loss rises in the box.

    Attributes:
        phi: Eq. 4, in percent.
        loss: at the weights themselves.
        highest: the highest that was found in the box.
    """

    phi: float
    loss: float
    highest: float


def sharpness(
    objective: Objective,
    eps: float = EPS,
    iterations: int = ITERATIONS,
    seed: int = 0,
    heard: Callable[[int], None] = _nobody,
) -> Sharpness:
    """Return the sharpness at the objective's own weights, in the full space (A the identity).

    Args:
        objective: made with `dtype=torch.float64`: the rises are small.
        eps: half the width of the box where a weight is 0.
        iterations: of L-BFGS-B, from each of its two starts.
        seed: of the second start.
        heard: told how many gradients were taken, after each; how many it will be nobody knows.

    Raises:
        InputError: eps or iterations are out of range.
    """
    taken = count(1)
    half = eps * (objective.start.double().abs() + 1)  # Eq. 3; A^+ x is x

    def rise(y: Tensor) -> tuple[float, Tensor]:
        loss, gradient = objective.gradient(objective.start + y.to(objective.start.dtype))
        heard(next(taken))
        return loss, gradient.double()

    return _maximise(rise, half, eps, iterations, seed)


def subspace_sharpness(
    objective: Objective, eps: float = EPS, columns: int = COLUMNS, iterations: int = ITERATIONS, seed: int = 0
) -> Sharpness:
    """Return the sharpness at the objective's own weights, in a random subspace.

    Args:
        objective: made with `dtype=torch.float64`.
        eps: as for `sharpness`.
        columns: of the random matrix A, normal and then of length 1; at most the number of weights.
        iterations: of L-BFGS-B, from each of its two starts.
        seed: of A, and of the second start.

    Raises:
        InputError: eps, columns or iterations are out of range.
    """
    if not 1 <= columns <= objective.size:
        raise InputError(f"columns: expected 1 to {objective.size}, the number of weights, got {columns}")
    draw = torch.Generator().manual_seed(stream_seed(seed, "sample", 0))
    basis = torch.randn(objective.size, columns, generator=draw, dtype=torch.float64)
    basis = basis / basis.norm(dim=0)
    start = objective.start.double()
    half = eps * (torch.linalg.lstsq(basis, start.unsqueeze(1)).solution.flatten().abs() + 1)  # A^+ x, Eq. 3

    def rise(y: Tensor) -> tuple[float, Tensor]:
        loss, gradient = objective.gradient((start + basis @ y).to(objective.start.dtype))
        return loss, basis.T @ gradient.double()

    return _maximise(rise, half, eps, iterations, seed)


def _maximise(
    rise: Callable[[Tensor], tuple[float, Tensor]], half: Tensor, eps: float, iterations: int, seed: int
) -> Sharpness:
    """Return Eq. 4 for a loss and its gradient as a function of y in the box [-half, half]."""
    from scipy.optimize import minimize

    if not 0 < eps < float("inf"):
        raise InputError(f"eps: expected a number above 0, got {eps:g}")
    if iterations < 1:
        raise InputError(f"iterations: expected at least 1, got {iterations}")
    box = list(zip((-half).tolist(), half.tolist(), strict=True))

    def downward(y: Any) -> tuple[float, Any]:
        loss, gradient = rise(torch.from_numpy(y.copy()))
        return -loss, -gradient.numpy()

    here, _ = rise(torch.zeros_like(half))
    draw = torch.Generator().manual_seed(stream_seed(seed, "sample", 1))
    signs = 2.0 * torch.randint(2, half.shape, generator=draw) - 1
    highest = here
    for start in (torch.zeros_like(half), 0.1 * signs * half):
        found = minimize(
            downward, start.numpy(), jac=True, method="L-BFGS-B", bounds=box, options={"maxiter": iterations}
        )
        highest = max(highest, -float(found.fun))
    return Sharpness(100 * (highest - here) / (1 + here), here, highest)


def largest_curvature(
    objective: Objective, seed: int = 0, tolerance: float = 1e-6, heard: Callable[[int], None] = _nobody
) -> float:
    """Return the largest eigenvalue of the loss's Hessian at the objective's own weights.

    Args:
        objective: made with `dtype=torch.float64`.
        seed: of the vector that the search starts from.
        tolerance: relative, of the eigenvalue.
        heard: told how often the Hessian was multiplied, after each time; how often it will be nobody knows.
    """
    taken = count(1)
    start, size = objective.start, objective.size
    if size <= _SMALL:  # ARPACK wants more weights than eigenvalues
        columns = [objective.curvature(start, direction) for direction in torch.eye(size, dtype=start.dtype)]
        return float(torch.linalg.eigvalsh(torch.stack(columns).double())[-1])
    from scipy.sparse.linalg import LinearOperator, eigsh

    def product(direction: Any) -> Any:
        vector = torch.from_numpy(direction.reshape(-1).copy()).to(start.dtype)
        found = objective.curvature(start, vector).double().numpy()
        heard(next(taken))
        return found

    operator = LinearOperator((size, size), matvec=product, dtype="float64")  # pyright: ignore[reportCallIssue]
    draw = torch.Generator().manual_seed(stream_seed(seed, "sample", 2))
    first = torch.randn(size, generator=draw, dtype=torch.float64).numpy()
    found = eigsh(operator, k=1, which="LA", v0=first, tol=tolerance, return_eigenvectors=False)  # pyright: ignore
    return float(found[0])
