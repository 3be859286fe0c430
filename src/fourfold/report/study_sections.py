"""The sections of a study's page, each a piece of HTML; whatever a person named goes through `escape`."""

import shlex
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from fourfold.report.elements import callout, copyable, pairs, plain, tile
from fourfold.report.numbers import count, duration, quantity
from fourfold.report.study_command import as_text, study_command, varied_values
from fourfold.report.study_tables import pill, verdict_table
from fourfold.report.study_words import (
    best_first,
    listed,
    place_of,
    reason,
    score,
    score_name,
    search,
    strength,
    verdict,
)

MOST_VERDICTS = 8  # of a problem that are seen at once
MOST_PROBLEMS = 3  # that are told one after another
SHORT = (  # of what was held equal, that a reader asks for first
    "data.name",
    "model.name",
    "loss.name",
    "algorithm.name",
    "algorithm.optimizer.name",
    "algorithm.optimizer.lr",
    "algorithm.schedule.name",
    "budget.epochs",
    "budget.steps",
    "budget.batch_size",
)


def header(study: Mapping[str, Any], folder: Path) -> str:
    """Return the question, and what kind of answer this is."""
    asked = study["asked"]
    seeds = len(asked["seeds"])
    facts = [
        f"{count(len(asked['arms']))} arm{'s' * (len(asked['arms']) > 1)}",
        f"{seeds} seed{'s' * (seeds > 1)}",
        *(f"{asked['trials']} trials each" for _ in asked["tune"][:1]),
    ]
    facts += list(dict.fromkeys(f"scored by {_scored_by(problem)}" for problem in study["problems"]))[:3]
    word, kind = ("unfair", "failed") if study["unfair"] else ("complete", "done")
    word, kind = (word, kind) if study["complete"] else ("not complete", "interrupted")
    top = f'<span class="pill {kind}">{word}</span>' + "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    return (
        f'<header><span class="kind">{escape(folder.name)}</span><h1>{escape(question(study))}</h1>'
        f'<div class="top">{top}</div></header>'
    )


def question(study: Mapping[str, Any]) -> str:
    """Return what was asked, such as `Which optimizer for digits-mlp?`."""
    asked = study["asked"]
    problems = list(asked["problems"])
    where = listed(problems) if len(problems) <= 3 else f"{len(problems)} recipes"
    if len(asked["arms"]) == 1:
        arm = asked["arms"][0]
        what = f"{arm['name']} for {where}" if arm["overrides"] else where
        return f"{what}, tuned" if asked["tune"] else f"{what}, over {len(asked['seeds'])} seeds"
    keys = [key.removesuffix(".name").rsplit(".", 1)[-1] for key in varied_values(asked["arms"])]
    return f"Which {listed([plain(key) for key in dict.fromkeys(keys)])} for {where}?"


def unfair(study: Mapping[str, Any]) -> str:
    """Return what is unequal between the arms, in red; empty if nothing is."""
    cards = []
    if study["unfair"]:
        says = "The arms did not get the same, so a difference between them may come from that."
        cards.append(callout("This comparison is unfair", says, study["unfair"], "bad"))
    if not study["complete"]:
        says = "Some runs have failed or not ended. The same command runs them again, and no others."
        cards.append(callout("This study is not complete", says, [], ""))
    return f'<section class="stack" id="unfair">{"".join(cards)}</section>' if cards else ""


def verdicts(study: Mapping[str, Any]) -> str:
    """Return the answer: a sentence for each arm on each problem."""
    parts = []
    for problem in study["problems"]:
        rows = sorted(problem["comparisons"], key=lambda row: place_of(problem, row))
        if not rows:
            continue
        items = [_verdict(problem, row) for row in rows]
        more = ""
        if len(items) > MOST_VERDICTS:
            more = f"<details><summary>{len(items) - MOST_VERDICTS:,} more</summary>"
            more += f'<ul class="verdicts">{"".join(items[MOST_VERDICTS:])}</ul></details>'
        title = f"<h3>{escape(problem['recipe'])}</h3>" if len(study["problems"]) > 1 else ""
        parts.append(f'<div class="card">{title}<ul class="verdicts">{"".join(items[:MOST_VERDICTS])}</ul>{more}</div>')
    if len(parts) > MOST_PROBLEMS:
        every = "".join(parts)
        parts = [
            f'<div class="card">{verdict_table(study)}</div>',
            f'<details><summary>Each verdict as a sentence</summary><div class="stack">{every}</div></details>',
        ]
    if not parts:
        return ""
    return f'<section id="verdict"><h2>The verdict</h2><div class="stack">{"".join(parts)}</div></section>'


def tiles(study: Mapping[str, Any], costs: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the best mean, and how much was run."""
    boxes = []
    if study["overall"] is not None:
        rank, name = min(zip(study["overall"]["ranks"]["average"], study["overall"]["arms"], strict=True))
        boxes.append(
            tile(f"{rank:.3g}", f"average rank over {len(study['problems'])} recipes, the best: {name}", "headline")
        )
    elif len(study["problems"]) == 1:
        problem = study["problems"][0]
        best = best_first(problem)[0]
        if best["mean"] is not None:
            which = f"the best mean: {best['name']}" if len(problem["arms"]) > 1 else "the mean"
            words = f"{_scored_by(problem)}, {which}"
            boxes.append(tile(score(score_name(problem), best["mean"]), words, "headline"))
    cells = [cell for problem in study["problems"] for arm in problem["arms"] for cell in arm["cells"]]
    finished = sum(cell["score"] is not None for cell in cells)
    short = f" of {count(len(cells))}" if finished < len(cells) else ""
    boxes.append(tile(count(finished), f"runs finished{short}"))
    if trials := sum(len(cell["trials"]) for cell in cells):
        boxes.append(tile(count(trials), "trials before them"))
    seconds = [cost["seconds"] for cost in costs.values() if isinstance(cost.get("seconds"), int | float)]
    if seconds:
        boxes.append(tile(duration(sum(seconds)), "of training" + (", trials apart" if trials else "")))
    return f'<section class="tiles" id="result">{"".join(boxes)}</section>'


def asked(study: Mapping[str, Any]) -> str:
    """Return what was varied, and what was held equal."""
    question = study["asked"]
    facts = []
    for key, values in varied_values(question["arms"]).items():
        facts.append((key.removesuffix(".name"), ", ".join(_shown(value) for value in values)))
    alone = len(question["arms"]) == 1
    if not alone:
        facts.append(("compared with", question["against"]))
    seeds = question["seeds"]
    whole = seeds == list(range(seeds[0], seeds[0] + len(seeds))) and len(seeds) > 2
    facts.append(("seeds", f"{seeds[0]} to {seeds[-1]}" if whole else ", ".join(map(str, seeds))))
    scored: dict[str, list[str]] = {}
    for problem in study["problems"]:
        more = "more" if problem["higher_is_better"] else "less"
        scored.setdefault(f"{_scored_by(problem)}, {more} is better", []).append(problem["recipe"])
    for how, recipes in scored.items():
        facts.append(("scored by", how + (f" ({listed(recipes)})" if len(scored) > 1 else "")))
    for space in question["tune"]:
        facts.append(("tuned", space))
    if question["tune"]:
        facts.append(("search", search(study)))
    title = "asked" if alone else "varied"
    varied = f'<div class="card part"><span class="kind">{title}</span><dl>{pairs(facts)}</dl></div>'
    held = "".join(_held_equal(problem, len(study["problems"]) > 1, alone) for problem in study["problems"])
    if len(study["problems"]) > MOST_PROBLEMS:
        held = f'<details><summary>Held equal on each recipe</summary><div class="grid">{held}</div></details>'
        inside = f'<div class="stack">{varied}{held}</div>'
    else:
        inside = f'<div class="grid">{varied}{held}</div>'
    return f'<section id="asked"><h2>What was asked</h2>{inside}</section>'


def missing(study: Mapping[str, Any]) -> str:
    """Return which runs have no score, and why; empty if all have one."""
    items = []
    for problem in study["problems"]:
        where = f" on {problem['recipe']}" if len(study["problems"]) > 1 else ""
        for arm in problem["arms"]:
            why: dict[tuple[str, str], list[str]] = {}
            for cell in arm["cells"]:
                if cell["score"] is None:
                    why.setdefault((cell["status"], cell["because"] or ""), []).append(str(cell["seed"]))
            for (status, because), seeds in why.items():
                word = "no score" if status == "done" else status
                each = f"seed{'s' * (len(seeds) > 1)} {listed(seeds)}"
                said = f": {because}" if because and because != status else ""
                items.append(f"{arm['name']}{where}, {each}: {word}{said}")
    if not items:
        return ""
    says = "They are left out, pair by pair; nothing is put in their place."
    return f'<section id="missing"><h2>Missing</h2>{callout("Runs without a score", says, items, "")}</section>'


def reproduce(study: Mapping[str, Any], workspace: Path) -> str:
    """Return the command that asks again, and where the runs are."""
    command = study_command(study["asked"])
    parts = []
    if command.text is None:
        parts.append("<p>This study was asked from Python: no command line asks the same.</p>")
    else:
        parts.append(copyable("command", command.text, "wrap"))
    for number, (file, text) in enumerate(command.files.items()):
        inside = copyable(f"recipe-{number}", text.rstrip(), "")
        parts.append(f"<details><summary>Save this first, as {escape(file)}</summary>{inside}</details>")
    if study["asked"]["use"]:
        digests = listed([digest[:12] for digest in study["asked"]["use"]])
        parts.append(f"<p>Add <code>--use</code> and the file of your own parts (SHA-256 {escape(digests)}…).</p>")
    again = f"--workspace {shlex.quote(str(workspace))}"
    parts.append(
        f'<p class="muted">With <code>{escape(again)}</code>, runs that are finished are read and not run again. They '
        f"are in <code>{escape(str(workspace / 'cells'))}</code>; <code>fourfold report</code> and <code>fourfold show"
        "</code> read each like any other run.</p>"
    )
    return f'<section id="reproduce"><h2>Do it again</h2><div class="card stack">{"".join(parts)}</div></section>'


def _scored_by(problem: Mapping[str, Any]) -> str:
    split, _, name = problem["metric"].partition(".")
    return f"{split} {plain(name) if '%' in quantity(name) else quantity(name)}"


def _verdict(problem: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    name = score_name(problem)
    pieces = verdict(name, row, problem["higher_is_better"])
    sentence = "".join(f"<b>{escape(text)}</b>" if is_name else escape(text) for text, is_name in pieces)
    why = "".join(f'<p class="muted">{escape(each)}</p>' for each in (reason(name, row), strength(name, row)) if each)
    return f"<li>{pill(row['verdict'])}<div>{sentence}{why}</div></li>"


def _held_equal(problem: Mapping[str, Any], several: bool, alone: bool) -> str:
    held: Mapping[str, Any] = problem["held_equal"]
    words = {key: plain(key.removesuffix(".name").rsplit(".", 1)[-1]) for key in SHORT}
    short = [(words[key], _shown(held[key])) for key in SHORT if held.get(key) not in (None, [])]
    if all(key in held for key in ("data.name", "budget.batch_size")):
        same = "the same split and order for every arm; first weights too, where shapes are the same"
        short.append(
            ("each seed", "whatever is drawn: order, first weights, and a split that is not given" if alone else same)
        )
    whole = pairs((key, _shown(value)) for key, value in held.items())
    title = f"held equal on {problem['recipe']}" if several else "held equal"
    return (
        f'<div class="card part"><span class="kind">{escape(title)}</span><dl>{pairs(short)}</dl>'
        f"<details><summary>All {len(held)} settings</summary><dl>{whole}</dl></details></div>"
    )


def _shown(value: Any) -> str:
    return as_text(value).removesuffix(".0") if isinstance(value, float) else as_text(value)
