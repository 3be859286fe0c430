"""What is done with a trained run: `fourfold evaluate`, `export`, `report`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fourfold.cli.opening import open_run
from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption, load_parts
from fourfold.cli.output import console, note, print_json
from fourfold.core.errors import InputError, did_you_mean
from fourfold.records.location import check_folder_of, workspace_path

if TYPE_CHECKING:
    from fourfold.run.run import Run


def evaluate(
    run: RunArgument,
    split: Annotated[
        str | None, typer.Option("--split", metavar="SPLIT", help="train, validation or test. Default: all of them.")
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Score a run's newest weights again, on every split or on one; needs its data. The record is not changed.

    \b
    Examples:
      fourfold evaluate digits-mlp-1
      fourfold evaluate digits-mlp-1 --split test --json
    """
    splits = ("train", "validation", "test")
    if split is not None and split not in splits:
        raise InputError(f"--split: no split called '{split}'{did_you_mean(split, splits)}")
    opened = open_run(run, workspace, use)
    from fourfold.run.evaluate import evaluate as evaluate_split

    model, parts = opened.model, opened.parts
    chosen = [split] if split else [each for each in splits if parts.source.sizes.get(each)]
    if not parts.source.sizes.get(chosen[0]):
        raise InputError(f"--split: this run's data have no {chosen[0]} split")
    metrics = {each: evaluate_split(model, parts.loss, parts.source, each, opened.autocast) for each in chosen}
    result = {**opened.result, "metrics": metrics}
    from fourfold.cli.summary import metrics_table

    console(stderr=json).print(metrics_table(metrics, {}, parts.source.spec.headline))
    if json:
        print_json(result)


def export(
    run: RunArgument,
    format: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="safetensors (weights) or onnx (the network).")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="PATH", help="Default: the run's folder.")] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Write the trained model for use elsewhere, once the file is shown to give the same outputs; needs the run's data.

    \b
    Examples:
      fourfold export digits-mlp-1
      fourfold export digits-mlp-1 --format onnx
      fourfold export digits-mlp-1 --to /tmp/digits.onnx
    """
    if to is not None:
        check_folder_of(to)
    opened = open_run(run, workspace, use)
    from fourfold.run.export import TOLD
    from fourfold.run.export import export as export_run

    path, kind, examples, difference = export_run(opened, to, format)
    note(f"{path}: {kind}, equal to the trained model on {examples} examples within {difference:.2g}")
    if kind == "onnx":
        note(f"it takes encoded inputs{_encoding(opened)}; its metadata '{TOLD}' says how they are made")
    if json:
        facts = {"format": kind, "examples": examples, "max_difference": difference}
        print_json({"run_id": opened.run_id, "path": str(path.resolve()), **facts})


def _encoding(run: "Run") -> str:
    """Return what an example's numbers become before the network sees them, where that is short to say."""
    from fourfold.data.image_encoding import ImageEncoding

    if not isinstance(run.encoding, ImageEncoding):
        return ""
    both = run.encoding.mean, run.encoding.deviation
    mean, deviation = (", ".join(f"{number:.4g}" for number in each) for each in both)
    return (
        f", (pixel - {mean}) / {deviation}" if run.encoding.channels == 1 else f", pixels less {mean}, over {deviation}"
    )


def report(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN | STUDY", help="A name, such as digits-mlp-1, or a folder; a study is what `compare` made."
        ),
    ],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="PATH", help="Default: report.html in the run's folder, study.html in a study's."),
    ] = None,
    png: Annotated[
        bool, typer.Option("--png", help="Also write each figure as a PNG, in the figures folder beside the page.")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Show the page in the browser.")] = False,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Draw and explain a run or a study on one page that works offline, and say how to do it again.

    A run's page has curves, mistakes and weights; a study's has verdicts, differences, curves and costs.

    \b
    Examples:
      fourfold report digits-mlp-1
      fourfold report digits-mlp-1 --png --open
      fourfold report digits-mlp-optimizer-5d4b1cc4
    """
    if to is not None:
        check_folder_of(to)
    from fourfold.study.answer import find_study

    place = workspace_path(workspace)
    if (study := find_study(place, run)) is not None:
        load_parts(use)
        from fourfold.report.study_page import write_study_page

        page, whose = write_study_page(study, png=png, path=to), {"study": study.name}
    else:
        _refuse_unknown(run, place)
        opened = open_run(run, workspace, use)
        from fourfold.report.page import write_report

        page, whose = write_report(opened, path=to, png=png), {"run_id": opened.run_id}
    note(f"report: {page}")
    if json:
        print_json({**whose, "path": str(page.resolve())})
    if open_page:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def _refuse_unknown(name: str, workspace: Path) -> None:
    """Offer the nearest run or study where there is neither of that name; without studies, runs are asked alone."""
    from fourfold.records.folder import run_paths
    from fourfold.records.naming import to_file_name, to_text
    from fourfold.study.answer import study_names

    name = to_text(name)
    folder = to_file_name(name)
    if os.path.isdir(workspace / folder) or os.path.isdir(folder):
        return
    if studies := study_names(workspace):
        known = [*(to_text(path.name) for path in run_paths(workspace)), *studies]
        raise InputError(f"no run or study '{name}' in {workspace}{did_you_mean(name, known)}")
