"""A run for a person: what was trained, on what, and how it ended."""

from typing import Any

from fourfold.cli.output import console, duration, print_json
from fourfold.cli.summary import metrics_table
from fourfold.core.document import to_yaml
from fourfold.core.recipe import PARTS
from fourfold.records.folder import RunFolder


def show_run(folder: RunFolder, *, yaml: bool, json: bool) -> None:
    """Print a recorded run; reads its files only."""
    recipe, environment = folder.recipe(), folder.environment()
    result: dict[str, Any] = folder.result() or {}
    if json:
        facts = {"run_id": folder.run_id, "folder": str(folder.path.resolve()), "recipe": folder.identity.recipe}
        state = {"seed": folder.identity.seed, "status": folder.status}
        print_json({**result, **facts, **state, "settings": recipe, "environment": environment})
        return
    if yaml:
        print(to_yaml(recipe), end="")
        return
    from rich.markup import escape

    out = console()
    status = folder.status
    out.print(
        f"[bold]{escape(folder.run_id)}[/]  {status}, seed {folder.identity.seed}, "
        f"made {folder.identity.created[:16]} UTC"
    )
    for part in PARTS:
        fields = dict(recipe.get(part) or {})
        name = fields.pop("name", "?")
        inner = fields.get("optimizer")
        words = f"{name}, {inner['name']} at lr {inner.get('lr')}" if isinstance(inner, dict) else name
        out.print(f"  {part:10}{escape(str(words))}")
    if result.get("metrics"):
        out.print(metrics_table(result["metrics"], {}, str(result.get("headline", ""))))
    if result:
        reason = f" ({escape(str(result['stopped_because']))})" if result.get("stopped_because") else ""
        steps = f"{result.get('steps', 0):,} of {result.get('planned_steps', 0):,} steps"
        out.print(f"{steps}{reason} in {duration(result.get('seconds', 0.0))}, {result.get('params', 0):,} parameters")
    for finding in result.get("findings", []):
        out.print(f"[yellow]![/] {escape(finding)}")
    for line in result.get("notes", []):
        out.print(f"  · {escape(line)}")
    packages = environment.get("packages", {})
    where = f"python {environment.get('python')}, torch {packages.get('torch')}, {environment.get('device')}"
    out.print(f"[dim]{escape(where)}, {escape(str(environment.get('host')))}[/]")
    out.print(f"folder: {escape(str(folder.path.resolve()))}")
    more = "resume" if status == "interrupted" else "report"
    out.print(f"next:   fourfold {more} {escape(folder.run_id)}")
