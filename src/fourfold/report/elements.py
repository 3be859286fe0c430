"""What pages are made of, each a piece of HTML; every text that is handed in is escaped here.

Checked by: the pages that are made of them, and the names on those that are HTML themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from fourfold.report.drawing import Drawn


def figures(title: str, identity: str, drawn: Sequence[Drawn]) -> str:
    """Return a section of figures, empty if there are none."""
    return f'<section id="{identity}"><h2>{escape(title)}</h2>{figure_cards(drawn)}</section>' if drawn else ""


def figure_cards(drawn: Sequence[Drawn]) -> str:
    """Return a card for each figure, side by side where they are narrow; empty if there are none."""
    if not drawn:
        return ""
    cards = "".join(f'<div class="card">{each.to_html()}</div>' for each in drawn)
    several = len(drawn) > 1 and max(each.figure.get_figwidth() for each in drawn) < 6
    return f'<div class="{"grid wide" if several else "stack"}">{cards}</div>'


def tile(value: str, words: str, kind: str = "") -> str:
    """Return a number and what it is."""
    return f'<div class="card tile {kind}"><b>{escape(value)}</b>{escape(words)}</div>'


def callout(title: str, says: str, items: Iterable[str], kind: str, more: str = "") -> str:
    """Return a card that stands out; `more` is HTML."""
    listed = plain_list(items, "")
    words = f"<p>{escape(says)}</p>" if says else ""
    return f'<div class="card note {kind}"><h3>{escape(title)}</h3>{words}{listed}{more}</div>'


def plain_list(items: Iterable[str], kind: str = "plain") -> str:
    """Return texts as a list, empty if there are none."""
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    opening = f'<ul class="{kind}">' if kind else "<ul>"
    return f"{opening}{listed}</ul>" if listed else ""


def copyable(identity: str, text: str, kind: str) -> str:
    """Return text as it is to be typed, with a button that copies it."""
    button = f'<button type="button" data-copy="{identity}" hidden>Copy</button>'
    return f'<div class="copyable"><pre class="{kind}" id="{identity}" tabindex="0">{escape(text)}</pre>{button}</div>'


def pairs(facts: Iterable[tuple[str, str]]) -> str:
    """Return words and their values, for a `<dl>`."""
    return "".join(f"<dt>{escape(word)}</dt><dd>{escape(value)}</dd>" for word, value in facts)


def plain(name: str) -> str:
    """Return a name as words."""
    return name.replace("_", " ")


def environment(facts: Mapping[str, Any], title: str = "What it ran on") -> str:
    """Return what a run ran on, from its environment.json."""
    known = {key: value for key, value in facts.items() if key not in ("packages", "command") and value is not None}
    shown = [(plain(str(key)), str(value)) for key, value in known.items()]
    packages = facts.get("packages", {})
    if isinstance(packages, dict):
        shown.append(("packages", ", ".join(f"{name} {version}" for name, version in packages.items())))
    return (
        f'<section id="environment"><h2>{escape(title)}</h2><div class="card"><dl>{pairs(shown)}</dl></div></section>'
    )


def footer(version: str) -> str:
    """Return who wrote the page."""
    return f"<footer>Written by Fourfold {escape(version)}. This page is one file and loads nothing.</footer>"
