"""Without a nonlinearity, depth adds nothing: a stack of affine maps is one affine map.

W_2 (W_1 x + b_1) + b_2 = (W_2 W_1) x + (W_2 b_1 + b_2), and so on for any depth.
"""

from collections.abc import Sequence
from itertools import pairwise

from fourfold.claims.base import ExactClaim, Name, Proof

CASES = {"quick": 50, "full": 1000}
TOLERANCE = 1e-12  # relative to the largest output; float64 has 2e-16, and each map adds some rounding


def prove(size: Name) -> Proof:
    """Compose random stacks by hand, and compare; then train one layer and three to the same least squares."""
    worst = max(_composed(case) for case in range(CASES[size]))
    one, three, solved = (_trained(widths) for widths in ((), (8, 8), None))
    apart = max(abs(one - solved), abs(three - solved)) / solved
    rank = _rank_of_three_narrow()
    return Proof(
        worst < TOLERANCE and apart < 1e-6 and rank == 2,
        [
            f"{CASES[size]:,} random stacks of 1 to 8 maps, 1 to 64 wide, float64: stack and composed map differ by "
            f"at most {worst:.1e} of the output (asked: below {TOLERANCE:.0e})",
            f"least squares on random data: 1 layer trains to {one:.9g}, 3 layers to {three:.9g}, the closed form is "
            f"{solved:.9g} (asked: within 1e-6 of it)",
            f"three layers with 2 units in the middle: the composed map has rank {rank} (asked: 2), so depth can even "
            "take something away",
        ],
    )


def _composed(case: int) -> float:
    """Return how far a random stack is from its composed map, relative to the largest output."""
    import torch

    draw = torch.Generator().manual_seed(case)
    depth = 1 + int(torch.randint(8, (), generator=draw))
    widths = [1 + int(w) for w in torch.randint(64, (depth + 1,), generator=draw)]
    x = torch.randn(16, widths[0], generator=draw, dtype=torch.float64)
    weight, bias = torch.eye(widths[0], dtype=torch.float64), torch.zeros(widths[0], dtype=torch.float64)
    stacked = x
    for wide, out in pairwise(widths):
        w = torch.randn(out, wide, generator=draw, dtype=torch.float64)
        b = torch.randn(out, generator=draw, dtype=torch.float64)
        stacked = stacked @ w.T + b
        weight, bias = w @ weight, w @ bias + b
    return float((x @ weight.T + bias - stacked).abs().max() / stacked.abs().max())


def _trained(widths: Sequence[int] | None) -> float:
    """Return the mean squared error that linear layers with these hidden widths train to; None is the closed form."""
    import torch

    draw = torch.Generator().manual_seed(0)
    x = torch.randn(64, 5, generator=draw, dtype=torch.float64)
    y = x @ torch.randn(5, 3, generator=draw, dtype=torch.float64) + torch.randn(64, 3, generator=draw).double()
    if widths is None:
        design = torch.cat([x, torch.ones(64, 1, dtype=torch.float64)], 1)
        return float((design @ torch.linalg.lstsq(design, y).solution - y).square().mean())
    sizes = [5, *widths, 3]
    weights = [torch.randn(o, i, generator=draw).double() / i**0.5 for i, o in pairwise(sizes)]
    biases = [torch.zeros(o, dtype=torch.float64) for o in sizes[1:]]
    params = [each.requires_grad_() for each in [*weights, *biases]]

    def error() -> torch.Tensor:
        out = x
        for weight, bias in zip(weights, biases, strict=True):
            out = out @ weight.T + bias
        return (out - y).square().mean()

    for _ in range(4000):
        gradients = torch.autograd.grad(error(), params)
        with torch.no_grad():
            for each, gradient in zip(params, gradients, strict=True):
                each -= 0.1 * gradient
    return float(error().detach())


def _rank_of_three_narrow() -> int:
    import torch

    draw = torch.Generator().manual_seed(0)
    first, middle, last = (torch.randn(o, i, generator=draw).double() for i, o in ((9, 2), (2, 2), (2, 9)))
    return int(torch.linalg.matrix_rank(last @ middle @ first))


CLAIM = ExactClaim(
    id="affine-collapse",
    says="A stack of affine maps without a nonlinearity between them is one affine map: depth alone adds nothing.",
    source="Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.1",
    rule="every random stack equals its composed map to rounding; one linear layer and three train to the error of the "
    "closed form; a narrow middle limits the rank of the whole",
    prove=prove,
)
