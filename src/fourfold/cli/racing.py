"""`fourfold race`."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fourfold.cli.options import JsonOption, UseOption, load_parts
from fourfold.cli.output import console, note, print_json
from fourfold.cli.waiting import waiting
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.seeds import check_seed
from fourfold.core.words import counted
from fourfold.records.location import check_folder_of
from fourfold.report.numbers import number

if TYPE_CHECKING:
    from fourfold.study.race import Path as Walked
    from fourfold.study.race import PathFacts
    from fourfold.study.surfaces import Surface

ALL = "sgd,momentum,nesterov,adagrad,adadelta,rmsprop,adam"
KINDS = (".gif", ".mp4", ".html", ".png")
MOST_STEPS = 20_000
LEGEND = (
    "height: above the deepest minimum at the end · there: within 0.1 of a minimum for good · path: its length · "
    "overshoot: how far past the minimum, along the valley"
)


def race(
    optimizers: Annotated[
        str, typer.Argument(metavar="[NAME,NAME...]", help="Who races. Default: all seven.", show_default=False)
    ] = ALL,
    surface: Annotated[
        str,
        typer.Option("--surface", metavar="SURFACE", help="ravine, saddle, beale, rosenbrock, himmelblau or wells."),
    ] = "ravine",
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", help="Updates of each. Default: what suits the surface.")
    ] = None,
    lr: Annotated[
        list[str] | None,
        typer.Option("--lr", metavar="X | NAME=X", help="Learning rate of all, or of one. Repeatable."),
    ] = None,
    noise: Annotated[
        float, typer.Option("--noise", metavar="SD", help="Standard deviation of noise on each gradient.")
    ] = 0.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the noise, the same for all.")] = 0,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help=".gif, .html (play, pause, seek), .mp4 (needs ffmpeg) or .png (still). Repeatable. "
            "Default: race-SURFACE.gif and .png.",
        ),
    ] = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Let optimizers race down a surface, and make a film of their paths.

    They are those that train networks, moving two numbers. Without --lr each has a rate at which one can see what it is
    known for on that surface: a race shows how each moves, and not which is best.

    \b
    Examples:
      fourfold race
      fourfold race sgd,momentum,nesterov --surface saddle
      fourfold race sgd,adam --lr 0.01 --lr adam=0.1 --out race.html
      fourfold race sgd,momentum --surface wells --noise 0.5 --seed 3
    """
    load_parts(use)
    from fourfold.algorithms.optimizers import OPTIMIZERS
    from fourfold.study.surfaces import find_surface

    names = _names(optimizers, OPTIMIZERS)
    chosen = find_surface(surface)
    steps = chosen.steps if steps is None else steps
    if not 1 <= steps <= MOST_STEPS:
        raise InputError(f"--steps: expected 1 to {MOST_STEPS:,}, got {steps:,}")
    check_seed(seed)
    rates = _rates(names, chosen.name, lr or [])
    files = _files(out, chosen.name)
    fields = {name: {"name": name} if rate is None else {"name": name, "lr": rate} for name, rate in rates.items()}
    configs: dict[str, Any] = {name: OPTIMIZERS.parse(each, "--lr") for name, each in fields.items()}
    from fourfold.study.race import describe_path
    from fourfold.study.race import race as run_race

    paths = run_race(configs, chosen, steps, noise=noise, seed=seed)
    labels = {name: f"lr {config.lr:g}" for name, config in configs.items() if hasattr(config, "lr")}
    command = ["fourfold", "race", ",".join(names), "--surface", chosen.name, "--steps", str(steps)]
    command += [word for name, rate in rates.items() if rate is not None for word in ("--lr", f"{name}={rate:g}")]
    command += ["--noise", f"{noise:g}", "--seed", str(seed)] if noise else []
    for file in files:
        _write(file, chosen, paths, labels, steps, [*command, "--out", file.name])
    facts = {name: describe_path(path, chosen) for name, path in paths.items()}
    if json:
        print_json(
            {
                "surface": chosen.name,
                "start": chosen.start,
                "steps": steps,
                "noise": noise,
                "seed": seed,
                "optimizers": {name: {**configs[name].to_mapping(), **vars(each)} for name, each in facts.items()},
                "files": [str(file.resolve()) for file in files],
            }
        )
    else:
        _print(chosen, facts, paths, labels)
    for file in files:
        note(f"{'figure' if file.suffix.lower() == '.png' else 'race'}: {file}")


def _names(optimizers: str, known: Mapping[str, Any]) -> list[str]:
    names = [name.strip() for name in optimizers.split(",")]
    for name in names:
        if name not in known:
            raise InputError(f"no optimizer called '{name}'{did_you_mean(name, known)}")
        if names.count(name) > 1:
            raise InputError(f"'{name}' races twice; name each optimizer once")
    return names


def _rates(names: Sequence[str], surface: str, given: list[str]) -> dict[str, float | None]:
    """Return each racer's learning rate: its own, else that of all, else the surface's; None is the optimizer's."""
    from fourfold.study.rates import RATES

    rates: dict[str, float | None] = {name: RATES[surface].get(name) for name in names}
    own: dict[str, float] = {}
    for text in given:
        name, equals, value = text.rpartition("=")
        rate = _rate(value, text)
        if not equals:
            rates = dict.fromkeys(names, rate)
        elif name not in names:
            raise InputError(f"--lr {text}: '{name}' does not race{did_you_mean(name, names)}")
        else:
            own[name] = rate
    return {**rates, **own}


def _rate(value: str, text: str) -> float:
    try:
        rate = float(value)
    except ValueError:
        rate = math.nan
    if not 0 <= rate < math.inf:
        raise InputError(f"--lr {text}: expected a number of at least 0, as in 0.1 or adam=0.1")
    return rate


def _files(out: list[Path] | None, surface: str) -> list[Path]:
    """Return the files to write.

    Raises:
        InputError: one cannot be written; asked before the race, so that then none is.
    """
    files = out or [Path(f"race-{surface}.gif"), Path(f"race-{surface}.png")]
    for file in files:
        if file.suffix.lower() not in KINDS:
            raise InputError(f"--out: {file}: the name must end in one of {', '.join(KINDS)}")
        if file.is_dir():
            raise InputError(f"--out: {file}: a folder; name the file in it")
        check_folder_of(file)
        if file.suffix.lower() == ".mp4":
            from fourfold.report.film import check_film

            check_film(file)
    return files


def _write(
    file: Path,
    surface: "Surface",
    paths: Mapping[str, "Walked"],
    labels: Mapping[str, str],
    steps: int,
    command: list[str],
) -> None:
    kind = file.suffix.lower()
    if kind == ".png":
        from fourfold.report.drawing import write_png
        from fourfold.report.race import draw_still

        write_png(draw_still(surface, paths, surface.title).figure, file)
    elif kind == ".html":
        from fourfold.report.document import write_document
        from fourfold.report.race_page import race_page

        write_document(race_page(surface, paths, labels, steps, command), file)
    else:
        from fourfold.report.film import write_film

        with waiting(f"drawing {file.name}, frames", None) as heard:
            write_film(surface, paths, labels, steps, file, heard)


def _print(
    surface: "Surface", facts: Mapping[str, "PathFacts"], paths: Mapping[str, "Walked"], labels: Mapping[str, str]
) -> None:
    from rich.markup import escape
    from rich.table import Table

    from fourfold.report.race import has_left, heights

    table = Table("optimizer", "", box=None, pad_edge=False, header_style="bold")
    for heading in ("height", "there after", "path", "overshoot"):
        table.add_column(heading, justify="right")
    for name, each in facts.items():
        if has_left(paths[name], surface):
            cells = ["left the picture", "", "", ""]
        else:
            there = "not yet" if each.arrived is None else counted(each.arrived, "step")
            height = float(heights(paths[name], surface)[-1])
            cells = [f"{height:.3g}", there, number(each.length), number(each.overshoot)]
        table.add_row(escape(name), labels.get(name, ""), *cells)
    out = console()
    out.print(f"[bold]{surface.title}[/]  {surface.formula}", highlight=False)
    out.print(table)
    out.print(f"[dim]{LEGEND}[/]")
