"""Claims in the terminal: verdicts in a table, and one claim explained."""

from collections.abc import Mapping, Sequence
from typing import Any

from fourfold.cli.output import console, hanging, print_json
from fourfold.report.claim_words import arm_words, comparison_words, effect_words, seeds_words, setting_words
from fourfold.report.numbers import duration

STYLES = {"holds": "green", "fails": "red", "undecided": "yellow"}


def print_claims(records: Sequence[Mapping[str, Any]]) -> None:
    """Print a line a claim, then what each verdict rests on."""
    from rich.markup import escape
    from rich.table import Table

    out = console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("claim", "verdict", "effect [95 % interval]", "seeds", "computing"):
        table.add_column(title)
    for record in records:
        verdict = f"[{STYLES[record['verdict']]}]{record['verdict']}[/]"
        table.add_row(
            record["id"], verdict, escape(effect_words(record)), seeds_words(record), duration(record["seconds"])
        )
    out.print(table)
    for record in records:
        _print_grounds(record)


def _print_grounds(record: Mapping[str, Any]) -> None:
    out = console()
    out.print(f"\n[bold]{record['id']}[/]: [{STYLES[record['verdict']]}]{record['verdict']}[/]", end="")
    out.print(f"  {record['says']}", markup=False)
    lines = list(record.get("evidence", [])) + [comparison_words(each) for each in record.get("comparisons", [])]
    for line in lines:
        for piece in hanging(f"  · {line}"):
            out.print(piece, markup=False)
    for arm in record.get("arms", []):
        if arm.get("not_done"):
            ended = ", ".join(f"{status} at seed {seed}" for seed, status in arm["not_done"].items())
            out.print(f"  ! {arm['name']}: {ended}", markup=False, style="yellow")
    for sentence in record.get("unfair", []):
        out.print(f"  ! unfair: {sentence}", markup=False, style="yellow")
    if record["likely_reason"]:
        for piece in hanging(f"  · why, probably: {record['likely_reason']}"):
            out.print(piece, markup=False)


def show_claim(name: str, *, json: bool) -> None:
    """Print what was said and by whom, how it is tested, and the rule that decides."""
    from fourfold.claims import CLAIMS

    claim = CLAIMS.load(name)
    quick, full = claim.asked("quick"), claim.asked("full")
    facts = {"says": claim.says, "source": claim.source, "scaled down from": claim.scaled_from}
    if json:
        print_json({"name": name, "kind": claim.kind, **facts, "quick": quick, "full": full})
        return
    from rich.markup import escape

    out = console()
    out.print(f"[bold]claim {escape(name)}[/]  {claim.kind}")
    lines = [*facts.items(), *setting_words(full)]
    lines += [(f"arm {arm}", arm_words(full, arm)) for arm in full.get("arms", {})]
    lines += [("seeds", f"{full['seeds']}, with --quick {quick['seeds']}")] if "seeds" in full else []
    for word, text in lines:
        for piece in hanging(f"{word}: {text}") if text else ():
            out.print(piece, markup=False)
    out.print(f"[dim]fourfold claim {escape(name)} --quick|--full[/]")
