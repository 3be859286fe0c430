"""Landmarks of the field on one's own data, oldest first: one table, one figure, and a page that holds both.

Checked by: rows and dots read back; names that are HTML; the page loads nothing.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from fourfold.core.words import counted
from fourfold.records.strict_json import read_mapping
from fourfold.report.document import to_document, write_document
from fourfold.report.drawing import Drawn
from fourfold.report.elements import copyable, figure_cards, footer, plain_list
from fourfold.report.numbers import count, duration, metric
from fourfold.report.study_intervals import Row, draw_rows
from fourfold.report.study_tables import pill
from fourfold.report.study_words import difference, end_of_interval, scale, score, score_axis, score_name
from fourfold.study.history import Landmark
from fourfold.tasks.figure import BLUE, MUTED, WIDTH, new_figure, style, thousands


class HistoryRow(NamedTuple):
    """One landmark, in words."""

    year: str
    landmark: str
    score: str
    deviation: str
    params: str
    seconds: str
    difference: str
    verdict: str


def titles(problem: Mapping[str, Any], landmarks: Sequence[Landmark]) -> tuple[str, ...]:
    """Return the heads of the table's columns."""
    against = f"against {landmarks[0].year}"
    return ("year", "landmark", problem["metric"], "± over seeds", "parameters", "a run", against, "verdict")


def history_rows(study: Mapping[str, Any], folder: Path, landmarks: Sequence[Landmark]) -> list[HistoryRow]:
    """Return the table, oldest first.

    Args:
        study: of study.json.
        folder: of the study, with its costs.json.
        landmarks: its arms.
    """
    problem, costs = study["problems"][0], read_mapping(folder / "costs.json")["cells"]
    name = score_name(problem)
    compared = {row["arm"]: row for row in problem["comparisons"]}
    rows = []
    for landmark, arm in zip(landmarks, problem["arms"], strict=True):
        row = compared.get(landmark.name, {})
        seconds = [costs[cell["key"]]["seconds"] for cell in arm["cells"] if cell["key"] in costs]
        rows.append(
            HistoryRow(
                str(landmark.year),
                landmark.name,
                metric(name, arm["mean"]),
                "–" if arm["deviation"] is None else metric(name, arm["deviation"]),
                "–" if arm["params"] is None else count(arm["params"]),
                duration(sum(seconds) / len(seconds)) if seconds else "–",
                difference(name, row),
                row.get("verdict", "reference"),
            )
        )
    return rows


def draw_history(problem: Mapping[str, Any], landmarks: Sequence[Landmark]) -> Drawn | None:
    """Draw the scores, oldest on top; those that are better on average than all before them in colour.

    Args:
        problem: of a study.json.
        landmarks: its arms.
    """
    name, sign = score_name(problem), 1 if problem["higher_is_better"] else -1
    factor, rows, best = scale(name), [], float("-inf")
    for landmark, arm in zip(landmarks, problem["arms"], strict=True):
        if arm["mean"] is None:
            continue
        first, best = sign * arm["mean"] > best, max(best, sign * arm["mean"])
        low, high = (end_of_interval(name, arm[end]) for end in ("low", "high"))
        seeds = [factor * cell["score"] for cell in arm["cells"] if cell["score"] is not None]
        label = f"{landmark.year} {landmark.name}"
        colour = BLUE if first else MUTED
        rows.append(Row(label, score(name, arm["mean"]), factor * arm["mean"], low, high, seeds, colour))
    if not rows:
        return None
    with style():
        figure = new_figure(1.4 * WIDTH, 0.46 * len(rows) + 1.05)
        axes = figure.subplots()
        draw_rows(axes, rows)
        axes.margins(x=0.06)
        thousands(axes.xaxis)
        axes.set_xlabel(score_axis(problem))
        axes.set_title("Scores, the oldest on top")
    words = (
        "Blue: better on average than everything before it. Large dots: mean over seeds; lines: its 95 % interval; "
        "faint dots: each seed."
    )
    return Drawn("history", figure, words)


def write_history_page(
    study: Mapping[str, Any], folder: Path, landmarks: Sequence[Landmark], left_out: Sequence[str], command: str
) -> Path:
    """Write `history.html`, and its figure as `history.png`, into the study's folder, and return the page's path.

    Args:
        study: of study.json.
        folder: where it is.
        landmarks: its arms.
        left_out: which others there are, and why they do not fit.
        command: what makes it again.

    Raises:
        InputError: the page or the figure cannot be written.
    """
    problem = study["problems"][0]
    drawn = draw_history(problem, landmarks)
    data = problem["recipe"].removeprefix("history-")
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles(problem, landmarks))
    rows = ""
    for row, landmark in zip(history_rows(study, folder, landmarks), landmarks, strict=True):
        told = "".join(f"<td>{escape(cell)}</td>" for cell in row[2:-1])
        verdict = pill(row.verdict) if row.verdict != "reference" else '<span class="muted">reference</span>'
        named = f'{escape(row.landmark)}<br><span class="muted">{escape(landmark.source)}</span>'
        rows += f'<tr><td>{row.year}</td><th scope="row">{named}</th>{told}<td>{verdict}</td></tr>'
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    others = plain_list(left_out)
    body = [
        f'<header><span class="kind">history</span><h1>{escape(data)}: which years pay off?</h1>'
        f'<div class="top">{"".join(f"<span>{escape(fact)}</span>" for fact in facts(study))}</div></header>',
        f'<section id="scores"><h2>Oldest on top</h2>{figure_cards([drawn] if drawn else [])}</section>',
        f'<section id="landmarks"><h2>Landmarks</h2><div class="card stack">{table}</div></section>',
        f'<section id="others"><h2>Left out</h2><div class="card">{others}</div></section>' if left_out else "",
        f'<section id="reproduce"><h2>Do it again</h2>{copyable("again", command, "wrap")}</section>',
        footer(study["asked"]["fourfold"]),
    ]
    path = folder / "history.html"
    write_document(to_document(f"{data} · history · Fourfold", body), path)
    if drawn:
        drawn.write_png(folder)
    return path


def facts(study: Mapping[str, Any]) -> list[str]:
    """Return what all landmarks had alike."""
    (fields,) = study["asked"]["problems"].values()
    budget, seeds = fields["budget"], len(study["asked"]["seeds"])
    length = counted(budget["steps"], "step") if budget.get("steps") else counted(round(budget["epochs"]), "epoch")
    found = [f"{length} of batches of {budget['batch_size']}", counted(seeds, "seed")]
    few = fields["data"].get("train_examples")
    return [*found, f"at most {count(few)} training examples"] if few else found
