"""One HTML page a run, whole in one file: it loads nothing, and everything a person named is escaped.

Checked by: every section is there; no address is loaded; a class called `<script>alert(1)</script>` stays text; the
page's own policy lets no script run but its copy button.
"""

from collections.abc import Sequence
from pathlib import Path

from fourfold.core.errors import CheckpointError, InputError
from fourfold.report import elements, sections
from fourfold.report.curves import collect, draw_curves
from fourfold.report.document import to_document, write_document
from fourfold.report.drawing import Drawn
from fourfold.report.reproduce import is_unchanged
from fourfold.report.samples import draw_moments, draw_players
from fourfold.report.shown import Shown, show_predictions
from fourfold.run.run import Run


def write_report(run: Run, path: Path | None = None, png: bool = False) -> Path:
    """Write a run's page and return its path.

    Args:
        run: done, or stopped before its end; then the page says why, and shows its curves.
        path: where the page goes; `report.html` in the run's folder by default.
        png: also write each figure as PNG into the run's `figures/`.

    Raises:
        InputError: the run's folder is damaged, or the page or a figure cannot be written.
    """
    path = path or run.folder.path / "report.html"
    if path.is_dir():
        raise InputError(f"{path}: a folder; name the page in it, such as {path / 'report.html'}")
    points = run.folder.points()
    curves = [*draw_curves(points, run.headline, _expected(run), _loss_name(run)), *draw_players(collect(points))]
    moments = draw_moments(run)
    shown, problem = Shown(), ""
    if run.status == "done":
        try:
            shown = show_predictions(run)
        # the data may be elsewhere by now; the rest is still worth a page
        except (InputError, CheckpointError) as error:
            problem = str(error)
    write_document(render(run, curves, shown, problem, moments), path)
    if png:
        for drawn in [*curves, *moments, *shown.all()]:
            drawn.write_png(run.folder.figures)
    return path


def render(run: Run, curves: list[Drawn], shown: Shown, problem: str, moments: Sequence[Drawn] = ()) -> str:
    """Return the page.

    Args:
        run: what it is about.
        curves: loss, headline and learning rate.
        shown: what the trained network says; empty for a run without one.
        problem: why there are no predictions, empty if there is nothing to say.
        moments: pictures that were kept as training went on.
    """
    environment = run.folder.environment()
    body = [
        sections.header(run),
        sections.tiles(run),
        sections.ending(run, problem),
        sections.parts(run),
        sections.scores(run),
        elements.figures("How it learned", "curves", curves),
        elements.figures("As it learned", "moments", moments),
        elements.figures("Where it is right and wrong", "mistakes", shown.overview),
        elements.figures(_heading(shown.examples), "predictions", shown.examples),
        elements.figures("What it says everywhere", "plane", shown.plane),
        elements.figures("What it learned", "learned", shown.weights),
        elements.figures("What the network sees", "seen", shown.seen),
        sections.notes(run),
        sections.reproduce(run),
        elements.environment(environment),
        elements.footer(str(environment.get("packages", {}).get("fourfold", ""))),
    ]
    return to_document(f"{run.run_id} · Fourfold", body)


def _expected(run: Run) -> float | None:
    expected = run.recipe.expected
    if expected is None or expected.metric != run.headline:
        return None
    if not is_unchanged(run.folder.identity.recipe, run.recipe):
        return None
    return expected.ours if expected.ours is not None else expected.paper


def _loss_name(run: Run) -> str:
    """Return the loss's name; `usual` is the one that goes with the headline."""
    usual = {"accuracy": "cross_entropy", "rmse": "mse", "nll": "gaussian_nll"}
    return usual.get(run.headline, "loss") if run.recipe.loss.name == "usual" else run.recipe.loss.name


def _heading(examples: Sequence[Drawn]) -> str:
    """Return the heading of predictions: texts are the first ones, others the best and the worst, or what was made."""
    if any(each.name == "samples" for each in examples):
        return "What it makes"
    return "Best and worst predictions" if any(each.name == "worst" for each in examples) else "Predictions"
