"""Activation functions drawn: value, derivative, and where a unit saturates.

Checked by: curves read back from the figure; the shaded stretch is where |derivative| < SATURATED.
"""

import math
from typing import TYPE_CHECKING, NamedTuple, Sequence

import torch
from torch import Tensor

from fourfold.core.errors import InputError, did_you_mean
from fourfold.nn.activations import SATURATED, SCALAR, is_saturated, softmax, softmax_derivative
from fourfold.tasks.figure import BLUE, FAINT, MUTED, ORANGE, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALL = (*SCALAR, "softmax")
REACH = 6.0  # drawn from -REACH to REACH
_WORDS = {  # title, then value and derivative as one would write them
    "sigmoid": ("sigmoid", "s = 1 / (1 + e⁻ˣ)", "s′ = s (1 − s)"),
    "tanh": ("tanh", "t = 2 sigmoid(2x) − 1", "t′ = 1 − t²"),
    "relu": ("ReLU", "max(0, x)", "1 where x > 0, else 0"),
    "leaky_relu": ("leaky ReLU", "x, 0.01 x below 0", "1, 0.01 below 0"),
    "gelu": ("GELU", "x Φ(x)", "Φ(x) + x φ(x)"),
    "softmax": ("softmax", "s, first of (x, 0, 0)", "s′ = s (1 − s)"),
}


class Described(NamedTuple):
    """An activation function in facts."""

    name: str
    value: str
    derivative: str
    steepest: float  # the derivative's largest value
    saturated: list[tuple[float, float]]  # stretches of x; -inf and inf where they do not end


def describe(name: str) -> Described:
    """Return a function's formulas and where it saturates, edges to two decimals.

    Raises:
        InputError: no such function.
    """
    _check([name])
    x, _, derivative = curve(name, points=240_001)
    zero = torch.zeros(1, dtype=torch.int64)
    # 1 where a stretch starts, -1 just after it
    edges = torch.diff(is_saturated(derivative).long(), prepend=zero, append=zero)
    starts, ends = (edges == 1).nonzero().flatten().tolist(), ((edges == -1).nonzero().flatten() - 1).tolist()
    last = len(x) - 1
    stretches = [
        (-math.inf if i == 0 else _place(x[i]), math.inf if j == last else _place(x[j]))
        for i, j in zip(starts, ends, strict=True)
    ]
    _, value, slope = _WORDS[name]
    return Described(name, value, slope, float(derivative.max()), stretches)


def _place(x: Tensor) -> float:
    return round(float(x), 2) + 0.0  # -0.0 + 0.0 is 0.0: nobody writes x < -0


def in_words(stretches: Sequence[tuple[float, float]]) -> str:
    """Return stretches of x for reading: `x < -2.89, x > 2.89`."""
    words = []
    for low, high in stretches:
        left = "" if low == -math.inf else f"{low:g} < "
        right = "" if high == math.inf else f" < {high:g}"
        words.append(f"x > {low:g}" if not right and left else f"{left}x{right}")
    return ", ".join(words) or "nowhere"


def draw_activations(names: Sequence[str] = ALL) -> "Figure":
    """Draw value and derivative of each function from -REACH to REACH; shaded where |derivative| < SATURATED.

    Args:
        names: any of sigmoid, tanh, relu, leaky_relu, gelu and softmax.

    Raises:
        InputError: no such function.
    """
    _check(names)
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    with style():
        figure = new_figure(max(WIDTH, 3.3 * columns), 2.9 * rows + 0.5)
        figure.set_layout_engine("constrained", hspace=0.09)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(names) :]:
            axes.set_visible(False)
        for axes, name in zip(grid.flat, names, strict=False):
            _draw(axes, name)
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, columnspacing=1.2, fontsize=8.5)
    return figure


def _check(names: Sequence[str]) -> None:
    for name in names:
        if name not in ALL:
            raise InputError(f"no activation called '{name}'{did_you_mean(name, ALL)}")


def curve(name: str, points: int = 961) -> tuple[Tensor, Tensor, Tensor]:
    """Return x, value and derivative, each float64 `[points]`; of the softmax, the first of three shares."""
    x = torch.linspace(-REACH, REACH, points, dtype=torch.float64)
    if name != "softmax":
        return x, SCALAR[name].value(x), SCALAR[name].derivative(x)
    scores = torch.stack([x, torch.zeros_like(x), torch.zeros_like(x)], dim=1)
    return x, softmax(scores)[:, 0], softmax_derivative(scores)[:, 0, 0]


def _draw(axes: "Axes", name: str) -> None:
    x, value, derivative = curve(name)
    low, high = (-1.25, 1.25) if float(value.max()) <= 1 else (-0.625, 1.875)  # one scale for all
    axes.fill_between(
        x.numpy(),
        low,
        high,
        where=is_saturated(derivative).tolist(),
        color=FAINT,
        linewidth=0,
        label=f"saturated: |derivative| < {SATURATED}",
    )
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    kink = derivative.diff().abs() > 0.5  # a jump is a gap in the line, not a slope
    broken = derivative.clone()
    broken[1:][kink] = float("nan")
    axes.plot(x.numpy(), value.numpy(), color=BLUE, linewidth=2, label="value")
    axes.plot(x.numpy(), broken.numpy(), color=ORANGE, linewidth=1.6, label="derivative")
    title, formula, slope = _WORDS[name]
    axes.set_title(title, pad=20, fontweight="bold")
    axes.text(0, 1.035, formula, transform=axes.transAxes, fontsize=9, color=BLUE)
    axes.text(1, 1.035, slope, transform=axes.transAxes, fontsize=9, color=ORANGE, ha="right")
    axes.set_xlabel("x")
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(low, high)
    axes.set_xticks([-6, -3, 0, 3, 6])
    axes.set_yticks([tick for tick in (-1, -0.5, 0, 0.5, 1, 1.5) if low < tick < high])
    axes.grid(False)
