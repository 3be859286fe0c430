"""The sections of a page, each a piece of HTML; whatever comes from a run goes through `escape`."""

import shlex
from html import escape
from typing import Any

from fourfold.report.drawing import Drawn
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
        boxes.append(_tile(metric(headline, value), f"{split} {_measured(headline)}{_against(run, value)}", "headline"))
    planned = int(result.get("planned_steps") or 0)
    short = f" of {count(planned)}" if planned > result["steps"] else ""
    boxes.append(_tile(count(result["steps"]), f"steps{short}"))
    if result["params"]:
        boxes.append(_tile(count(result["params"]), "parameters"))
    if result["seconds"]:
        boxes.append(_tile(duration(result["seconds"]), "of training"))
        boxes.append(_tile(count(result["examples_per_second"]), "examples a second"))
    return f'<section class="tiles" id="result">{"".join(boxes)}</section>'


def ending(run: Run, problem: str) -> str:
    """Return why it stopped, if it stopped early, and what the algorithm found."""
    cards, reason, findings = [], run.result.get("stopped_because"), run.findings
    if run.status != "done":
        said = [str(f) for f in findings] or ([f"Reason: {reason}"] if reason else [])
        if run.status == "interrupted":
            again = _copyable("resume", shlex.join(["fourfold", "resume", run.run_id]), "wrap")
            cards.append(_callout(f"Interrupted ({reason or 'killed'})", _ENDED["interrupted"], [], "", again))
        else:
            title = "Still running" if run.status == "running" else "Why it stopped"
            cards.append(_callout(title, _ENDED.get(run.status, ""), said, "" if run.status == "running" else "bad"))
    elif findings or reason:
        stopped = f"Stopped before its last step: {reason}." if reason else ""
        cards.append(_callout("Findings", stopped, [str(f) for f in findings], ""))
    if problem:
        cards.append(_callout("No predictions are shown", problem, [], ""))
    return f'<section class="stack" id="findings">{"".join(cards)}</section>' if cards else ""


def parts(run: Run) -> str:
    """Return the four parts in words."""
    cards = "".join(_part(part) for part in four_parts(run.recipe, run.result))
    return f'<section id="parts"><h2>The four parts</h2><div class="grid">{cards}</div></section>'


def scores(run: Run) -> str:
    """Return a table of metrics by split; empty for a run that was not evaluated."""
    splits = [s for s in SPLITS if run.metrics.get(s)]
    if not splits:
        return ""
    names = list(dict.fromkeys(name for split in splits for name in run.metrics[split]))
    headline = run.headline
    names.sort(key=lambda name: name != headline)
    head = "".join(f'<th scope="col">{split}</th>' for split in splits)
    rows = "".join(
        f"<tr{' class=headline' if name == headline else ''}><th scope='row'>{escape(_measured(name))}</th>"
        + "".join(f"<td>{metric(name, run.metrics[s].get(name))}</td>" for s in splits)
        + "</tr>"
        for name in names
    )
    head = f'<thead><tr><th scope="col">metric</th>{head}</tr></thead>'
    table = f'<div class="card scroll"><table>{head}<tbody>{rows}</tbody></table></div>'
    return f'<section id="scores"><h2>How well it does</h2>{table}</section>'


def figures(title: str, identity: str, drawn: list[Drawn]) -> str:
    """Return a section of figures, empty if there are none."""
    if not drawn:
        return ""
    cards = "".join(f'<div class="card">{each.to_html()}</div>' for each in drawn)
    several = len(drawn) > 1 and max(each.figure.get_figwidth() for each in drawn) < 6
    grid = "grid wide" if several else "stack"
    return f'<section id="{identity}"><h2>{escape(title)}</h2><div class="{grid}">{cards}</div></section>'


def notes(run: Run) -> str:
    """Return every decision about the data, and the data's licence."""
    config: Any = run.recipe.data
    facts = [
        (word, str(getattr(config, name, "") or ""))
        for word, name in (("From", "origin"), ("Licence", "licence"))
        if getattr(config, name, None)
    ]
    listed = "".join(f"<li>{escape(str(note))}</li>" for note in run.result.get("notes", []))
    decisions = f'<ul class="plain">{listed}</ul>' if listed else "<p>The record holds no decision about the data.</p>"
    about = f"<dl>{_pairs(facts)}</dl>" if facts else ""
    return f'<section id="data"><h2>About the data</h2><div class="card stack">{decisions}{about}</div></section>'


def reproduce(run: Run) -> str:
    """Return the command that does it again and the resolved recipe."""
    shell = command(run.folder.identity.recipe, run.recipe)
    first = _copyable("command", shell, "wrap")
    recipe = _copyable("recipe", run.recipe.to_yaml().rstrip(), "")
    words = "The recipe below, saved as <code>recipe.yaml</code>, gives the same run whatever becomes of the defaults."
    inside = (
        f'<div>{first}</div><p class="muted">{words}</p><details><summary>The whole recipe</summary>{recipe}</details>'
    )
    return f'<section id="reproduce"><h2>Do it again</h2><div class="card stack">{inside}</div></section>'


def environment(run: Run) -> str:
    """Return what it ran on."""
    facts = dict(run.folder.environment())
    packages = facts.pop("packages", {})
    facts.pop("command", None)
    shown = [(_plain(str(key)), str(value)) for key, value in facts.items() if value is not None]
    if isinstance(packages, dict):
        shown.append(("packages", ", ".join(f"{name} {version}" for name, version in packages.items())))
    return (
        f'<section id="environment"><h2>What it ran on</h2><div class="card"><dl>{_pairs(shown)}</dl></div></section>'
    )


def footer(run: Run) -> str:
    """Return who wrote the page."""
    version = run.folder.environment().get("packages", {}).get("fourfold", "")
    return f"<footer>Written by Fourfold {escape(str(version))}. This page is one file and loads nothing.</footer>"


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


def _tile(value: str, words: str, kind: str = "") -> str:
    return f'<div class="card tile {kind}"><b>{escape(value)}</b>{escape(words)}</div>'


def _part(part: PartInWords) -> str:
    known = f"<dl>{_pairs(part.choices)}</dl>" if part.choices else ""
    return (
        f'<div class="card part"><span class="kind">{escape(part.kind)}</span><h3>{escape(_plain(part.name))}</h3>'
        f'<p class="muted">{escape(part.summary)}</p>{known}</div>'
    )


def _callout(title: str, says: str, items: list[str], kind: str, more: str = "") -> str:
    listed = f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>" if items else ""
    words = f"<p>{escape(says)}</p>" if says else ""
    return f'<div class="card note {kind}"><h3>{escape(title)}</h3>{words}{listed}{more}</div>'


def _copyable(identity: str, text: str, kind: str) -> str:
    button = f'<button type="button" data-copy="{identity}" hidden>Copy</button>'
    return f'<div class="copyable"><pre class="{kind}" id="{identity}" tabindex="0">{escape(text)}</pre>{button}</div>'


def _linked(text: str, url: str | None) -> str:
    """Return text, with a plain link where the address is a web or arXiv address and nothing else."""
    if url and url.lower().startswith("arxiv:"):
        url = "https://arxiv.org/abs/" + url[6:]
    if not url or not url.startswith(("https://", "http://")):
        return escape(text)
    return f'<a href="{escape(url)}" rel="noreferrer">{escape(text)}</a>'


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"<dt>{escape(word)}</dt><dd>{escape(value)}</dd>" for word, value in pairs)


def _measured(name: str) -> str:
    """Return a metric's name, with its unit where the number does not show it."""
    return _plain(name) if name in SHARES else quantity(name)


def _plain(name: str) -> str:
    return name.replace("_", " ")
