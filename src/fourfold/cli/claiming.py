"""`fourfold claim`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fourfold.cli.options import JsonOption, OnOption, QuietOption, WorkspaceOption, check_place, load_parts
from fourfold.cli.output import note, print_json
from fourfold.core.errors import DONE, INTERRUPTED, InputError
from fourfold.records.location import check_workspace, workspace_path

if TYPE_CHECKING:
    from fourfold.claims.base import Name


def claim(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Claims, as fourfold list claims names them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every claim there is.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer seeds and mostly shorter runs: seconds a claim. The default.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="What is published: minutes a claim.")] = False,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="DIR", help="Also keep each verdict as DIR/ID.json, for the ledger."),
    ] = None,
    on: OnOption = "local",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Test what the literature says: each claim ends as holds, fails or undecided.

    Runs that are finished are not run again: the same command goes on where it was stopped.

    \b
    Examples:
      fourfold list claims
      fourfold show xor-needs-depth                          what was said, and the rule that decides
      fourfold claim xor-needs-depth
      fourfold claim --all --quick
      fourfold claim bias-correction --full --record docs/claims

    Exit codes: 0 done, whatever the verdict; 1 failed, 2 bad input (nothing is run), 130 interrupted.
    """
    from fourfold.claims import CLAIMS

    chosen = _chosen(ids or [], every)
    if quick and full:
        raise InputError("--quick and --full: one of the two")
    if record is not None and not full:
        raise InputError("--record: only what --full finds is published; add --full")
    if record is not None and on != "local":
        raise InputError(f"--record: a record names one machine, so its cells run here; leave out --on {on}")
    size: Name = "full" if full else "quick"
    claims = [CLAIMS.load(name) for name in chosen]
    place = workspace_path(workspace)
    check_place(on)
    check_workspace(place)
    if on == "local":
        from fourfold.study.local_pool import warm_up

        warm_up()  # it loads torch in a process of its own, while this one does
    load_parts(None)
    from fourfold.claims.engine import run_claim
    from fourfold.claims.record import write_record
    from fourfold.cli.study_progress import watched
    from fourfold.study.compare import place_called

    records: list[dict[str, Any]] = []
    where = place_called(on)
    for each in claims:
        if not quiet:
            note(f"{each.id} ({size})")
        found = watched(partial(run_claim, each, size, place, place=where), quiet=quiet)
        if found is None:
            return INTERRUPTED
        if record is not None:
            write_record(found, record / f"{each.id}.json")
        records.append(found)
    if record is not None:
        from fourfold.report.ledger import write_ledger

        write_ledger(record)
    if not quiet:
        from fourfold.cli.claim_table import print_claims

        print_claims(records)
    if json:
        print_json({"claims": records})
    return DONE


def _chosen(ids: list[str], every: bool) -> list[str]:
    """Return the claims to judge, each once, in the table's order.

    Raises:
        InputError: none or an unknown one was named, or --all and others.
    """
    from fourfold.claims import CLAIMS

    if every and ids:
        raise InputError(f"--all: every claim, so '{ids[0]}' need not be named")
    if not every and not ids:
        raise InputError("which claim? fourfold list claims names them, and --all takes every one")
    for name in ids:
        CLAIMS.require(name)
    return [name for name in CLAIMS if every or name in ids]
