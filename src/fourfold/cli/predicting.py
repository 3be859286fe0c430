"""`fourfold predict`."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fourfold.cli.opening import open_run
from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption
from fourfold.cli.output import console, note, print_json
from fourfold.core.errors import InputError
from fourfold.records import strict_json
from fourfold.records.atomic import write_atomically
from fourfold.records.location import check_folder_of
from fourfold.report.numbers import number

if TYPE_CHECKING:
    from fourfold.data.table.reading import Table
    from fourfold.run.run import Run


def predict(
    run: RunArgument,
    rows: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE | - | PICTURE... | FOLDER... | TEXT... | NAME=VALUE...]",
            help="CSV, TSV, Parquet, JSON or JSON Lines; - is one of these, or paths of pictures, or texts, a line "
            "each, from stdin; pictures and folders of them; texts in quotes; or one row's values.",
        ),
    ] = None,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", metavar="JSON", help='One row as {"name": value} or \\[numbers]; repeatable.'),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE.csv", help="Write them there, behind a table's own columns."),
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Predict new examples with a trained run. It needs the run's folder, not its training data.

    \b
    Examples:
      fourfold predict table-mlp-1 new-houses.csv
      fourfold predict table-mlp-1 new-houses.csv -o priced.csv
      fourfold predict table-mlp-1 area=84 rooms=3 city=Seoul
      fourfold predict xor-mlp-1 --row '[1, 0]' --row '[1, 1]'
      fourfold predict mnist-lenet5-1 three.png four.png
      fourfold predict pictures-lenet5-1 photo.jpg holiday/ --json
      fourfold predict reviews-lstm-1 "I would see it again."
      fourfold predict reviews-lstm-1 reviews.csv --json
      fourfold predict sunspots-lstm-1 sales.csv             what comes after its last row
      cat new.csv | fourfold predict table-mlp-1 - --json
    """
    if out is not None:
        if out.suffix.lower() != ".csv":
            raise InputError(f"{out}: predictions are written as CSV; let the name end in .csv")
        check_folder_of(out)
    opened = open_run(run, workspace, use)
    from fourfold.cli.texts import Lines
    from fourfold.data.series.encoding import SeriesEncoding
    from fourfold.data.table.reading import Table
    from fourfold.run.predict import predict as predict_rows

    examples = _examples(opened, rows or [], row or [])
    predictions, notes = predict_rows(opened, examples)
    for line in notes:
        note(f"  · {line}")
    if isinstance(examples, list) and all(isinstance(each, str) for each in examples):
        what = "picture" if opened.encoding.name == "image" else "text"
        predictions = [{what: given, **each} for given, each in zip(examples, predictions, strict=True)]
    if json:
        print_json({"run_id": opened.run_id, "predictions": predictions, "notes": notes})
    table = examples if isinstance(examples, Table) else None
    numbered = isinstance(examples, Table | Lines)
    numbers = list(map(str, examples.rows if numbered else range(1, len(predictions) + 1)))
    numbers = numbers[-len(predictions) :]  # a forecast follows the last row
    if table is not None and isinstance(opened.encoding, SeriesEncoding) and opened.encoding.times is not None:
        table, numbers = None, []  # its rows are the times to come, and none of the file's
    if out is not None:
        own = table.columns if table is not None and len(table.rows) == len(predictions) else {}
        _write_predictions(predictions, numbers, own, out)
    elif not json:
        _print_predictions(predictions, numbers)


def _examples(run: "Run", rows: list[str], literal: list[str]) -> "list[Any] | Table":
    """Return what is to be predicted, in the form that the run's encoding takes.

    Raises:
        InputError: nothing given, or a file or row that cannot be read; or the run needs another command.
    """
    from fourfold.cli.by_task import instead_of_predict
    from fourfold.cli.rows import read_rows
    from fourfold.cli.texts import read_texts
    from fourfold.data.image_encoding import ImageEncoding
    from fourfold.data.text.encoding import TextEncoding
    from fourfold.data.text.masked_encoding import MaskedTextEncoding

    if (command := instead_of_predict(run)) is not None:
        raise InputError(f"{run.run_id}: of this run ask fourfold {command}")
    encoding = run.encoding
    if isinstance(encoding, TextEncoding):
        return read_texts(rows, literal, encoding.columns)
    if isinstance(encoding, MaskedTextEncoding):
        return read_texts(rows, literal, ["text"])
    return read_rows(rows, literal, run.recipe.data, takes_pictures=isinstance(encoding, ImageEncoding))


def _print_predictions(predictions: list[dict[str, Any]], numbers: list[str]) -> None:
    """Print a table of predictions, rows numbered as in their file, or not if there are no numbers."""
    from rich.markup import escape
    from rich.table import Table

    from fourfold.tasks.figure import shorten

    names = list(dict.fromkeys(name for each in predictions for name in each))
    first = ["row"] if numbers and "picture" not in names else []
    predictions = [
        {**each, "text": shorten(each["text"], 60)} if isinstance(each.get("text"), str) else each  # or a number's name
        for each in predictions
    ]
    table = Table(*first, *map(escape, names), box=None, pad_edge=False, header_style="bold")
    for place, each in enumerate(predictions):
        table.add_row(*([numbers[place]] if first else []), *(escape(_cell(each.get(name))) for name in names))
    console().print(table)


def _write_predictions(
    predictions: Sequence[Mapping[str, Any]],
    numbers: Sequence[str],
    own: Mapping[str, Any],
    path: Path,
) -> None:
    """Write predictions as CSV, one row each.

    Args:
        predictions: what was predicted; `{"probabilities": {"cat": 0.9}}` becomes the column `probabilities.cat`.
        numbers: of the rows, where nothing else tells them apart; none where something does.
        own: a table's columns, which come first; a prediction of the same name is called `NAME (predicted)`.
        path: the file.

    Raises:
        InputError: it cannot be written.
    """
    flat = [_flat(each) for each in predictions]
    names = list(dict.fromkeys(name for each in flat for name in each))
    first = own
    if not own and numbers and not {"picture", "text"} & set(names):
        first = {"row": numbers}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*first, *(f"{name} (predicted)" if name in first else name for name in names)])
    for place, each in enumerate(flat):
        writer.writerow([*(column[place] for column in first.values()), *(each.get(name) for name in names)])
    try:
        write_atomically(path, text.getvalue().encode())
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    note(f"predictions: {path}, {len(flat):,} row{'s' * (len(flat) > 1)}")


def _flat(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """Return a prediction as cells: what is inside of a value has a column of its own, and a list is JSON."""
    cells: dict[str, Any] = {}
    for name, value in prediction.items():
        if isinstance(value, Mapping):
            cells |= {f"{name}.{key}": inside for key, inside in _flat(value).items()}
        else:
            cells[name] = strict_json.encode(value).decode() if isinstance(value, list) else value
    return cells


def _cell(value: object) -> str:
    """Return a predicted value as text; a mapping such as class probabilities by its three largest, a list by each."""
    if isinstance(value, list):
        return "; ".join(map(_cell, value))
    if isinstance(value, dict):
        largest = sorted(value.items(), key=lambda item: -item[1])[:3]
        return ", ".join(f"{name} {number(share)}" for name, share in largest)
    return number(value) if isinstance(value, float) else str(value)
