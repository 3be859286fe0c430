"""A study in the terminal: what each arm scored, how far it is from the reference, and the verdict."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourfold.cli.output import console, hanging, print_finding
from fourfold.report.numbers import metric, number
from fourfold.report.study_words import difference, possible, reason, score_name, search, strength

if TYPE_CHECKING:
    from rich.table import Table

STYLES = {"better": "green", "worse": "red", "no difference": "bold", "undecided": "yellow"}


def print_study(study: Mapping[str, Any], folder: Path) -> None:
    """Print a study's tables, what is unfair about it, and where its page is."""
    out = console()
    for problem in study["problems"]:
        out.print(f"\n[bold]{_plain(problem['recipe'])}[/bold] · {problem['metric']}, {_direction(problem)}")
        if len(problem["arms"]) == 1 and not problem["arms"][0]["overrides"]:
            _print_alone(problem)
        else:
            _print_arms(problem, study["asked"]["against"])
        for row in problem["comparisons"]:
            if row["verdict"] not in ("better", "worse"):  # of those the table has said all
                said = f"{reason(score_name(problem), row)} {strength(score_name(problem), row)}"
                for piece in hanging(f"  {row['arm']}: {said}"):
                    out.print(piece, markup=False)
        _print_missing(problem)
    if study["overall"] is not None:
        _print_overall(study["overall"])
    print_search(study)
    if not study["asked"]["arms"][0]["overrides"] and not study["asked"]["tune"]:
        out.print("  nothing was varied; --vary KEY=A,B compares", style="dim", markup=False)
    for sentence in study["unfair"]:
        print_finding(f"unfair: {sentence}")
    out.print(f"\n{folder / 'study.html'}", markup=False)


def print_search(study: Mapping[str, Any]) -> None:
    """Say how settings were looked for, where any were."""
    if study["asked"]["tune"]:
        for piece in hanging(f"  tuned {', '.join(study['asked']['tune'])}: {search(study)}"):
            console().print(piece, markup=False)


def _print_alone(problem: Mapping[str, Any]) -> None:
    """Print the spread of a recipe that was compared with nothing."""
    (arm,), name = problem["arms"], score_name(problem)
    ends = [possible(name, arm[end]) for end in ("low", "high")]
    table = _table(("seeds", "mean", "± over seeds", "95 % of the mean"))
    table.add_row(
        f"{arm['finished']} of {len(arm['cells'])}",
        metric(name, arm["mean"]),
        "–" if arm["deviation"] is None else metric(name, arm["deviation"]),
        "–" if None in ends else " to ".join(metric(name, end) for end in ends),
    )
    console().print(table)


def _print_arms(problem: Mapping[str, Any], reference: str) -> None:
    name = score_name(problem)
    rows = {row["arm"]: row for row in problem["comparisons"]}
    table = _table(("arm", "seeds", "mean", "± over seeds", f"difference to {_plain(reference)}", "p", "verdict"))
    sign = 1 if problem["higher_is_better"] else -1
    best_first = sorted(problem["arms"], key=lambda a: -sign * a["mean"] if a["mean"] is not None else float("inf"))
    for arm in best_first:
        row = rows.get(arm["name"], {})
        word = row.get("verdict", "reference")
        deviation = arm["deviation"]
        table.add_row(
            _plain(arm["name"]),
            f"{arm['finished']} of {len(arm['cells'])}",
            metric(name, arm["mean"]),
            "–" if deviation is None else metric(name, deviation),
            difference(name, row),
            f"{row['p_holm']:.2g}" if "p_holm" in row else "",
            f"[{STYLES.get(word, 'dim')}]{word}[/]",
        )
    console().print(table)


def _table(titles: Sequence[str]) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles:
        table.add_column(title)
    return table


def _print_missing(problem: Mapping[str, Any]) -> None:
    """Say which cells have no score, and why."""
    for arm in problem["arms"]:
        missing = [cell for cell in arm["cells"] if cell["score"] is None]
        if missing:
            seeds = ", ".join(str(cell["seed"]) for cell in missing)
            print_finding(f"{arm['name']}: no score at seed {seeds}: {missing[0]['because']}")


def _print_overall(overall: Mapping[str, Any]) -> None:
    ranks = overall["ranks"]
    ordered = sorted(zip(ranks["average"], overall["arms"], strict=True))
    words = " · ".join(f"{arm} {number(rank)}" for rank, arm in ordered)
    console().print(f"\naverage rank, 1 is best: {words}", markup=False)
    console().print(
        f"  ranks this uneven by chance: p = {ranks['p']:.2g}; closer than {number(ranks['critical_difference'])} "
        "is not told apart",
        markup=False,
    )


def _direction(problem: Mapping[str, Any]) -> str:
    return "more is better" if problem["higher_is_better"] else "less is better"


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
