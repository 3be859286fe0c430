"""What a model says everywhere in the plane, for data of two numbers.

Checked by: a linear model's boundary lies where its weights say.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from fourfold.report.drawing import Drawn
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.figure import BLUE, INK, ORANGE, PAPER, SERIES, WIDTH, new_figure, rgb, shorten, style
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features, Source, Spec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 220  # of the grid, each way
MOST_EXAMPLES = 1000


def can_draw_boundary(spec: Spec) -> bool:
    """Whether the data are points of the plane."""
    known = isinstance(spec, ClassificationSpec | RegressionSpec | ProbabilisticRegressionSpec)
    return known and isinstance(spec.input, Features) and spec.input.size == 2


def draw_boundary(model: nn.Module, source: Source) -> Drawn:
    """Draw the model's answer over the plane, and the training examples on it.

    Args:
        model: on the CPU, in evaluation mode.
        source: its data; `can_draw_boundary(source.spec)`.
    """
    points, targets, scale, shift = _training_examples(source)
    low, high = points.min(0).values, points.max(0).values
    margin = 0.15 * (high - low).clamp(min=1e-6)
    xs, ys = (torch.linspace(float((low - margin)[k]), float((high + margin)[k]), POINTS).double() for k in (0, 1))
    grid = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=2).view(-1, 2)
    with torch.inference_mode():
        output = torch.cat([model(part) for part in ((grid - shift) / scale).float().split(4096)])
    spec: Any = source.spec
    with style():
        figure = new_figure(WIDTH, WIDTH - 0.4)
        axes = figure.subplots()
        axes.grid(False)
        if isinstance(spec, ClassificationSpec):
            _classes(axes, spec, xs, ys, output, points, targets)
        else:
            _values(axes, spec, xs, ys, output, points)
        x_name, y_name = source.spec.input.names
        axes.set_xlabel(shorten(x_name, 30))
        axes.set_ylabel(shorten(y_name, 30))
    says = (
        "What the model says at each point: the deeper the colour, the surer"
        if isinstance(spec, ClassificationSpec)
        else "Lines of equal prediction"
    )
    return Drawn("boundary", figure, f"{says}; dots are training examples.")


def _training_examples(source: Source) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return points and targets, and the scale and shift that take points back to the model's inputs."""
    batch = next(iter(source.split("train", MOST_EXAMPLES)))
    encoded = batch.inputs[0].double()
    raw = torch.as_tensor(source.raw("train", list(range(len(encoded)))))
    one, zero = torch.ones(2).double(), torch.zeros(2).double()
    if raw.shape != encoded.shape:
        return encoded, batch.targets, one, zero
    raw = raw.double()
    spread = encoded.std(0, correction=0)
    scale = torch.where(spread > 0, raw.std(0, correction=0) / spread.clamp(min=1e-12), one).clamp(min=1e-12)
    shift = raw.mean(0) - scale * encoded.mean(0)
    exact = torch.allclose(shift + scale * encoded, raw, rtol=1e-4, atol=1e-4 * float(raw.abs().max().clamp(min=1e-6)))
    return (raw, batch.targets, scale, shift) if exact else (encoded, batch.targets, one, zero)


def _classes(
    axes: "Axes", spec: ClassificationSpec, xs: Tensor, ys: Tensor, output: Tensor, points: Tensor, targets: Tensor
) -> None:
    probabilities = output.float().softmax(1)
    sure, best = probabilities.max(1)
    floor = 1 / spec.num_classes
    alpha = 0.06 + 0.44 * ((sure - floor) / (1 - floor)).clamp(0, 1)
    colours = torch.tensor([rgb(SERIES[k % len(SERIES)]) for k in range(spec.num_classes)])
    picture = torch.cat([colours[best], alpha.view(-1, 1)], dim=1).view(len(ys), len(xs), 4).numpy()
    _plane(axes, xs, ys, picture)
    if spec.num_classes == 2:
        margin = (output[:, 1] - output[:, 0]).view(len(ys), len(xs)).numpy()
        if margin.min() < 0 < margin.max():
            axes.contour(xs.numpy(), ys.numpy(), margin, levels=[0.0], colors=[INK], linewidths=1.2)
    else:
        winner = best.view(len(ys), len(xs)).numpy()
        for k in np.unique(winner)[:-1]:
            axes.contour(
                xs.numpy(), ys.numpy(), (winner == k).astype(float), levels=[0.5], colors=[INK], linewidths=0.9
            )
    size = 60 if len(points) < 20 else 14
    for k, name in enumerate(spec.class_names):
        mine = points[targets == k]
        axes.scatter(
            mine[:, 0].numpy(), mine[:, 1].numpy(), s=size, color=SERIES[k % len(SERIES)], edgecolors=PAPER,
            linewidths=0.6, label=shorten(name, 18),
        )  # fmt: skip
    if spec.num_classes <= 10:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=min(4, spec.num_classes), markerscale=1 if size > 14 else 2,
            handletextpad=0.1, columnspacing=1.2, borderaxespad=0.2,
        )  # fmt: skip


def _values(axes: "Axes", spec: Any, xs: Tensor, ys: Tensor, output: Tensor, points: Tensor) -> None:
    """Colour by the first target: blue above the middle of the range, orange below it."""
    column = output.double()[:, 0] * spec.target_deviation[0] + spec.target_mean[0]
    values = column.view(len(ys), len(xs))
    middle, half = (column.max() + column.min()) / 2, ((column.max() - column.min()) / 2).clamp(min=1e-12)
    position = ((values - middle) / half).float()
    colours = torch.where((position > 0).unsqueeze(2), torch.tensor(rgb(BLUE)), torch.tensor(rgb(ORANGE)))
    _plane(axes, xs, ys, torch.cat([colours, 0.55 * position.abs().unsqueeze(2)], dim=2).numpy())
    if float(column.max() - column.min()) > 1e-12:
        lines = axes.contour(xs.numpy(), ys.numpy(), values.numpy(), levels=7, colors=[INK], linewidths=0.8)
        axes.clabel(lines, fontsize=8)
    axes.scatter(points[:, 0].numpy(), points[:, 1].numpy(), s=14, color=INK, edgecolors=PAPER, linewidths=0.5)
    axes.set_title(f"predicted {shorten(spec.target_names[0], 30)}")


def _plane(axes: "Axes", xs: Tensor, ys: Tensor, picture: Any) -> None:
    extent = (float(xs[0]), float(xs[-1]), float(ys[0]), float(ys[-1]))
    axes.imshow(picture, extent=extent, origin="lower", aspect="auto", interpolation="none")
