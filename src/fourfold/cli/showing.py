"""`fourfold show`: what a recipe, a part, a claim, a run or a study is."""

import os
from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.options import JsonOption, UseOption, WorkspaceOption, load_parts
from fourfold.cli.output import note
from fourfold.cli.show_activation import ALL, NAMES, show_activation
from fourfold.core.errors import InputError, did_you_mean
from fourfold.records.location import check_folder_of, workspace_path


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A recipe, a part (mlp, model.mlp), an activation, a claim, a run or a study."
        ),
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to a recipe, as for fourfold run.")
    ] = None,
    steps: Annotated[bool, typer.Option("--steps", help="What happens in one training step of a recipe.")] = False,
    yaml: Annotated[bool, typer.Option("--yaml", help="A recipe or run as YAML, ready to edit and run.")] = False,
    png: Annotated[
        Path | None,
        typer.Option("--png", metavar="FILE.png", help="Draw an activation, or what a part does to pictures."),
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Explain a recipe, a part, a claim, a run or a study: fields and defaults, its size, what happens in a step.

    A model's parameters and FLOPs are counted at its paper's input and output. FLOPs are 2 x multiply-adds.

    \b
    Examples:
      fourfold show digits-mlp
      fourfold show digits-mlp model.widths=[512] --steps
      fourfold show digits-mlp --yaml > mine.yaml
      fourfold show lenet5
      fourfold show optimizer.adam
      fourfold show relu --png relu.png
      fourfold show rotation degrees=90 --png rotation.png
      fourfold show xor-needs-depth
      fourfold show digits-mlp-1
      fourfold show digits-mlp-optimizer-5d4b1cc4
    """
    if steps and yaml:
        raise InputError("--steps and --yaml: one of the two at a time; with --json both are told at once")
    load_parts(use)
    from fourfold.claims import CLAIMS
    from fourfold.run.parts import TABLES, recipe_names

    place, kinds = workspace_path(workspace), _kinds_of(name)
    if png is not None:
        check_folder_of(png)
    if name in (*NAMES, ALL) and not kinds:
        _refuse(name, "an activation", steps=steps, yaml=yaml)
        return show_activation(name, png=png, json=json)
    if png is not None and not kinds:
        raise InputError(
            f"--png draws one of {', '.join(NAMES)}, or {ALL}, an augmentation, or a regularizer of batches; "
            "a run's figures: fourfold report RUN --png"
        )
    if name in recipe_names() or Path(name).suffix in (".yaml", ".yml"):
        from fourfold.cli.show_recipe import show_recipe

        return show_recipe(name, overrides or [], steps=steps, yaml=yaml, json=json)
    if name in CLAIMS and not overrides:
        _refuse(name, "a claim", steps=steps, yaml=yaml)
        from fourfold.cli.claim_table import show_claim

        return show_claim(name, json=json)
    if overrides and not kinds:
        raise InputError(f"no recipe called '{name}'{did_you_mean(name, recipe_names())}")
    if kinds:
        _refuse(name, "a part", steps=steps, yaml=yaml)
        from fourfold.cli.show_part import show_part

        part, written = name.rpartition(".")[2], None
        if png is not None:
            from fourfold.cli.show_fed import draw_part

            written = draw_part(kinds, part, overrides or [], png)  # first: what is refused prints nothing else
        show_part(kinds, part, overrides or [], json=json)
        if written is not None:
            note(f"figure: {written}")
        return

    from fourfold.study.answer import find_study, study_names

    if (study := find_study(place, name)) is not None:
        if yaml:
            raise InputError(f"--yaml: '{name}' is a study; fourfold report {name} says how to ask it again")
        _refuse(name, "a study", steps=steps)
        from fourfold.cli.show_study import show_study

        return show_study(study, json=json)

    from fourfold.records.folder import RunFolder, run_paths
    from fourfold.records.location import database_address
    from fourfold.records.naming import to_file_name, to_text

    name = to_text(name)
    runs = [to_text(path.name) for path in run_paths(place)]
    if name in runs or os.path.exists(Path(to_file_name(name)) / "run.json"):
        from fourfold.cli.show_run import show_run

        _refuse(name, "a run", steps=steps)
        return show_run(RunFolder.find(place, name), yaml=yaml, json=json)
    if database_address() is not None:  # another workspace or machine may have it
        from fourfold.cli.show_run import show_elsewhere
        from fourfold.records.listing import list_runs

        rows = list_runs(place)
        if found := [row for row in rows if row.run_id == name]:
            _refuse(name, "a run", steps=steps)
            return show_elsewhere(found, yaml=yaml, json=json)
        runs = [row.run_id for row in rows]
    parts = [part for table in TABLES.values() for part in table]
    dotted = [f"{kind}.{part}" for kind, table in TABLES.items() for part in table] if "." in name else []
    known = {*recipe_names(), *parts, *dotted, *CLAIMS, *runs, *study_names(place), *NAMES, ALL}
    hint = did_you_mean(name, known)
    hint = hint if hint.startswith("; did") else "; fourfold list names what there is"
    raise InputError(f"no recipe, part, claim, run or study called '{name}'{hint}")


def _refuse(name: str, what: str, *, steps: bool = False, yaml: bool = False) -> None:
    """Refuse the options that only a recipe has."""
    if steps or yaml:
        wrong = "--steps" if steps else "--yaml"
        raise InputError(f"{wrong}: '{name}' is {what}, and a recipe is needed; fourfold list recipes names them")


def _kinds_of(name: str) -> list[str]:
    """Return the tables that hold `name`, which may say its table: `model.mlp`."""
    from fourfold.run.parts import TABLES

    kind, dot, part = name.rpartition(".")
    if dot:
        return [kind] if kind in TABLES and part in TABLES[kind] else []
    return [kind for kind, table in TABLES.items() if part in table]
