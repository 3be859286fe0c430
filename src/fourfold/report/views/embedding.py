"""Where examples lie before the last layer, on the plane on which they are furthest apart.

Checked by: points, classes and mistakes read back from the figure.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from fourfold.report.drawing import Drawn
from fourfold.report.numbers import count
from fourfold.report.study_axes import legend_below
from fourfold.report.views.examples import spaced
from fourfold.run.views.embedding import Projection, principal_plane
from fourfold.tasks.figure import MUTED, SERIES, WIDTH, new_figure, shorten, style

MOST_POINTS = 1000


def project(embeddings: Tensor, most: int = MOST_POINTS) -> tuple[list[int], Projection]:
    """Return which examples are drawn, and where.

    Args:
        embeddings: `[examples, features]`.
        most: how many.
    """
    members = spaced(len(embeddings), most)
    return members, principal_plane(embeddings[torch.tensor(members)])


def draw_embedding(
    projection: Projection, targets: Tensor, said: Tensor, names: Sequence[str], features: int, examples: str
) -> Drawn:
    """Draw examples as points, mistakes as crosses, coloured by their true class.

    Args:
        projection: of the drawn examples.
        targets: their true classes, int64 `[examples]`.
        said: what the network says, likewise.
        names: of the classes; of more than ten the ten that occur most have a colour.
        features: numbers that an embedding has.
        examples: what they are, such as `test pictures`.
    """
    often = torch.bincount(targets, minlength=len(names)).argsort(descending=True, stable=True)[: len(SERIES)].tolist()
    shown: list[int] = sorted(k for k in often if (targets == k).any())
    others = ~torch.isin(targets, torch.tensor(shown))
    size = 3.2 if len(targets) > 300 else 4.5
    groups = [("other classes", others, MUTED)] if others.any() else []
    groups += [(shorten(names[k], 20), targets == k, SERIES[i % len(SERIES)]) for i, k in enumerate(shown)]
    with style():
        figure = new_figure(WIDTH, 4.2)
        axes = figure.subplots()
        for name, chosen, colour in groups:
            right, wrong = chosen & (said == targets), chosen & (said != targets)
            x, y = projection.points.T
            axes.plot(x[right], y[right], "o", color=colour, markersize=size, alpha=0.6, mew=0)
            axes.plot([], [], "o", color=colour, markersize=6, mew=0, label=name)
            axes.plot(x[wrong], y[wrong], "x", color=colour, markersize=size + 2.5, mew=1.4, zorder=3)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel(f"first component, {100 * float(projection.shares[0]):.0f} % of the variance")
        axes.set_ylabel(f"second component, {100 * float(projection.shares[1]):.0f} %")
        axes.tick_params(labelbottom=False, labelleft=False, length=0)
        legend_below(figure, axes)
    mistakes = int((said != targets).sum())
    crosses = (
        f" Crosses: the {count(mistakes)} that it gets wrong." if mistakes else " None of them is taken for another."
    )
    return Drawn(
        "embedding",
        figure,
        f"{count(len(targets))} {examples} as the last layer gets them, {count(features)} numbers each, on the two "
        "directions in which they differ most (principal components). What lies apart here the last layer can tell "
        f"apart; what overlaps may still be apart in another direction. Colour: the true class.{crosses}",
    )
