"""The ledger: every claim that was judged, its verdict and its grounds, made from the records and from nothing else.

`docs/claims/*.json` are the records, `docs/claims.md` and `docs/claims.html` what this makes of them. A claim that
failed stays, with the reason thought likely.

Checked by: the ledger in the repository is what this makes of the records beside it.
"""

import statistics
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from fourfold.claims import CLAIMS
from fourfold.claims.record import read_records
from fourfold.core.errors import InputError
from fourfold.records.atomic import write_atomically
from fourfold.report.claim_words import arm_words, comparison_words, effect_words, seeds_words, setting_words
from fourfold.report.document import to_document, write_document
from fourfold.report.elements import pairs, plain_list, tile
from fourfold.report.numbers import duration, number
from fourfold.report.strips import draw_strips

VERDICTS = ("holds", "fails", "undecided")
_PILLS = {"holds": "done", "fails": "failed", "undecided": "interrupted"}
_ABOUT = (
    "Each claim below was said by somebody; here it was tested under a rule that was written beforehand. "
    "Where an earlier rule or design gave way to it after a result was seen, the claim's file says so, and whether it "
    "was run anew or the same runs were judged again. "
    "Experiments at desk size can support a paper's direction, never its numbers. "
    "A p-value is how often scores at least this far from where the rule changes its mind would come about, if in "
    "truth they lay there and chance alone decided on which side each seed falls; it is corrected where a rule has "
    "several comparisons. What is computed, and not drawn, has none."
)

Record = Mapping[str, Any]


def write_ledger(folder: Path) -> list[Path]:
    """Make the ledger of a folder of records beside it, `<folder>.md` and `<folder>.html`; return both paths.

    Raises:
        InputError: a record is damaged, or the ledger cannot be written.
    """
    folder = folder.resolve()
    records = ordered(read_records(folder))
    text, page = folder.with_name(f"{folder.name}.md"), folder.with_name(f"{folder.name}.html")
    try:
        write_atomically(text, to_markdown(records).encode("utf-8"))
    except OSError as error:
        raise InputError(f"{text}: {(error.strerror or str(error)).lower()}") from None
    return [text, write_document(to_page(records), page)]


def ordered(records: Sequence[Record]) -> list[Record]:
    """Return the records in the order of the table of claims; those of claims that are gone come last."""
    place = {name: i for i, name in enumerate(CLAIMS)}
    return sorted(records, key=lambda record: (place.get(record["id"], len(place)), record["id"]))


def to_markdown(records: Sequence[Record]) -> str:
    """Return the ledger as Markdown."""
    lines = [
        "# The ledger of claims",
        "",
        "<!-- Made from claims/*.json by `fourfold claim ID --full --record docs/claims`; edits are overwritten. -->",
        "",
        f"{_ABOUT} {_count(records)}",
        "",
        "| claim | verdict | effect [95 % interval] | seeds | said by |",
        "|---|---|---|---|---|",
    ]
    for record in records:
        cells = (
            f"[{record['id']}](#{record['id']})",
            f"**{record['verdict']}**",
            effect_words(record),
            seeds_words(record),
            record["source"],
        )
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    for record in records:
        lines += ["", f"## {record['id']}", "", f"**{record['verdict']}** – {record['says']}", ""]
        lines += [f"- {word}: {text}" for word, text in _facts(record)]
        if record.get("arms"):
            lines += ["", "| arm | mean | least | most | seeds | what it is |", "|---|---|---|---|---|---|"]
            lines += ["| " + " | ".join(_cell(cell) for cell in _arm(record, arm)) + " |" for arm in record["arms"]]
        lines += ["", *(f"- {line}" for line in _grounds(record))]
    return "\n".join(lines) + "\n"


def to_page(records: Sequence[Record]) -> str:
    """Return the ledger as an HTML page, whole in one file."""
    head = "".join(f'<th scope="col">{title}</th>' for title in ("claim", "verdict", "effect [95 % interval]", "seeds"))
    rows = "".join(
        f'<tr><th scope="row"><a href="#{escape(record["id"])}">{escape(record["id"])}</a><br>'
        f"{escape(record['says'])}</th>"
        f"<td>{_pill(record)}</td><td>{escape(effect_words(record))}</td><td>{escape(seeds_words(record))}</td></tr>"
        for record in records
    )
    counts = "".join(tile(str(_counted(records, verdict)), verdict) for verdict in VERDICTS)
    body = [
        f'<header><h1>The ledger of claims</h1><p class="muted">{escape(_ABOUT)}</p></header>',
        f'<section class="tiles three">{counts}</section>',
        f'<section><div class="card scroll"><table class="claims"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>",
        *(_section(record) for record in records),
        "<footer>Made by Fourfold from the records of its claims. This page is one file and loads nothing.</footer>",
    ]
    return to_document("The ledger of claims · Fourfold", body)


def _section(record: Record) -> str:
    arms = ""
    if record.get("arms"):
        head = "".join(f'<th scope="col">{t}</th>' for t in ("arm", "mean", "least", "most", "seeds"))
        rows = "".join(
            f'<tr><th scope="row">{escape(cells[0])}<br><span class="muted">{escape(cells[-1])}</span></th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:-1])
            + "</tr>"
            for cells in [_arm(record, arm) for arm in record["arms"]]
        )
        table = f'<table class="arms"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        arms = f'<div class="scroll">{table}</div>' + _strips(record)
    return (
        f'<section id="{escape(record["id"])}"><h2>{escape(record["id"])} {_pill(record)}</h2>'
        f'<div class="card stack"><p>{escape(record["says"])}</p><dl>{pairs(_facts(record))}</dl>{arms}'
        f"{plain_list(_grounds(record))}</div></section>"
    )


def _strips(record: Record) -> str:
    """Return a figure of the scores, and one of whatever else was read of every run."""
    scores = {arm["name"]: list(arm["scores"].values()) for arm in record["arms"]}
    beside = record["asked"].get("beside", {})
    figures = [({n: x for n, x in scores.items() if n.rpartition(": ")[2] not in beside}, record["asked"]["measure"])]
    figures += [({n: x for n, x in scores.items() if n.endswith(f": {w}")}, words) for w, words in beside.items()]
    return "".join(draw_strips(each, words) for each, words in figures)


def _facts(record: Record) -> list[tuple[str, str]]:
    """Return where the claim comes from, how it was tested and on what, as (word, text)."""
    environment = record["environment"]
    packages, threads = environment.get("packages", {}), environment.get("threads")
    machine = ", ".join(
        str(fact)
        for fact in (
            environment.get("cpu"),
            f"{threads} thread{'' if threads == 1 else 's'}",
            f"Python {environment.get('python')}",
            f"torch {packages.get('torch')}",
            f"Fourfold {packages.get('fourfold')}",
        )
        if fact
    )
    facts = [
        ("said by", record["source"]),
        *setting_words(record["asked"]),
        ("scaled down from", record["scaled_from"]),
        ("likely reason", record["likely_reason"]),
        ("run", f"{record['size']}, {record['date']}, {duration(record['seconds'])} of computing, {machine}"),
    ]
    return [fact for fact in facts if fact[1]]


def _grounds(record: Record) -> list[str]:
    """Return what the verdict rests on, in lines."""
    lines = [str(line) for line in record.get("evidence", [])]
    lines += [comparison_words(each) for each in record.get("comparisons", [])]
    for arm in record.get("arms", []):
        if arm.get("not_done"):
            ended = ", ".join(f"{status} at seed {seed}" for seed, status in arm["not_done"].items())
            lines.append(f"{arm['name']}: {ended}")
    return lines + [f"unfair: {sentence}" for sentence in record.get("unfair", [])]


def _arm(record: Record, arm: Mapping[str, Any]) -> list[str]:
    """Return an arm's row."""
    known = [score for score in arm["scores"].values() if score is not None]
    numbers = [number(x) for x in (statistics.fmean(known), min(known), max(known))] if known else ["–", "–", "–"]
    seeds = f"{len(known)} of {len(arm['scores'])}"
    return [arm["name"], *numbers, seeds, arm_words(record["asked"], arm["name"])]


def _count(records: Sequence[Record]) -> str:
    return "Of {} claims {} hold, {} fail, {} are undecided.".format(
        len(records), *(_counted(records, verdict) for verdict in VERDICTS)
    )


def _counted(records: Sequence[Record], verdict: str) -> int:
    return sum(record["verdict"] == verdict for record in records)


def _pill(record: Record) -> str:
    return f'<span class="pill {_PILLS[record["verdict"]]}">{record["verdict"]}</span>'


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
