"""One HTML page a study, whole in one file: it loads nothing, and everything a person named is escaped.

Checked by: every section is there, for studies of each shape; no address is loaded; arms called
`<script>alert(1)</script>` stay text; the command on it asks the same question.
"""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from fourfold.core.errors import InputError
from fourfold.records.strict_json import read_mapping
from fourfold.report import elements
from fourfold.report import study_sections as sections
from fourfold.report.document import to_document, write_document
from fourfold.report.drawing import Drawn
from fourfold.report.study_axes import as_unfair
from fourfold.report.study_costs import cost_of, draw_costs
from fourfold.report.study_curves import draw_study_curves
from fourfold.report.study_intervals import draw_differences, draw_scores
from fourfold.report.study_ranks import draw_profile, draw_ranks
from fourfold.report.study_tables import arms_table, chosen_table, costs_table, overall_table
from fourfold.report.study_tuning import draw_tuning
from fourfold.report.study_words import named_arms
from fourfold.study.content import read_study

MOST_DRAWN = 4  # recipes that have figures; the others have their tables


def write_study_page(folder: Path, png: bool = False, path: Path | None = None) -> Path:
    """Write a study's page and return its path.

    Args:
        folder: of the study, with its study.json and costs.json; its runs are in `cells`, two folders up.
        png: also write each figure as PNG into the study's `figures/`.
        path: where the page goes; `study.html` in the study's folder by default.

    Raises:
        InputError: there is no study in the folder, it is damaged, or the page or a figure cannot be written.
    """
    path = path or folder / "study.html"
    study, costs = read_study(folder)
    body, drawn = _body(study, costs, folder.resolve())
    write_document(to_document(f"{sections.question(study)} · Fourfold", body), path)
    if png:
        for each in drawn:
            each.write_png(folder / "figures")
    return path


def _body(study: Mapping[str, Any], costs: Mapping[str, Any], folder: Path) -> tuple[list[str], list[Drawn]]:
    """Return the page's sections, and the figures on it."""
    workspace, named = folder.parent.parent, named_arms(study)
    cells, drawn = workspace / "cells", []
    body = [
        sections.header(study, folder),
        sections.unfair(study),
        sections.tiles(study, costs),
        sections.verdicts(study),
        sections.asked(study),
    ]
    if study["overall"] is not None:
        both = (draw_ranks(study["overall"], len(study["problems"])), draw_profile(study["overall"], named))
        overall = _as_judged(study, both)
        inside = elements.figure_cards(overall) + _card(overall_table(study, named) + _table_note(study))
        body.append(f'<section id="overall"><h2>Over all recipes</h2><div class="stack">{inside}</div></section>')
        drawn += overall
    for number, problem in enumerate(study["problems"], start=1):
        suffix = f"-{number}" if len(study["problems"]) > 1 else ""
        html, figures = _problem(study, problem, costs, cells, named, suffix)
        body.append(html)
        drawn += figures
    body += [
        sections.missing(study),
        sections.reproduce(study, workspace),
        _environment(study, cells),
        elements.footer(study["asked"]["fourfold"]),
    ]
    return body, drawn


def _problem(
    study: Mapping[str, Any],
    problem: Mapping[str, Any],
    costs: Mapping[str, Any],
    cells: Path,
    named: Mapping[str, str],
    suffix: str,
) -> tuple[str, list[Drawn]]:
    """Return one recipe's sections, and its figures."""
    cost = {arm["name"]: cost_of(arm, costs) for arm in problem["arms"]}
    scored, learned, spent, tried = [], [], [], []
    if not suffix or int(suffix[1:]) <= MOST_DRAWN:
        both = (draw_scores(problem, named, suffix), draw_differences(problem, suffix))
        scored = _as_judged(study, both)
        learned = _as_judged(study, draw_study_curves(problem, named, cells, suffix))
        spent = _as_judged(study, draw_costs(problem, cost, named, suffix))
        tried = _as_judged(study, draw_tuning(study, problem, named, suffix))
        curves = elements.figure_cards(learned) or _note(f"No curves: no finished run that recorded any is in {cells}.")
    else:
        curves = _note(f"Figures are drawn for the first {MOST_DRAWN} recipes.")
    where = f" on {problem['recipe']}" if suffix else ""
    parts = [
        (
            "arms",
            f"What each arm scored{where}",
            _card(arms_table(problem, named) + _table_note(study)) + elements.figure_cards(scored),
        ),
        ("curves", f"How they learned{where}", curves),
        ("cost", f"Cost and quality{where}", elements.figure_cards(spent) + _card(costs_table(problem, cost, named))),
    ]
    if study["asked"]["tune"]:
        chosen = _card(f"<h3>Chosen</h3>{chosen_table(problem, study['asked']['seeds'], named)}")
        parts.append(("tuning", f"Tuning{where}", elements.figure_cards(tried) + chosen))
    html = "".join(
        f'<section id="{name}{suffix}"><h2>{escape(title)}</h2><div class="stack">{inside}</div></section>'
        for name, title, inside in parts
        if inside
    )
    return html, [*scored, *learned, *spent, *tried]


def _as_judged(study: Mapping[str, Any], drawn: Iterable[Drawn | None]) -> list[Drawn]:
    """Return the figures that there are; of an unfair comparison each says so."""
    return [as_unfair(each) if study["unfair"] else each for each in drawn if each is not None]


def _card(inside: str) -> str:
    return f'<div class="card stack">{inside}</div>'


def _table_note(study: Mapping[str, Any]) -> str:
    """Return what the numbers are that not everyone knows."""
    middle = "In brackets: 95 % intervals. ±: standard deviation over seeds. Interquartile mean: of the middle half."
    if len(study["asked"]["arms"]) == 1:
        return _note(middle)
    chance = (
        f"P(better): how often a run of the arm beats one of {study['asked']['against']}, probability of improvement."
    )
    return _note(f"{middle} {chance}")


def _note(text: str) -> str:
    return f'<p class="muted">{escape(text)}</p>'


def _environment(study: Mapping[str, Any], cells: Path) -> str:
    """Return what the first run that is still there ran on."""
    for problem in study["problems"]:
        for cell in (cell for arm in problem["arms"] for cell in arm["cells"] if cell["folder"] is not None):
            try:
                return elements.environment(read_mapping(cells / cell["folder"] / "environment.json"))
            except InputError:
                continue
    return ""
