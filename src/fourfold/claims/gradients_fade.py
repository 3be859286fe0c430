"""How much of the gradient is left fifty steps back: Elman's network, an LSTM and a GRU of as many numbers in a state.

The answer of a network to the adding problem, read from its last state, has a gradient by the input at each step. Its
norm at lag 50 over its norm at lag 1 is what comes through 49 steps; the score is the logarithm to the base of 10, the
mean of 200 sequences. Networks are looked at with their weights as drawn, and after 1,000 equal steps of training.

In Elman's network the gradient is multiplied at each step by W_h and by tanh' <= 1, so it must fade where the largest
singular value of W_h is below 1 (Pascanu et al., section 2.1), and as a rule does where its eigenvalues are. Of weights
drawn within 1/sqrt(width) the largest eigenvalue is near 1/sqrt(3): as drawn, the network is all but sure to fade, and
what is asked there is how much less the others do. What training makes of it is open.

An LSTM's memory is multiplied by its forget gate. The paper of 1997 has none, which a bias of 10 comes close to; here
it starts at 1 (0.73 of the memory stays), and torch's own starts near 0 (0.5 stays). Biases of 10 and 0, and an Elman
network whose W_h is drawn orthogonal, so that all its singular values are 1, are told and not judged.

The rule was written before anything was run. The sources give no number: a thousandth that is left was taken for having
faded, and ten times as much for holding more. The quick size trains for 20 steps, and may say otherwise.

What came of it at ten seeds: the trained Elman networks are of two kinds. Eight lose six powers of ten and more; in two
the gradient grows with the lag, as Pascanu et al. say it can under large weights. As drawn, a GRU is no better than
an LSTM whose forget gates start half open.

Checked by: a linear network, whose gradient is a power of its matrix; gates that are known; Pascanu's bound.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, greater, not_greater

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fourfold.run.build import Parts

LAG, WIDTH, SEQUENCES = 50, 32, 200
STEPS = {"quick": 20, "full": 1000}
FADED, MORE = -3.0, 1.0  # powers of ten: a thousandth is left; ten times as much
WHEN = ("drawn", "trained")


class Arm(NamedTuple):
    """A network, and when it is looked at."""

    words: str
    model: dict[str, Any]
    when: str
    orthogonal: bool = False


def _arm(cell: str, when: str, words: str, **fields: Any) -> Arm:
    time = "weights as drawn" if when == "drawn" else f"after {STEPS['full']:,} steps of training"
    return Arm(f"{words}; {time}", {"name": cell, "width": WIDTH, **fields}, when)


ARMS = {
    **{f"{cell}, {when}": _arm(cell, when, f"{WIDTH} numbers") for when in WHEN for cell in ("rnn", "lstm", "gru")},
    **{
        f"lstm of bias 0, {when}": _arm("lstm", when, "forget gates start half open; told", forget_bias=0.0)
        for when in WHEN
    },
    "lstm of bias 10, drawn": _arm("lstm", "drawn", "forget gates all but open; told", forget_bias=10.0),
    "orthogonal rnn, drawn": _arm("rnn", "drawn", "recurrent weights drawn orthogonal; told")._replace(orthogonal=True),
}


def score(arm: str, seed: int, size: Name) -> float:
    """Return the logarithm of what is left of the gradient at lag 50 of what it is at lag 1."""
    parts = built(ARMS[arm], seed, STEPS[size])
    inputs = next(iter(parts.source.split("test", SEQUENCES))).inputs[0]
    found = logarithms(parts.model.double(), inputs.double())
    return float(found[LAG] - found[1])


def built(arm: Arm, seed: int, steps: int) -> "Parts":
    """Return the adding problem and an arm's network, trained or not."""
    from fourfold.claims.in_process import train
    from fourfold.run.build import build_parts
    from fourfold.run.parts import load_recipe

    settings = {
        "model": arm.model,
        "data.length": LAG + 1,  # the first step is at the last lag
        "data.data_seed": None,
        "budget.steps": steps,
        "seed": seed,
    }
    if arm.when == "trained":
        return train("adding-lstm", settings)[1]
    parts = build_parts(load_recipe("adding-lstm", settings)[1])
    if arm.orthogonal:
        make_orthogonal_(parts.model, seed)
    return parts


def make_orthogonal_(network: "nn.Module", seed: int) -> None:
    """Draw a network's recurrent weights anew, as an orthogonal matrix."""
    import torch

    from fourfold.core.seeds import stream_seed

    generator = torch.Generator().manual_seed(stream_seed(seed, "init", 1))
    torch.nn.init.orthogonal_(network.get_parameter("layers.weight_hh_l0"), generator=generator)


def logarithms(network: "nn.Module", inputs: "Tensor") -> "Tensor":
    """Return the logarithm, base 10, of the norm of the gradient of a network's answer, by the lag of the input.

    Args:
        network: maps `[batch, time, variables]` to one number a row.
        inputs: rows of as many steps.

    Returns:
        The mean of all rows, `[time]`; the first is of the last input, at lag 0.
    """
    import torch

    inputs = inputs.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(inputs).sum(), inputs)  # no row's answer depends on another row
    norms = gradient.norm(dim=2).clamp_min(torch.finfo(gradient.dtype).tiny)  # [batch, time]; none has no logarithm
    return norms.log10().mean(0).flip(0)


CLAIM = ComputedClaim(
    id="gradients-fade",
    says="Through a simple recurrent network the gradient fades with the lag between an output and an input; an LSTM "
    "and a GRU hold more of it.",
    source="Y. Bengio, P. Simard and P. Frasconi, Learning long-term dependencies with gradient descent is difficult, "
    "IEEE Trans. Neural Networks 5(2), 1994; R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training "
    "recurrent neural networks, ICML 2013, arXiv:1211.5063, section 2.1; of the LSTM, S. Hochreiter and "
    "J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997, sections 3 and 4",
    arms={name: arm.words for name, arm in ARMS.items()},
    measured="logarithm, base 10, of the gradient by the input at lag 50 over that at lag 1",
    score=score,
    rule=all_of(
        *(not_greater(f"rnn, {when}", FADED, by=0.0) for when in WHEN),
        *(greater(f"{cell}, {when}", f"rnn, {when}", by=MORE) for when in WHEN for cell in ("lstm", "gru")),
    ),
    quick=Size(seeds=8),
    full=Size(seeds=10),
    scaled_from="lags of 100 and more, and training until each network has it or fails",
)
