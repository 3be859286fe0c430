"""Activation functions drawn: value, derivative, and where a unit saturates.

Checked by: curves read back from the figure; the shaded stretch is where |derivative| < SATURATED.
"""

from typing import TYPE_CHECKING, Sequence

import torch
from torch import Tensor

from fourfold.core.errors import InputError, did_you_mean
from fourfold.nn.activations import SATURATED, SCALAR, is_saturated, softmax, softmax_derivative
from fourfold.tasks.figure import BLUE, FAINT, MUTED, ORANGE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALL = (*SCALAR, "softmax")
REACH = 6.0  # drawn from -REACH to REACH
_WORDS = {  # title, then value and derivative as one would write them
    "sigmoid": ("sigmoid", "s = 1 / (1 + e⁻ˣ)     s′ = s (1 − s) ≤ ¼"),
    "tanh": ("tanh", "t = 2 sigmoid(2x) − 1     t′ = 1 − t²"),
    "relu": ("ReLU", "max(0, x)     1 where x > 0, else 0"),
    "leaky_relu": ("leaky ReLU", "x or 0.01 x     1 where x > 0, else 0.01"),
    "gelu": ("GELU", "x Φ(x)     Φ(x) + x φ(x)"),
    "softmax": ("softmax", "first share of (x, 0, 0)     s′ = s (1 − s)"),
}


def draw_activations(names: Sequence[str] = ALL) -> "Figure":
    """Draw each function's value and derivative over -6 to 6; shaded where its derivative is below 0.05 in size.

    Args:
        names: any of sigmoid, tanh, relu, leaky_relu, gelu and softmax.

    Raises:
        InputError: no such function.
    """
    for name in names:
        if name not in ALL:
            raise InputError(f"no activation called '{name}'{did_you_mean(name, ALL)}")
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    with style():
        figure = new_figure(2.9 * columns, 2.6 * rows + 0.45)
        figure.set_layout_engine("constrained", hspace=0.09)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
        for axes in grid.flat[len(names) :]:
            axes.set_visible(False)
        for axes, name in zip(grid.flat, names, strict=False):
            _draw(axes, name)
        handles, labels = grid.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=columns)
    return figure


def curve(name: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return x, value and derivative, each float64 `[points]`; of the softmax, the first of three shares."""
    x = torch.linspace(-REACH, REACH, 961, dtype=torch.float64)
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
    title, formula = _WORDS[name]
    axes.set_title(title, pad=19, fontweight="bold")
    axes.text(0, 1.035, formula, transform=axes.transAxes, fontsize=8, color=MUTED)
    axes.set_xlim(-REACH, REACH)
    axes.set_ylim(low, high)
    axes.set_xticks([-6, -3, 0, 3, 6])
    axes.set_yticks([tick for tick in (-1, -0.5, 0, 0.5, 1, 1.5) if low < tick < high])
    axes.grid(False)
