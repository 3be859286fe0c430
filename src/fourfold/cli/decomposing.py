"""`fourfold decompose`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from fourfold.cli.options import JsonOption, OnOption, QuietOption, UseOption, WorkspaceOption, check_place, load_parts
from fourfold.cli.output import console, hanging, print_json
from fourfold.core.errors import DONE, INTERRUPTED
from fourfold.records.location import check_workspace, workspace_path


def decompose(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A shipped recipe, or a YAML file.")],
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the recipe.")
    ] = None,
    replicates: Annotated[int, typer.Option("--replicates", metavar="N", help="Training samples, one run each.")] = 20,
    on: OnOption = "local",
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Take a recipe's expected test error apart: bias, variance and noise, over many training samples.

    Each replicate is trained on a sample of its own: a fresh one where the data are drawn here (data=curve), else a
    bootstrap of the training split. Replicates that are finished are not run again.

    \b
    Examples:
      fourfold decompose curve-mlp
      fourfold decompose curve-mlp model.widths=[1]
      fourfold decompose digits-mlp algorithm=bagging --replicates 10

    Exit codes: 0 done, 1 failed, 2 bad input (nothing is run), 130 interrupted (the same command goes on).
    """
    from fourfold.core.overrides import apply_overrides, parse_overrides
    from fourfold.run.parts import one_length, recipe_fields

    name, fields = recipe_fields(recipe)
    fields = apply_overrides(fields, one_length(parse_overrides(changes or [])))
    place = workspace_path(workspace)
    check_place(on)
    check_workspace(place)
    load_parts(use)
    from fourfold.cli.study_progress import watched
    from fourfold.study.compare import place_called
    from fourfold.study.replicates import decompose_recipe

    where = place_called(on)
    answer = watched(lambda watcher: decompose_recipe(name, fields, place, replicates, watcher, where), quiet=quiet)
    if answer is None:
        return INTERRUPTED
    if not quiet:
        _print(answer)
    if json:
        print_json(answer)
    return DONE


def _print(answer: Mapping[str, Any]) -> None:
    out = console()
    rows, last = _squared(answer) if answer["loss"] == "squared" else _zero_one(answer)
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for row in rows:
        table.add_row(*row)
    out.print(table)
    samples = "samples drawn anew" if answer["sample"] == "fresh" else "bootstraps of the training split"
    lines = [f"{len(answer['seeds'])} {samples}, {answer['examples']:,} test examples", last]
    lines += [f"left out: seed {seed}, {how}" for seed, how in answer["left_out"].items()]
    for line in lines:
        for piece in hanging(f"  · {line}"):
            out.print(piece, markup=False)


def _squared(answer: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], str]:
    rows = [
        ("expected squared error", *_interval(answer["error"])),
        ("= bias, squared", *_interval(answer["bias"])),
        ("+ variance", *_interval(answer["variance"])),
    ]
    if answer["noise"] is None:
        return rows, "the noise of these data is not known, and counts as bias"
    low, high = (f"{answer['gap'][end]:.3g}" for end in ("low", "high"))
    gap = f"each was measured apart; they miss the sum by {answer['gap']['value']:.3g}, 95 % interval {low} to {high}"
    return [*rows, ("+ noise", f"{answer['noise']:.4g}", "known")], gap


def _zero_one(answer: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], str]:
    rows = [
        ("expected error", "a replicate is wrong", answer["error"]),
        ("= bias", "the main prediction is wrong", answer["bias"]),
        ("+ unbiased variance", "it is right, and a replicate is not", answer["unbiased_variance"]),
        ("- biased variance", "it is wrong, and a replicate is right", answer["biased_variance"]),
    ]
    return [(name, f"{100 * value:.2f} %", words) for name, words, value in rows], (
        "labels are taken to be without noise; what there is counts as bias"
    )


def _interval(estimate: Mapping[str, float]) -> tuple[str, str]:
    return f"{estimate['value']:.4g}", f"95 % interval {estimate['low']:.4g} to {estimate['high']:.4g}"
