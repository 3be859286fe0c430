"""The sections of a page, each a piece of HTML; whatever comes from a run goes through `escape`."""

import shlex
from html import escape
from typing import Any

from fourfold.records.folds import Scores, find_folds
from fourfold.report.elements import callout, copyable, pairs, plain, plain_list, tile
from fourfold.report.numbers import SHARES, count, duration, metric, quantity
from fourfold.report.reproduce import command, is_unchanged
from fourfold.report.words import PartInWords, four_parts, paper_line
from fourfold.run.run import Run

SPLITS = ("train", "validation", "test")
_ENDED = {
    "running": "It is still running: this page shows what was recorded so far.",
    "interrupted": "It can go on from its last checkpoint as if nothing had happened:",
    "diverged": "Training stopped being finite, and was stopped before the update that would have spoilt the weights.",
    "failed": "It ended with an error.",
}


def header(run: Run) -> str:
    """Return name, title, status, and when and with which seed it ran."""
    result = run.result
    ended = str(result.get("ended", run.folder.identity.created))[:16].replace("T", " ")
    facts = [f"recipe {result['recipe']}", f"seed {result['seed']}", f"{ended} UTC"]
    pill = f'<span class="pill {escape(run.status)}">{escape(run.status)}</span>'
    top = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
    title = run.recipe.title or run.run_id
    paper = paper_line(run.recipe)
    source = (
        f'<p class="muted">After {_linked(paper, run.recipe.paper.url if run.recipe.paper else None)}.</p>'
        if paper
        else ""
    )
    name = f'<span class="kind">{escape(run.run_id)}</span>' if run.recipe.title else ""
    return f'<header>{name}<h1>{escape(title)}</h1>{source}<div class="top">{pill}{top}</div></header>'


def tiles(run: Run) -> str:
    """Return the headline, what was expected, and the size of it all."""
    result = run.result
    boxes = []
    headline = run.headline
    split = next((s for s in reversed(SPLITS) if headline in run.metrics.get(s, {})), None)
    if split:
        value = run.metrics[split][headline]
        boxes.append(tile(metric(headline, value), f"{split} {_measured(headline)}{_against(run, value)}", "headline"))
    planned = int(result.get("planned_steps") or 0)
    short = f" of {count(planned)}" if planned > result["steps"] else ""
    boxes.append(tile(count(result["steps"]), f"step{'s' * (result['steps'] != 1 or bool(short))}{short}"))
    if result["params"]:
        boxes.append(tile(count(result["params"]), "parameters"))
    if result["seconds"]:
        boxes.append(tile(duration(result["seconds"]), "of training"))
    if result["examples_per_second"]:  # 0: it ended before anything was read
        boxes.append(
            tile(count(result["examples_per_second"]), f"{escape(str(result.get('counts', 'examples')))} a second")
        )
    return f'<section class="tiles" id="result">{"".join(boxes)}</section>'


def ending(run: Run, problem: str) -> str:
    """Return why it stopped, if it stopped early, and what the algorithm found."""
    cards, reason, findings = [], run.result.get("stopped_because"), run.findings
    if run.status != "done":
        said = [str(f) for f in findings] or ([f"Reason: {reason}"] if reason else [])
        if run.status == "interrupted":
            folds = ["--folds"] * (getattr(run.recipe.data, "folds", None) is not None)
            again = copyable("resume", shlex.join(["fourfold", "resume", run.run_id, *folds]), "wrap")
            cards.append(callout(f"Interrupted ({reason or 'killed'})", _ENDED["interrupted"], [], "", again))
        else:
            title = "Still running" if run.status == "running" else "Why it stopped"
            cards.append(callout(title, _ENDED.get(run.status, ""), said, "" if run.status == "running" else "bad"))
    elif findings or reason:
        stopped = f"Stopped before its last step: {reason}." if reason else ""
        cards.append(callout("Findings", stopped, [str(f) for f in findings], ""))
    if problem:
        cards.append(callout("No predictions are shown", problem, [], ""))
    return f'<section class="stack" id="findings">{"".join(cards)}</section>' if cards else ""


def parts(run: Run) -> str:
    """Return the four parts in words."""
    cards = "".join(_part(part) for part in four_parts(run.recipe, run.result))
    return f'<section id="parts"><h2>The four parts</h2><div class="grid">{cards}</div></section>'


def scores(run: Run) -> str:
    """Return a table of metrics by split, and one over the folds it is one of; empty if there is neither."""
    folds = find_folds(run.folder)
    if folds is None and not any(run.metrics.values()):
        return ""
    tables = _scores_table(run.metrics, {}, run.headline) if any(run.metrics.values()) else ""
    if folds is not None:
        words = folds.says[:1].upper() + folds.says[1:]
        tables += f'<p class="muted">{escape(words)}.</p>{_scores_table(folds.mean, folds.spread, run.headline)}'
    return f'<section id="scores"><h2>How well it does</h2><div class="stack">{tables}</div></section>'


def notes(run: Run) -> str:
    """Return every decision about the data, and the data's licence."""
    config: Any = run.recipe.data
    facts = [
        (word, str(getattr(config, name, "") or ""))
        for word, name in (("From", "origin"), ("Licence", "licence"))
        if getattr(config, name, None)
    ]
    listed = plain_list(str(note) for note in run.result.get("notes", []))
    decisions = listed or "<p>The record holds no decision about the data.</p>"
    about = f"<dl>{pairs(facts)}</dl>" if facts else ""
    return f'<section id="data"><h2>About the data</h2><div class="card stack">{decisions}{about}</div></section>'


def reproduce(run: Run) -> str:
    """Return the command that does it again and the resolved recipe."""
    shell = command(run.folder.identity.recipe, run.recipe)
    first = copyable("command", shell, "wrap")
    recipe = copyable("recipe", run.recipe.to_yaml().rstrip(), "")
    words = "The recipe below, saved as <code>recipe.yaml</code>, gives the same run whatever becomes of the defaults."
    inside = (
        f'<div>{first}</div><p class="muted">{words}</p><details><summary>The whole recipe</summary>{recipe}</details>'
    )
    return f'<section id="reproduce"><h2>Do it again</h2><div class="card stack">{inside}</div></section>'


def _scores_table(scores: Scores, spread: Scores, headline: str) -> str:
    splits = [s for s in SPLITS if scores.get(s)]
    names = list(dict.fromkeys(name for split in splits for name in scores[split]))
    names.sort(key=lambda name: name != headline)
    head = "".join(f'<th scope="col">{split}</th>' for split in splits)
    rows = "".join(
        f"<tr{' class=headline' if name == headline else ''}><th scope='row'>{escape(_measured(name))}</th>"
        + "".join(f"<td>{_with_spread(name, scores[s].get(name), spread.get(s, {}).get(name))}</td>" for s in splits)
        + "</tr>"
        for name in names
    )
    head = f'<thead><tr><th scope="col">metric</th>{head}</tr></thead>'
    return f'<div class="card scroll"><table>{head}<tbody>{rows}</tbody></table></div>'


def _with_spread(name: str, value: float | None, deviation: float | None) -> str:
    return metric(name, value) + ("" if deviation is None else f" ± {metric(name, deviation)}")


def _against(run: Run, value: float) -> str:
    expected = run.recipe.expected
    if expected is None or expected.metric != run.headline:
        return ""
    said = []
    if expected.paper is not None:
        said.append(f"the paper has {metric(expected.metric, expected.paper)}")
    if expected.ours is not None:
        spread = f" ± {metric(expected.metric, expected.spread)}" if expected.spread is not None else ""
        seeds = f" over {expected.seeds} seeds" if expected.seeds else ""
        whose = "expected" if is_unchanged(run.folder.identity.recipe, run.recipe) else "the unchanged recipe reaches"
        said.append(f"{whose} {metric(expected.metric, expected.ours)}{spread}{seeds}")
    return "; " + ", ".join(said) if said else ""


def _part(part: PartInWords) -> str:
    known = f"<dl>{pairs(part.choices)}</dl>" if part.choices else ""
    return (
        f'<div class="card part"><span class="kind">{escape(part.kind)}</span><h3>{escape(plain(part.name))}</h3>'
        f'<p class="muted">{escape(part.summary)}</p>{known}</div>'
    )


def _linked(text: str, url: str | None) -> str:
    """Return text, with a plain link where the address is a web or arXiv address and nothing else."""
    if url and url.lower().startswith("arxiv:"):
        url = "https://arxiv.org/abs/" + url[6:]
    if not url or not url.startswith(("https://", "http://")):
        return escape(text)
    return f'<a href="{escape(url)}" rel="noreferrer">{escape(text)}</a>'


def _measured(name: str) -> str:
    """Return a metric's name, with its unit where the number does not show it."""
    return plain(name) if name in SHARES else quantity(name)
