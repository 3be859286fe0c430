"""Adam's first steps with and without its bias correction, by its equations.

From zero moments and a gradient g, the first step is lr g / |g| with the correction, whatever the betas. Without it,
it is (1 - beta1) / sqrt(1 - beta2) times that: 3.2 times at the usual betas, 32 times without momentum. While the
gradient stays the same, step t is (1 - beta1^t) / sqrt(1 - beta2^t) times as long, which takes thousands of steps to
come down to 1 at beta2 = 0.999.
"""

from math import sqrt

from fourfold.claims.base import ExactClaim, Name, Proof

BETAS = ((0.9, 0.999), (0.0, 0.999), (0.9, 0.99), (0.9, 0.9999))
LR = 0.01


def prove(size: Name) -> Proof:
    """Take steps with the optimizer itself, and compare their lengths with the formula."""
    steps = 100 if size == "quick" else 5000
    worst_corrected = worst_uncorrected = 0.0
    firsts, settled = [], {}
    for betas in BETAS:
        for gradient in (1e-3, 1.0, 1e3):
            corrected, uncorrected = (_lengths(betas, gradient, steps, on) for on in (True, False))
            expected = [(1 - betas[0] ** t) / sqrt(1 - betas[1] ** t) for t in range(1, steps + 1)]
            worst_corrected = max(worst_corrected, *(abs(length - 1) for length in corrected))
            pairs = zip(uncorrected, expected, strict=True)
            worst_uncorrected = max(worst_uncorrected, *(abs(length / wanted - 1) for length, wanted in pairs))
            settled[betas] = next((t for t, length in enumerate(uncorrected, 1) if t > 20 and length < 1.05), None)
        firsts.append(f"{uncorrected[0]:.3g} at betas {betas[0]:g}, {betas[1]:g}")
    usual = settled[BETAS[0]]
    return Proof(
        worst_corrected < 1e-9 and worst_uncorrected < 1e-9,
        [
            f"{steps:,} steps along a constant gradient, three sizes of it, four pairs of betas, float64: "
            f"corrected steps are lr to {worst_corrected:.1g}, uncorrected ones follow the formula to "
            f"{worst_uncorrected:.1g} (asked: 1e-9)",
            "the first uncorrected step in units of lr: " + "; ".join(firsts),
            f"at betas 0.9, 0.999 it is within 5 % of lr from step {usual:,} on"
            if usual
            else f"at betas 0.9, 0.999 it is still more than 5 % too long after {steps:,} steps",
        ],
    )


def _lengths(betas: tuple[float, float], gradient: float, steps: int, corrected: bool) -> list[float]:
    """Return how far each step moves a parameter, in units of the learning rate."""
    import torch
    from torch import nn

    from fourfold.algorithms.optimizers.adam import Adam

    param = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = Adam([param], lr=LR, betas=betas, eps=0.0, bias_correction=corrected)
    lengths = []
    for _ in range(steps):
        param.data.zero_()
        param.grad = torch.full_like(param, gradient)
        optimizer.step()
        lengths.append(abs(float(param.detach())) / LR)
    return lengths


CLAIM = ExactClaim(
    id="first-adam-step",
    says="Corrected for its start at zero, Adam's first step has the length that was asked for; uncorrected, it is "
    "(1 - beta1) / sqrt(1 - beta2) times as long.",
    source="Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, section 3 and Algorithm 1",
    rule="along a constant gradient every corrected step is lr, and step t uncorrected (1 - beta1^t) / "
    "sqrt(1 - beta2^t) times lr, both to 1e-9",
    prove=prove,
)
