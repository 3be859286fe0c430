"""Learned weights, where they mean something to a person: pictures of what a unit looks for, and weights by feature.

Blue is above zero, orange below; the deeper, the further.

Checked by: planted weights read back from pictures and bars.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fourfold.algorithms.ensemble import Ensemble
from fourfold.report.drawing import Drawn
from fourfold.tasks.figure import BLUE, FAINT, INK, MUTED, ORANGE, WIDTH, blank, new_figure, rgb, shorten, style
from fourfold.tasks.seam import Features, Image, Spec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 1.12  # from one picture to the next, in pictures
EDGE = 0.01  # around all of them, so that no frame is cut
MOST_PICTURES = 40
MOST_BARS = 20
MOST_PANELS = 6


def draw_weights(model: nn.Module, spec: Spec) -> Drawn | None:
    """Draw the first layer's weights; None where they would say nothing (a deep network on a table, one of several).

    Args:
        model: on the CPU.
        spec: of the data it was built for.
    """
    weight = first_weight(model)
    if weight is None or isinstance(model, Ensemble):
        return None
    if isinstance(spec.input, Image):
        if weight.dim() == 4:
            return _filters(weight)
        if weight.dim() == 2 and weight.shape[1] == spec.input.size:
            return _pictures(weight.view(-1, *spec.input), spec)
        return None
    if isinstance(spec.input, Features) and is_linear(model) and weight.shape[1:] == (spec.input.size,):
        return _bars(weight, spec)
    return None


def first_weight(model: nn.Module) -> Tensor | None:
    """Return the first weight of two or more dimensions, float32 on the CPU."""
    found = next((p for p in model.parameters() if p.dim() >= 2), None)
    return None if found is None else found.detach().float().cpu()


def is_linear(model: nn.Module) -> bool:
    """Whether one affine map is all there is between inputs and outputs."""
    return sum(p.dim() >= 2 for p in model.parameters()) == 1


def _row_names(count: int, spec: Any) -> list[str] | None:
    """Return what each row of a last layer's weight stands for, None for hidden units."""
    names = getattr(spec, "class_names", None) or getattr(spec, "target_names", None)
    if names and count == len(names):
        return [str(name) for name in names]
    return [str(names[1])] if names and count == 1 and len(names) == 2 else None  # one unit: the second class or not


def _pictures(weight: Tensor, spec: Any) -> Drawn:
    names = _row_names(len(weight), spec)
    order = list(range(len(weight)))
    if names is None or len(names) > MOST_PICTURES:
        names, order = None, weight.flatten(1).norm(dim=1).argsort(descending=True, stable=True).tolist()
    shown = order[:MOST_PICTURES]
    figure = _grid([weight[k] for k in shown], [names[k] for k in shown] if names else None)
    if names:
        return Drawn("weights", figure, "What speaks for each class (blue) and against it (orange), pixel by pixel.")
    which = f"the {len(shown)} strongest of {len(weight)}" if len(shown) < len(weight) else f"all {len(weight)}"
    return Drawn(
        "weights",
        figure,
        f"First layer, {which} units: a unit fires where its picture "
        "matches the input. Blue: brighter pixels raise it, orange: they lower it.",
    )


def _filters(weight: Tensor) -> Drawn:
    shown = weight[:MOST_PICTURES]
    filters, channels, height, width = weight.shape
    count = f"{len(shown)} of {filters}" if len(shown) < filters else str(filters)
    caption = f"First layer: {count} filters of {height}x{width}, {channels} channel{'s' if channels > 1 else ''}."
    caption += "" if channels == 3 else " Blue: brighter pixels raise the output, orange: they lower it."
    return Drawn("weights", _grid(list(shown), None), caption)


def _grid(weights: list[Tensor], titles: list[str] | None) -> "Figure":
    """Draw weights `[channels, height, width]`, each on its own scale so that a quiet unit can be read too.

    All of them share one set of axes: forty of their own would take seconds.
    """
    from matplotlib.patches import Rectangle

    columns = min(8, len(weights))
    rows = -(-len(weights) // columns)
    room = 1.34 if titles else GAP  # of a picture's height, with the gap and title above it
    with style():
        size = min(0.92, (WIDTH - 0.1) / columns)
        figure = new_figure(size * columns + 0.1, size * room * rows / GAP + 0.1)
        axes = figure.subplots()
        blank(axes)
        for i, weight in enumerate(weights):
            row, column = divmod(i, columns)
            left, top = GAP * column, room * row
            axes.imshow(as_picture(weight), extent=(left, left + 1, top + 1, top), interpolation="none", aspect="auto")
            # a frame, for weights about zero are as light as the page
            axes.add_patch(Rectangle((left, top), 1, 1, fill=False, edgecolor=FAINT, linewidth=0.8, zorder=2))
            if titles:
                axes.text(left + 0.5, top - 0.05, shorten(titles[i], 12), fontsize=9, ha="center", va="bottom")
        axes.set_xlim(-EDGE, GAP * columns + 1 - GAP + EDGE)
        axes.set_ylim(room * (rows - 1) + 1 + EDGE, -0.25 if titles else -EDGE)
        axes.set_aspect("equal")
    return figure


def as_picture(weight: Tensor) -> Any:
    """Return `[height, width, 4]`: three channels as a colour, others blue above and orange below zero."""
    largest = weight.abs().max().clamp(min=1e-12)
    if weight.shape[0] == 3:
        colour = (0.5 + 0.5 * weight / largest).permute(1, 2, 0)
        return torch.cat([colour, torch.ones_like(colour[:, :, :1])], dim=2).numpy()
    signed = weight.mean(0)
    signed = signed / signed.abs().max().clamp(min=1e-12)
    colours = torch.where((signed > 0).unsqueeze(2), torch.tensor(rgb(BLUE)), torch.tensor(rgb(ORANGE)))
    return torch.cat([colours, signed.abs().unsqueeze(2)], dim=2).numpy()


def _bars(weight: Tensor, spec: Any) -> Drawn:
    names, rows = spec.input.names, _row_names(len(weight), spec)
    order = weight.abs().amax(0).argsort(descending=True, stable=True).tolist()[:MOST_BARS]
    panels = min(MOST_PANELS, len(weight))
    columns = 1 if panels == 1 else 2
    high = -(-panels // columns)
    with style():
        figure = new_figure(WIDTH, high * (0.27 * len(order) + 0.45) + 0.55)
        grid = figure.subplots(high, columns, squeeze=False, sharex=True, sharey=True)
        for axes in grid.flat[panels:]:
            axes.set_visible(False)
        for k, axes in enumerate(grid.flat[:panels]):
            values = [float(weight[k, i]) for i in order]
            axes.barh(range(len(order)), values, height=0.62, color=[BLUE if v > 0 else ORANGE for v in values])
            axes.axvline(0, color=MUTED, linewidth=0.8)
            axes.set_yticks(
                range(len(order)), [shorten(names[i], 24 if columns == 1 else 18) for i in order], color=INK
            )
            axes.set_ylim(len(order) - 0.4, -0.6)
            axes.grid(False, axis="y")
            if rows:
                axes.set_title(f"for {shorten(rows[k], 18)}")
            axes.tick_params(labelleft=k % columns == 0, labelbottom=k + columns >= panels)
        figure.supxlabel("weight", fontsize=10, color=INK)
    units = "per deviation of the feature, where features are standardised"
    largest = f", the {len(order)} largest of {len(names)}" if len(order) < len(names) else ""
    zero = "" if weight.any() else " All weights are zero."
    return Drawn("weights", figure, f"What each feature adds to the score, {units}{largest}.{zero}")
