"""The page of what is looked at in trained networks: figures, numbers, and how they were made.

Checked by: names that are HTML; the page loads nothing.
"""

from collections.abc import Sequence
from html import escape

from fourfold.report.document import to_document
from fourfold.report.drawing import Drawn
from fourfold.report.elements import copyable, figures, footer, pairs, tile


def view_page(
    kind: str,
    title: str,
    heading: str,
    drawn: Sequence[Drawn],
    tiles: Sequence[tuple[str, str]],
    made: str,
    facts: Sequence[tuple[str, str]],
    command: str,
    version: str,
) -> str:
    """Return the page.

    Args:
        kind: what is looked at, such as `loss landscape`.
        title: the runs' names.
        heading: over the figures.
        drawn: the figures.
        tiles: numbers and what they are.
        made: how, in sentences.
        facts: words and values on how it was made.
        command: what makes it again.
        version: Fourfold's.
    """
    boxes = "".join(tile(value, words) for value, words in tiles)
    how = f"<p>{escape(made)}</p><dl>{pairs(facts)}</dl>"
    body = [
        f'<header><span class="kind">{escape(kind)}</span><h1>{escape(title)}</h1></header>',
        f'<section class="tiles">{boxes}</section>' if boxes else "",
        figures(heading, "figures", drawn),
        f'<section><h2>How it was made</h2><div class="card stack">{how}</div></section>',
        f"<section><h2>Do it again</h2>{copyable('again', command, 'wrap')}</section>",
        footer(version),
    ]
    return to_document(f"{title} · {kind} · Fourfold", body)
