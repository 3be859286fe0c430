"""The sigmoid's derivative is at most 1 / 4, so a gradient that goes back through n of them shrinks at least as fast.

sigmoid' = s (1 - s) with 0 < s < 1, which is largest at s = 1 / 2. By the chain rule the derivative of n layers is a
product of n weights' matrices and n diagonal matrices of such factors, so its norm is at most the product of
|W_i| / 4. Whether larger weights make up for that is no question of algebra, and is measured: nets of one width, each
with the weights that suit its activation, before any training.
"""

from itertools import pairwise
from statistics import median

from fourfold.claims.base import ExactClaim, Name, Proof

SEEDS = {"quick": 5, "full": 20}
DEPTHS = (1, 2, 4, 8, 16)
ACTIVATIONS = ("sigmoid", "tanh", "relu")


def prove(size: Name) -> Proof:
    """Look for the largest derivative, check the product bound on random chains, and measure gradients by depth."""
    largest, where = _largest_derivative()
    closest = max(_share_of_bound(depth, seed) for depth in range(1, 13) for seed in range(SEEDS[size]))
    norms = {name: _norms_by_depth(name, SEEDS[size]) for name in ACTIVATIONS}
    falls = all(below < above for each in norms["sigmoid"] for above, below in pairwise(each))
    kept = {name: [each[-1] / each[0] for each in found] for name, found in norms.items()}
    most, least = max(kept["sigmoid"]), min(*kept["tanh"], *kept["relu"])
    return Proof(
        abs(largest - 0.25) < 1e-15 and abs(where) < 1e-9 and closest <= 1 and falls and most < 1e-6 and least > 1e-2,
        [
            f"the largest sigmoid' of 2,000,001 points in -10..10 is {largest:.15g}, at {where:.9f} (asked: 1/4 at 0)",
            f"random chains of 1 to 12 layers: the Jacobian's norm is at most {closest:.3g} of the product of "
            "|W_i| / 4 (asked: at most 1)",
            f"first layer's gradient at depth {DEPTHS[-1]} over depth 1: sigmoid at most {most:.1g} (asked: below "
            f"1e-6, and less at every depth), tanh and relu at least {least:.2g} (asked: above 0.01)",
            f"its share that is left at depths {', '.join(map(str, DEPTHS))}, median of {SEEDS[size]} seeds: "
            + "; ".join(f"{name} {_medians(norms[name])}" for name in ACTIVATIONS),
        ],
    )


def _largest_derivative() -> tuple[float, float]:
    import torch

    from fourfold.nn.activations import SCALAR

    x = torch.linspace(-10, 10, 2_000_001, dtype=torch.float64)
    derivative = SCALAR["sigmoid"].derivative(x)
    return float(derivative.max()), abs(float(x[derivative.argmax()]))


def _share_of_bound(depth: int, seed: int) -> float:
    """Return the norm of a random sigmoid net's Jacobian as a share of the product bound."""
    import torch

    draw = torch.Generator().manual_seed(1000 * depth + seed)
    weights = [torch.randn(6, 6, generator=draw).double() for _ in range(depth)]

    def net(x: torch.Tensor) -> torch.Tensor:
        for weight in weights:
            x = torch.sigmoid(weight @ x)
        return x

    jacobian = torch.autograd.functional.jacobian(net, torch.randn(6, generator=draw).double())
    bound = 1.0
    for weight in weights:
        bound *= float(torch.linalg.matrix_norm(weight, 2)) / 4
    return float(torch.linalg.matrix_norm(jacobian, 2)) / bound  # type: ignore[arg-type]


def _norms_by_depth(activation: str, seeds: int) -> list[list[float]]:
    """Return for each seed the size of the first layer's gradient at each depth, of nets that are not trained yet."""
    import torch

    from fourfold.models.mlp import MLPConfig
    from fourfold.tasks.classification import ClassificationSpec
    from fourfold.tasks.seam import Features

    spec = ClassificationSpec(Features(tuple("abcdefghijklmnop")), tuple("0123456789"))
    found = []
    for seed in range(seeds):
        draw = torch.Generator().manual_seed(seed)
        x, y = torch.randn(256, 16, generator=draw), torch.randint(10, (256,), generator=draw)
        norms = []
        for depth in DEPTHS:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = MLPConfig(widths=[64] * depth, activation=activation).build(spec).double()  # type: ignore[arg-type]
            loss = torch.nn.functional.cross_entropy(model(x.double()), y)
            norms.append(float(torch.autograd.grad(loss, next(model.parameters()))[0].norm()))
        found.append(norms)
    return found


def _medians(norms: list[list[float]]) -> str:
    """Return each depth's gradient as a share of the first depth's."""
    return ", ".join(f"{median(each[i] / each[0] for each in norms):.2g}" for i in range(len(DEPTHS)))


CLAIM = ExactClaim(
    id="sigmoid-vanishes",
    says="The sigmoid's derivative is at most 1/4, so gradients shrink with every layer that they go back through.",
    source="Hochreiter, Untersuchungen zu dynamischen neuronalen Netzen, diploma thesis, TU München, 1991; Bengio, "
    "Simard and Frasconi, IEEE Trans. Neural Networks 5(2), 1994; Glorot and Bengio, AISTATS 2010, section 4",
    rule="the largest sigmoid' is 1/4; no random chain's Jacobian exceeds the product of the |W_i| / 4; the first "
    "layer's gradient gets smaller with depth at every seed, and from 1 to 16 hidden layers loses a factor of a "
    "million, while with tanh and ReLU it keeps a hundredth",
    prove=prove,
)
