"""A recipe for a person: the four parts in words, what it costs, what happens in a step."""

from typing import TYPE_CHECKING, Any

from fourfold.cli.output import console, hanging, note, print_json
from fourfold.core.errors import InputError
from fourfold.core.overrides import parse_overrides
from fourfold.core.recipe import PARTS, Recipe
from fourfold.core.words import counted, drawn_at_once, sizes_in_words
from fourfold.report.numbers import number
from fourfold.run.parts import TABLES, load_recipe

if TYPE_CHECKING:
    from fourfold.run.inspect import RecipeFacts


def show_recipe(name: str, overrides: list[str], *, steps: bool, yaml: bool, json: bool) -> None:
    """Print a recipe with every default filled in."""
    title, recipe = load_recipe(name, parse_overrides(overrides))
    if yaml and not json:
        print(recipe.to_yaml(), end="")
        return
    facts = _facts(recipe)
    if json:
        print_json({"name": title, "recipe": recipe.to_mapping(), **_facts_in_json(facts)})
    elif steps:
        _print_steps(recipe, facts)
    else:
        _print(title, recipe, facts)


def _facts(recipe: Recipe) -> "RecipeFacts | None":
    """Return what only the built parts know, or None while the data would have to be fetched."""
    from fourfold.run.inspect import inspect_recipe, is_data_here

    return inspect_recipe(recipe) if is_data_here(recipe) else None


def _facts_in_json(facts: "RecipeFacts | None") -> dict[str, Any]:
    if facts is None:
        return {}
    return {
        "params": facts.model.params,
        "flops": facts.model.flops,
        "sizes": facts.sizes,
        "batch_size": facts.batch_size,
        "steps_per_epoch": facts.steps_per_epoch,
        "steps": facts.schedule.steps,
        "step": facts.step,
        "notes": facts.notes,
    }


def _print_steps(recipe: Recipe, facts: "RecipeFacts | None") -> None:
    if facts is None:
        note(_why_not(recipe))
        return
    out = console()
    out.print("[bold]one step[/]")
    for i, line in enumerate(facts.step, start=1):
        out.print(f"  {i:2}. {line}", markup=False)
    schedule = facts.schedule
    out.print(f"then: a point of the curve every {counted(schedule.log_every, 'step')}, "
              f"validation every {schedule.validate_every:,}, the end at {schedule.steps:,}")  # fmt: skip


def _why_not(recipe: Recipe) -> str:
    """Return why only the built parts would know more."""
    from fourfold.run.inspect import is_data_to_be_named

    if is_data_to_be_named(recipe):
        return "its data are your own: with data.path=… sizes and steps can be shown"
    return "its data have not been downloaded yet: the first run does that, then sizes and steps can be shown"


def _print(name: str, recipe: Recipe, facts: "RecipeFacts | None") -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    out.print(f"[bold]{escape(name)}[/]" + (f"  {escape(recipe.title)}" if recipe.title else ""))
    if recipe.paper is not None:
        paper = recipe.paper
        words = [
            paper.authors,
            paper.title,
            str(paper.year),
            f"section {paper.section}" if paper.section else None,
            paper.url,
        ]
        out.print(f"[dim]{escape(', '.join(word for word in words if word))}[/]")
    table = Table("part", "choice", "fields", box=None, pad_edge=False, header_style="bold")
    for part in PARTS:
        config = getattr(recipe, part)
        table.add_row(part, *_choice(part, config.to_mapping()))
        for field, kind in (("optimizer", "optimizer"), ("schedule", "schedule"), ("regularizers", "regularizer")):
            chosen = getattr(config, field, None)
            for each in chosen if isinstance(chosen, list) else [chosen] if chosen is not None else []:
                table.add_row(f"  {kind}", *_choice(kind, each.to_mapping()))
    if recipe.weights is not None:
        table.add_row("weights", f"[bold]{escape(recipe.weights.file)}[/]", "what the network begins from")
    out.print(table)
    if facts is None:
        _print_network(out, recipe)
        out.print(f"[yellow]{_why_not(recipe)}[/]")
    else:
        _print_facts(out, facts)
    if recipe.expected is not None and (recipe.expected.paper is not None or recipe.expected.ours is not None):
        _print_expected(out, recipe)
    out.print(f"[dim]next: fourfold run {escape(name)} · --steps shows one step · --yaml prints the recipe[/]")


def _choice(kind: str, fields: dict[str, Any]) -> tuple[str, str]:
    """Return a part's name and its fields in words, each part inside it left to its own row."""
    from rich.markup import escape

    name = str(fields.pop("name"))
    own = {key: value for key, value in fields.items() if key not in ("optimizer", "schedule", "regularizers")}
    words = ", ".join(f"{key} {_value(value)}" for key, value in own.items() if value is not None and value != [])
    summary = TABLES[kind][name].summary if name in TABLES[kind] else ""
    return f"[bold]{escape(name)}[/]", escape(summary) + (f"\n{escape(words)}" if words else "")


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} {_value(each)}" for key, each in value.items() if key != "name")
        return f"{value.get('name', '')}({inner})" if inner else str(value.get("name", ""))
    return f"[{', '.join(_value(each) for each in value)}]" if isinstance(value, list) else str(value)


def _print_network(out: Any, recipe: Recipe) -> None:
    """Print the size of a network that has no data yet."""
    from rich.markup import escape

    from fourfold.run.inspect import measure_part

    try:
        model = measure_part(recipe.model)
    except InputError:  # a network for the recipe's data, which its paper's do not fit
        return
    if model is not None:
        size = f"{model.size}{_flops(model.flops)}"
        out.print(f"network    {size}, for {escape(model.input)} and {model.outputs:,} outputs, its paper's")


def _flops(count: int | None) -> str:
    return f", {count:,} FLOPs an example (2 x multiply-adds)" if count is not None else ""


def _print_facts(out: Any, facts: "RecipeFacts") -> None:
    from rich.markup import escape

    word, sizes = sizes_in_words(facts.sizes, facts.task)
    out.print(f"task       {facts.task} of {escape(facts.model.input)}, scored by {facts.headline}")
    out.print(f"{word:<11}{sizes}")
    out.print(f"network    {facts.model.size}{_flops(facts.model.flops)}")
    epochs = facts.schedule.steps / facts.steps_per_epoch
    steps, batch = counted(facts.schedule.steps, "step"), drawn_at_once(facts.batch_size, facts.task)
    passes = f"{number(epochs)} epoch{'s' * (epochs != 1)}"
    out.print(f"budget     {steps} of {batch}; {counted(facts.steps_per_epoch, 'step')} an epoch, so {passes}")
    for line in facts.notes:
        for piece in hanging(f"  · {line}"):
            out.print(piece, markup=False)


def _print_expected(out: Any, recipe: Recipe) -> None:
    expected = recipe.expected
    assert expected is not None
    words = [f"paper {number(expected.paper)}"] if expected.paper is not None else []
    if expected.ours is not None:
        words.append(f"ours {number(expected.ours)}" + (f" ± {number(expected.spread)}" if expected.spread else ""))
    out.print(f"expected   {expected.metric}: {', '.join(words)}")
