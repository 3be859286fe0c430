"""`fourfold compare`."""

from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fourfold.cli.begun import place_of
from fourfold.cli.options import JsonOption, OnOption, QuietOption, UseOption, WorkspaceOption, check_place, load_parts
from fourfold.cli.output import note, print_json
from fourfold.core.errors import DONE, INTERRUPTED
from fourfold.records.location import check_workspace, workspace_path

if TYPE_CHECKING:
    from fourfold.study.question import Question

AHEAD_SECONDS = 0.3  # the first cells have begun by then


def compare(
    recipe: Annotated[
        list[str], typer.Argument(metavar="RECIPE... [KEY=VALUE]...", help="One recipe or several, then changes to it.")
    ],
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary", metavar="KEY=A,B", help="What is compared: a part or a field. Repeatable. Default: nothing."
        ),
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
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            metavar="N",
            help="Settings tried for each arm and seed; 10 or fewer are a random search. Default: 8, with --tune.",
        ),
    ] = None,
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
    on: OnOption = "local",
    stack: Annotated[
        str, typer.Option("--stack", metavar="WHEN", help="Train seeds as one stacked model: never, auto, always.")
    ] = "never",
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Swap one part, hold the others still, and learn what it was worth; without --vary, what the seed is worth.

    Every arm gets the same data, seeds, steps and search; arms are compared seed by seed. Cells that are finished are
    not run again, so the same command goes on where it was stopped, and more seeds cost only the new ones.

    \b
    Examples:
      fourfold compare digits-mlp --vary algorithm.optimizer=sgd,momentum,adam
      fourfold compare digits-mlp --seeds 20     mean and spread of one recipe
      fourfold compare digits-mlp --vary 'model.widths=[32],[128],[128,128]' --seeds 20
      fourfold compare digits-mlp --vary 'algorithm.optimizer={name: adam, lr: 0.01},sgd'
      fourfold compare mnist-mlp --vary algorithm.optimizer=sgd,adam --tune algorithm.optimizer.lr=1e-4:1:log
      fourfold compare digits-mlp iris-softmax --vary algorithm.optimizer=sgd,adam    ranks over problems

    Exit codes: 0 done, 1 failed, 2 bad input (nothing is run), 130 interrupted (the same command goes on).
    """
    from fourfold.core.overrides import parse_overrides
    from fourfold.study.asking import ask
    from fourfold.study.design import parse_vary

    check_place(on)
    place = workspace_path(workspace)
    varied, changes = parse_vary(vary or []), parse_overrides(word for word in recipe if "=" in word)
    if "weights" in varied:
        varied["weights"] = [place_of(value, place) for value in varied["weights"]]
    if "weights" in changes:
        changes["weights"] = place_of(changes["weights"], place)
    question = ask(
        [word for word in recipe if "=" not in word],
        varied,
        changes,
        seeds=seeds,
        metric=metric,
        tune=tune or [],
        trials=trials,
        against=against,
        smallest=smallest,
        unfair=unfair,
        stack=stack,  # type: ignore[arg-type]
        use=use or [],
    )
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


def _read_or_run(
    question: "Question", workspace: Path, use: list[Path] | None, on: str, quiet: bool
) -> dict[str, Any] | None:
    """Return the study, from its file where it has been answered; None if it was interrupted."""
    from fourfold.study.answer import read_answer

    folder = question.folder(workspace)
    if (study := read_answer(question, workspace)) is not None and (folder / "study.html").exists():
        return study
    check_workspace(workspace)
    if on == "local":
        from fourfold.study.local_pool import warm_up

        warm_up()  # it loads torch in a process of its own, while this one does
    if not quiet:
        _warn_of_too_few(question)
    load_parts(use)
    from fourfold.cli.study_progress import watched
    from fourfold.study import compare as studies

    place = studies.place_called(on)
    # What the answer and its page take at first is done while cells are at work, not when all cores wait for it.
    ahead = Timer(AHEAD_SECONDS, _get_ready)
    ahead.daemon = True
    ahead.start()
    try:
        study = watched(lambda watcher: studies.compare(question, workspace, watcher, place), quiet=quiet)
    finally:
        ahead.cancel()
    ahead.join()  # two threads cannot draw
    if study is not None:
        from fourfold.report.study_page import write_study_page

        write_study_page(folder)
    return study


def _warn_of_too_few(question: "Question") -> None:
    """Say, before anything runs, where so few seeds can decide nothing, whatever comes out."""
    from fourfold.study.verdict import too_few

    if said := too_few(len(question.seeds), len(question.problems) * (len(question.arms) - 1)):
        note(f"note: {said} (--seeds)")


def _get_ready() -> None:
    from fourfold.report.drawing import draw_nothing

    import_module("scipy.special")
    import_module("fourfold.report.study_page")
    draw_nothing()
