"""A series that looks back four steps, forecast from the last step, from the last eight, and from a latent state.

    x_t = 0.9 x_(t - d) + e_t,   e Gaussian with variance 1

With d = 1 the last step says all there is to say. With d = 4 it says nothing: the best that can be made of it is the
mean, whose squared error is the series' own variance, 1 / (1 - 0.81) = 5.26. The score is the squared error of the next
step over that of the noise, so that 1 is the least, at which nothing is lost; a fifth more is taken for keeping it, and
three times as much for having lost it. The autoregressive models are solved in closed form, the latent one is trained.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, greater, not_greater
from fourfold.core.seeds import stream_seed

if TYPE_CHECKING:
    import numpy as np

    from fourfold.data.series.windows import WindowSource

KEPT, LOST = 1.2, 3.0
STEPS, LENGTH = 4000, 24
ARMS: dict[str, tuple[int, dict[str, Any]]] = {
    "markov, 1 back": (1, {"name": "ar", "tau": 1}),
    "markov, 4 back": (4, {"name": "ar", "tau": 1}),
    "tau of 8, 4 back": (4, {"name": "ar", "tau": 8}),
    "latent, 4 back": (4, {"name": "latent_ar", "width": 8}),
}


def score(arm: str, seed: int, size: Name) -> float:
    """Return a model's squared error of the next step on the test series, over the noise's variance of 1."""
    import torch

    from fourfold.algorithms import ALGORITHMS
    from fourfold.losses import LOSSES
    from fourfold.models import MODELS
    from fourfold.run.build import build_model
    from fourfold.tasks.seam import Plan

    back, fields = ARMS[arm]
    source = drawn(back, seed)
    model = build_model(MODELS.parse(fields, "model"), source.spec, seed)
    solved = fields["name"] == "ar"
    algorithm: Any = ALGORITHMS.parse(
        "normal_equation" if solved else {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.01}}, "algorithm"
    )
    loss: Any = LOSSES.parse("mse", "loss")
    steps = 1 if solved else 600
    with torch.random.fork_rng(devices=[]):
        training = algorithm.build(model, loss.build(source.spec), source, Plan(seed, steps, 64))
        for _ in range(steps):
            training.step()
    with torch.inference_mode():
        batches = [(model(*batch.inputs), batch.targets) for batch in source.split("test", 4096)]
    error = torch.cat([(output - targets).double() for output, targets in batches])
    return float(error.square().mean() * source.spec.target_deviation[0] ** 2)


@cache
def drawn(back: int, seed: int) -> "WindowSource":
    """Return the series of a seed that looks `back` so many steps, cut into examples."""
    from pathlib import Path

    from fourfold.data.series.base import ForecastingConfig, Measured

    class Drawn(ForecastingConfig):
        """A series that is drawn here."""

        name: str = "drawn"

        def measured(self, cache: Path) -> tuple[Measured, list[str], dict[str, str]]:
            """Draw it."""
            values = series(back, seed)
            return Measured(("x",), values[:, None], "1 step", "1", str(len(values))), [], {}

    return Drawn(length=LENGTH, validation=0.0, test=0.5).build(seed, Path())


def series(back: int, seed: int) -> "np.ndarray":
    """Return x_t, float64 `[steps]`, from where its beginning is forgotten."""
    import numpy as np

    noise = np.random.default_rng(stream_seed(seed, "sample")).normal(size=STEPS + 50 * back)
    x = noise.copy()
    for t in range(back, len(x)):
        x[t] += 0.9 * x[t - back]
    return x[50 * back :]


CLAIM = ComputedClaim(
    id="markov-forgets",
    says="A Markov model loses a dependency longer than one step, which a model of the last tau steps and one with a "
    "latent state keep.",
    source="A. Zhang, Z. Lipton, M. Li and A. Smola, Dive into Deep Learning, 2023, section 9.1: the Markov condition "
    "and what autoregressive and latent autoregressive models do without it",
    arms={
        name: f"{'solved' if fields['name'] == 'ar' else 'trained'}: {fields['name']}; x_t depends on x_(t - {back})"
        for name, (back, fields) in ARMS.items()
    },
    measured="squared error of the next step over the noise's variance",
    score=score,
    rule=all_of(
        not_greater("markov, 1 back", KEPT, by=0.0),
        greater("markov, 4 back", LOST),
        not_greater("tau of 8, 4 back", KEPT, by=0.0),
        not_greater("latent, 4 back", KEPT, by=0.0),
    ),
    quick=Size(seeds=8),
    full=Size(seeds=16),
)
