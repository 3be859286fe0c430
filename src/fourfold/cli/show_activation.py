"""Activation functions for a person: value, derivative, where a unit saturates, and a figure of them."""

from pathlib import Path
from typing import Any

from fourfold.cli.output import console, note, print_json

NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "softmax")  # known before torch is imported
ALL = "activations"


def show_activation(name: str, *, png: Path | None, json: bool) -> None:
    """Print one function, or all of them, and draw them into a file if one is given."""
    from fourfold.report.activations import describe, draw_activations

    names = NAMES if name == ALL else (name,)
    written = None
    if png is not None:
        from fourfold.report.drawing import write_png

        written = write_png(draw_activations(names), png)  # first: a command that is refused prints nothing else
    if json:
        facts = {each: describe(each)._asdict() for each in names}
        print_json({"kind": "activation", "functions": facts} if name == ALL else {"kind": "activation", **facts[name]})
    else:
        _print([describe(each) for each in names])
    if written is not None:
        note(f"figure: {written}")


def _print(described: list[Any]) -> None:
    from fourfold.nn.activations import SATURATED
    from fourfold.report.activations import in_words

    out = console()
    for each in described:
        out.print(f"[bold]activation {each.name}[/]")
        out.print(f"  value       {each.value}", markup=False)
        out.print(f"  derivative  {each.derivative}; at most {each.steepest:.4g}", markup=False)
        out.print(f"  saturated   {in_words(each.saturated)}", markup=False)
    out.print(f"[dim]saturated: |derivative| < {SATURATED}, a unit there hardly learns[/]")
    one = described[0].name if len(described) == 1 else "tanh"
    choose = "" if one == "softmax" else f"fourfold run digits-mlp model.activation={one} · "
    subject = one if len(described) == 1 else ALL
    out.print(f"[dim]next: {choose}fourfold show {subject} --png {subject}.png draws it[/]")
