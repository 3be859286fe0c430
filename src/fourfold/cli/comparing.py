"""`fourfold compare`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fourfold.cli.options import JsonOption, QuietOption, UseOption, WorkspaceOption, load_parts
from fourfold.cli.output import note, print_json
from fourfold.core.errors import DONE, INTERRUPTED, InputError, did_you_mean
from fourfold.records.location import workspace_path

if TYPE_CHECKING:
    from fourfold.study.question import Question

WHERE = ("local", "ray")
STACK = ("never", "auto", "always")


def compare(
    recipe: Annotated[
        list[str], typer.Argument(metavar="RECIPE... [KEY=VALUE]...", help="One recipe or several, then changes to it.")
    ],
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="KEY=A,B", help="What is compared: a part or a field. Repeatable."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="Each arm runs at the seeds 0 to N - 1.")] = 10,
    metric: Annotated[
        str | None,
        typer.Option("--metric", metavar="SPLIT.NAME", help="What decides. Default: the task's headline on test."),
    ] = None,
    tune: Annotated[
        list[str] | None,
        typer.Option(
            "--tune",
            metavar="KEY=LOW:HIGH[:log][:int]",
            help="Tune a number of every arm, at every seed, on validation. Repeatable.",
        ),
    ] = None,
    trials: Annotated[int, typer.Option("--trials", metavar="N", help="Settings tried for each arm and seed.")] = 8,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="ARM", help="The arm to compare with. Default: the first."),
    ] = None,
    smallest: Annotated[
        float | None,
        typer.Option("--smallest", metavar="X", help="Smallest difference that matters. Default: 1 % of the larger."),
    ] = None,
    unfair: Annotated[
        bool, typer.Option("--unfair", help="Let arms get unequal steps or searches; every output then says so.")
    ] = False,
    on: Annotated[
        str, typer.Option("--on", metavar="WHERE", help="local: this machine. ray: a Ray cluster.")
    ] = "local",
    stack: Annotated[
        str, typer.Option("--stack", metavar="WHEN", help="Train seeds as one stacked model: never, auto, always.")
    ] = "never",
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Swap one part, hold the others still, and learn what it was worth.

    Every arm gets the same data, seeds, steps and search; arms are compared seed by seed. Cells that are finished are
    not run again, so the same command goes on where it was stopped, and more seeds cost only the new ones.

    \b
    Examples:
      fourfold compare digits-mlp --vary algorithm.optimizer=sgd,momentum,adam
      fourfold compare digits-mlp --vary 'model.widths=[32],[128],[128,128]' --seeds 20
      fourfold compare digits-mlp --vary 'algorithm.optimizer={name: adam, lr: 0.01},sgd'
      fourfold compare mnist-mlp --vary algorithm.optimizer=sgd,adam --tune algorithm.optimizer.lr=1e-4:1:log
      fourfold compare digits-mlp iris-softmax --vary algorithm.optimizer=sgd,adam    ranks over problems

    Exit codes: 0 done, 1 failed, 2 bad input (nothing is run), 130 interrupted (the same command goes on).
    """
    from fourfold.study.design import arms_of, parse_seeds, parse_space, parse_vary
    from fourfold.study.files import digest
    from fourfold.study.question import Question

    question = Question(
        problems=_problems([word for word in recipe if "=" not in word], [word for word in recipe if "=" in word]),
        arms=arms_of(parse_vary(vary or [])),
        seeds=parse_seeds(seeds),
        metric=metric if metric is None or "." in metric else f"test.{metric}",
        spaces=[parse_space(text) for text in tune or []],
        trials=trials if tune else 0,
        against=against,
        smallest=smallest,
        unfair=unfair,
        stack=_chosen("--stack", stack, STACK),  # type: ignore[arg-type]
        use=[digest(file) for file in use or []],
    )
    question.check()
    _chosen("--on", on, WHERE)
    place = workspace_path(workspace)
    folder = question.folder(place)
    study = _read_or_run(question, place, use, on, quiet)
    if study is None:
        return INTERRUPTED
    if not quiet:
        from fourfold.cli.study_table import print_study

        print_study(study, folder)
    if json:
        print_json({"folder": str(folder.resolve()), **study})
    return DONE


def _problems(names: list[str], changes: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return the recipes by name, with the changes that every arm shares."""
    from fourfold.core.overrides import apply_overrides, parse_overrides
    from fourfold.run.parts import one_length, recipe_fields

    if not names:
        raise InputError("which recipe? for example fourfold compare digits-mlp --vary algorithm.optimizer=sgd,adam")
    overrides = one_length(parse_overrides(changes))
    problems: dict[str, Mapping[str, Any]] = {}
    for given in names:
        name, fields = recipe_fields(given)
        if name in problems:
            raise InputError(f"the recipe '{name}' is given twice")
        problems[name] = apply_overrides(fields, overrides)
    return problems


def _read_or_run(
    question: "Question", workspace: Path, use: list[Path] | None, on: str, quiet: bool
) -> dict[str, Any] | None:
    """Return the study, from its file where it has been answered; None if it was interrupted."""
    from fourfold.study.answer import read_answer

    folder = question.folder(workspace)
    if (study := read_answer(question, workspace)) is not None and (folder / "study.html").exists():
        return study
    from fourfold.cli.study_progress import StudyProgress
    from fourfold.study.execute import StoppedError, Watcher
    from fourfold.study.local_pool import warm_up

    if on == "local":
        warm_up()  # it loads torch in a process of its own, while this one does
    load_parts(use)
    from fourfold.report.study_page import write_study_page
    from fourfold.study import compare as studies

    watcher = Watcher() if quiet else StudyProgress()
    try:
        place = studies.on_a_cluster if on == "ray" else studies.on_this_machine
        study = studies.compare(question, workspace, watcher, place)
    except StoppedError:
        note("interrupted: what is finished is kept, and the same command goes on from there")
        return None
    write_study_page(folder)
    return study


def _chosen(option: str, word: str, choices: tuple[str, ...]) -> str:
    if word not in choices:
        raise InputError(f"{option}: no choice called '{word}'{did_you_mean(word, choices)}")
    return word
