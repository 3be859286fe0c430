"""A race as a page: paths that can be played, paused and sought, what each racer did, and the figures.

Without a script the page shows the whole race, which is where playing ends.

Checked by: it loads nothing; its policy allows its own script only; paths in the page are the paths that were run.
"""

import shlex
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from fourfold.core.words import counted
from fourfold.report.document import to_document
from fourfold.report.drawing import PIXELS_PER_INCH, Drawn, to_svg
from fourfold.report.numbers import number
from fourfold.report.race import draw_heights, draw_step_sizes, draw_surface, has_left, heights, visible, width
from fourfold.study.race import Path, describe_path
from fourfold.study.surfaces import Surface
from fourfold.tasks.figure import new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS_PER_INCH = 72.0  # of an SVG that matplotlib writes
NAMES = ("blue", "orange", "green", *(f"series-{i}" for i in range(3, 10)))  # colours of the style sheet
GONE = "left the picture"
LEAST_HERE = 0.45  # smallest share of its width that the picture is drawn in; there is little text in it


def race_page(
    surface: Surface, paths: Mapping[str, Path], labels: Mapping[str, str], steps: int, command: Sequence[str]
) -> str:
    """Return the page.

    Args:
        surface: what they race on.
        paths: by racer.
        labels: a few words on each racer, such as `lr 0.1`.
        steps: how many were asked for.
        command: what makes this page again.
    """
    many = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}.get(len(paths), str(len(paths)))
    who = f"{many} optimizers" if len(paths) > 1 else next(iter(paths))
    body = [
        f'<header><span class="kind">race</span><h1>{escape(surface.title)}: {escape(who)}</h1>'
        f"<p>{escape(surface.shows)}</p>"
        f'<div class="top"><span>{escape(surface.formula)}</span><span>{escape(surface.source)}</span></div></header>',
        _player(surface, paths, labels, steps),
        _facts(surface, paths, labels),
        _charts(surface, paths, steps),
        f'<section><h2>Do it again</h2><pre class="wrap">{escape(shlex.join(command))}</pre></section>',
    ]
    return to_document(f"{surface.title} · race · Fourfold", body, "race.js", "race.css")


def _player(surface: Surface, paths: Mapping[str, Path], labels: Mapping[str, str], steps: int) -> str:
    with style():
        figure = new_figure(7.6, 5.8)
        axes = figure.subplots()
        draw_surface(axes, surface)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, columnspacing=1.4)
    says = f"Paths of {', '.join(paths)} on {surface.title}"
    svg = to_svg(figure, "race", says).removesuffix("</svg>")
    across = round(figure.get_figwidth() * PIXELS_PER_INCH)
    controls = (
        f'<div id="player" class="player" hidden><button id="play">Pause</button><input id="step" type="range" min="0" '
        f'max="{steps}" value="{steps}" aria-label="step"><span id="now">step {steps} of {steps}</span></div>'
    )
    return (
        f'<section class="race"><div class="card"><figure id="paths" style="--width:{across}px; '
        f'--least:{round(LEAST_HERE * across)}px"><div class="scroll">{svg}{_overlay(axes, surface, paths)}</svg></div>'
        f"</figure>{controls}</div>{_standings(surface, paths, labels)}</section>"
    )


def _overlay(axes: "Axes", surface: Surface, paths: Mapping[str, Path]) -> str:
    """Return the paths as SVG in the coordinates of the drawn axes, clipped to them."""
    window = surface.window
    corners = _to_svg_points(axes, [[window.left, window.top], [window.right, window.bottom]])
    (left, top), (right, bottom) = corners
    box = f'x="{left:.2f}" y="{top:.2f}" width="{right - left:.2f}" height="{bottom - top:.2f}"'
    parts = [f'<clipPath id="race-box"><rect {box}/></clipPath><g clip-path="url(#race-box)">']
    heads = []
    for i, (name, path) in enumerate(paths.items()):
        places = _to_svg_points(axes, visible(path, surface))
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
        racer, paint = f'data-racer="{i}"', f"var(--{NAMES[i % len(NAMES)]})"
        told = " ".join(_in_words(path, surface))
        parts.append(f'<polyline points="{points}" class="halo"/>')
        parts.append(
            f'<polyline {racer} data-heights="{told}" points="{points}" '
            f'style="stroke:{paint};stroke-width:{width(i):.2f}"><title>{escape(name)}</title></polyline>'
        )
        x, y = places[-1]
        heads.append(f'<circle {racer} cx="{x:.2f}" cy="{y:.2f}" r="4.5" style="fill:{paint}"/>')
    return "".join([*parts, *heads, "</g>"])


def _to_svg_points(axes: "Axes", points: Any) -> Any:
    """Return data coordinates as those of the figure's SVG, whose y goes down."""
    figure: Any = axes.figure
    scale = POINTS_PER_INCH / figure.dpi
    places = axes.transData.transform(points) * scale
    places[:, 1] = figure.get_figheight() * POINTS_PER_INCH - places[:, 1]
    return places


def _in_words(path: Path, surface: Surface) -> list[str]:
    """Return the height at each step for reading, without spaces; where the path is outside the picture, so."""
    gone = GONE.replace(" ", "_")
    words = [
        _height(float(height)) if surface.window.holds(x, y) else gone
        for height, (x, y) in zip(heights(path, surface), path.points.tolist(), strict=True)
    ]
    return [*words, gone] if path.diverged else words


def _height(value: float) -> str:
    return f"{value:.1e}" if 0 < value < 1e-3 else number(value)


def _standings(surface: Surface, paths: Mapping[str, Path], labels: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><i style="background:var(--{NAMES[i % len(NAMES)]})"></i>{escape(name)} '
        f'<span class="muted">{escape(labels.get(name, ""))}</span></th>'
        f'<td data-racer="{i}">{_in_words(path, surface)[-1].replace("_", " ")}</td></tr>'
        for i, (name, path) in enumerate(paths.items())
    )
    head = '<thead><tr><th scope="col">optimizer</th><th scope="col">height</th></tr></thead>'
    return f'<div class="card scroll"><table class="standings">{head}<tbody>{rows}</tbody></table></div>'


def _facts(surface: Surface, paths: Mapping[str, Path], labels: Mapping[str, str]) -> str:
    names = ["optimizer", "height at the end", "there after", "path length", "overshoot"]
    if surface.saddles:
        names.append("left the saddle after")
    rows = []
    for name, path in paths.items():
        facts = describe_path(path, surface)
        if has_left(path, surface):
            cells = [GONE, "–", "–", "–"]
        else:
            end = float(heights(path, surface)[-1])
            cells = [_height(end), _steps(facts.arrived), number(facts.length), number(facts.overshoot)]
        if surface.saddles:
            cells.append("never there" if facts.left_saddle == 0 else _steps(facts.left_saddle))
        told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        label = f'{escape(name)} <span class="muted">{escape(labels.get(name, ""))}</span>'
        rows.append(f'<tr><th scope="row">{label}</th>{told}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    table = (
        f'<div class="card scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )
    note = (
        '<p class="muted">Height is above the deepest minimum. There: within 0.1 of a minimum, and staying. '
        "Overshoot: how far past that minimum, along its valley.</p>"
    )
    return f'<section><h2>How it went</h2><div class="stack">{table}{note}</div></section>'


def _steps(count: int | None) -> str:
    return "not yet" if count is None else counted(count, "step")


def _charts(surface: Surface, paths: Mapping[str, Path], steps: int) -> str:
    cards = "".join(
        f'<div class="card">{_with_cursor(drawn, steps)}</div>'
        for drawn in (draw_heights(surface, paths), draw_step_sizes(surface, paths))
    )
    return f'<section><h2>Step by step</h2><div class="grid wide">{cards}</div></section>'


def _with_cursor(drawn: Drawn, steps: int) -> str:
    """Return the figure with a line that the script moves to the step that is shown."""
    html = drawn.to_html()
    axes = drawn.figure.axes[0]
    bottom, top = axes.get_ylim()
    (start, low), (end, high) = _to_svg_points(axes, [[0, bottom], [steps, top]])
    line = (
        f'<line class="cursor" data-from="{start:.2f}" data-to="{end:.2f}" x1="{end:.2f}" x2="{end:.2f}" '
        f'y1="{low:.2f}" y2="{high:.2f}"/>'
    )
    return html.replace("</svg>", f"{line}</svg>", 1)
