"""How well points that were made cover the components of a known mixture.

    high_quality     share of points within 3 deviations of the nearest component's centre
    modes            components that have at least one such point
    jensen_shannon   between how points share out and how the mixture does, over the components and "nowhere", in bits:
                     0 where they are alike, 1 where they have nothing in common

Papers: Metz et al., Unrolled Generative Adversarial Networks, ICLR 2017, arXiv:1611.02163 (the mixtures); Srivastava et
al., VEEGAN, NeurIPS 2017, arXiv:1705.07761, section 4.1 (modes captured, and high-quality samples within 3 deviations).
Departures: the Jensen-Shannon divergence is not theirs: a single number that sees both what is missed and what is made
of nothing.
Checked by: points counted by hand; scipy's jensenshannon.
"""

import torch
from torch import Tensor

DEVIATIONS = 3.0


def coverage(points: Tensor, centres: Tensor, deviation: float) -> dict[str, float]:
    """Return the three scores of points `[points, 2]` against equally likely components at `centres [components, 2]`.

    Args:
        points: that were made.
        centres: of the components.
        deviation: of each coordinate around its centre.
    """
    distances, nearest = torch.cdist(points.double(), centres.double()).min(1)
    good = distances <= DEVIATIONS * deviation
    counts = torch.bincount(nearest[good], minlength=len(centres)).double()
    made = torch.cat([counts, (~good).sum().double().reshape(1)]) / max(1, len(points))
    inside = 1 - torch.exp(torch.tensor(-(DEVIATIONS**2) / 2, dtype=torch.float64))  # of a plane's Gaussian
    true = torch.cat([(inside / len(centres)).expand(len(centres)), (1 - inside).reshape(1)])
    return {
        "jensen_shannon": _jensen_shannon(made, true),
        "modes": float((counts > 0).sum()),
        "high_quality": float(good.double().mean()),
    }


def _jensen_shannon(p: Tensor, q: Tensor) -> float:
    """Return the divergence of two distributions in bits."""
    middle = (p + q) / 2
    halves = [torch.special.xlogy(each, each / middle).nan_to_num(0).sum() for each in (p, q)]
    return max(0.0, float(sum(halves) / 2 / torch.log(torch.tensor(2.0, dtype=torch.float64))))
