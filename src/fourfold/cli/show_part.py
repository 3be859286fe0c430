"""A part for a person: what it is, each field, and a model's size."""

import sys
from typing import TYPE_CHECKING, Any

from fourfold.cli.output import console, print_json
from fourfold.core.errors import InputError
from fourfold.core.overrides import apply_overrides, parse_overrides
from fourfold.run.parts import TABLES

if TYPE_CHECKING:
    from fourfold.core.config import PartConfig
    from fourfold.run.inspect import ModelFacts


def show_part(kinds: list[str], name: str, overrides: list[str], *, json: bool) -> None:
    """Print a part of each table that has it; with JSON, only one can be meant."""
    if len(kinds) > 1 and json:
        raise InputError(f"'{name}' is several parts; say which: {', '.join(f'{kind}.{name}' for kind in kinds)}")
    for kind in kinds:
        changes = {_own_field(kind, key): value for key, value in parse_overrides(overrides).items()}
        _show_one(kind, name, changes, json)


def _own_field(kind: str, key: str) -> str:
    """Return `widths` for both `widths` and `model.widths`."""
    return key.removeprefix(f"{kind}.")


def _show_one(kind: str, name: str, changes: dict[str, Any], json: bool) -> None:
    from fourfold.run.inspect import describe_fields, measure_part

    entry, config = TABLES[kind][name], TABLES[kind].config_class(name)
    fields = describe_fields(config)
    preset = dict(entry.preset)
    facts: ModelFacts | None = None
    if kind == "model":
        facts = measure_part(TABLES[kind].parse(apply_overrides({"name": name}, changes), kind))
    if json:
        data: dict[str, Any] = {"name": name, "kind": kind, "summary": entry.summary, "preset": preset}
        data["fields"] = {field.name: field._asdict() for field in fields}
        data |= _provenance(config)
        if facts is not None:
            data |= {"params": facts.params, "flops": facts.flops, "input": facts.input, "outputs": facts.outputs}
        print_json(data)
        return
    from rich.markup import escape
    from rich.table import Table

    out = console()
    out.print(f"[bold]{escape(kind)} {escape(name)}[/]  {escape(entry.summary)}")
    for line in _about(config):
        out.print(f"[dim]{escape(line)}[/]")
    for word, text in _provenance(config).items():
        out.print(f"{word}: {escape(text)}")
    if fields:
        table = Table("field", "type", "default", "range", "what it is", box=None, pad_edge=False, header_style="bold")
        for field in fields:
            default = "[yellow]required[/]" if field.required else escape(_shown(preset.get(field.name, field.default)))
            table.add_row(field.name, escape(field.type), default, escape(field.range), escape(field.description))
        out.print(table)
    else:
        out.print("no fields: there is nothing to choose")
    if facts is not None:
        _print_size(out, facts)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(getattr(value, "name", value))


def _provenance(config: "type[PartConfig]") -> dict[str, str]:
    """Return the licence and origin that a data source states."""
    return {word: str(getattr(config, word)) for word in ("licence", "origin") if hasattr(config, word)}


def _about(config: "type[PartConfig]") -> list[str]:
    """Return the paper, source and departures that the part's module states, a paragraph a line."""
    document = (sys.modules[config.__module__].__doc__ or "").strip().splitlines()
    lines: list[str] = []
    for line in document:
        if line.startswith(("Paper:", "Papers:", "Source:", "Sources:", "Departures:")):
            lines.append(line.strip())
        elif not line.strip() or line.split(":")[0] in ("Checked by", "Licence"):
            lines.append("")
        elif lines and line.startswith("- "):
            lines.append(f"  {line.strip()}")
        elif lines and lines[-1]:
            lines[-1] += " " + line.strip()
    return [line for line in lines if line]


def _print_size(out: Any, facts: "ModelFacts") -> None:
    from rich.markup import escape
    from rich.table import Table

    out.print(f"at {escape(facts.input)} and {facts.outputs} outputs, its paper's:")
    if facts.layers:
        table = Table("  layer", "kind", "parameters", box=None, pad_edge=False, header_style="bold")
        table.columns[2].justify = "right"
        for name, layer, params in facts.layers:
            table.add_row(f"  {name}", layer, f"{params:,}" if params else "")
        out.print(table)
    flops = (
        f"{facts.flops:,} FLOPs forward an example (2 x multiply-adds)" if facts.flops is not None else "FLOPs unknown"
    )
    out.print(f"[bold]{facts.size}[/], {flops}")
