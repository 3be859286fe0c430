"""Predicting new examples with a recorded run, without its training data."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from fourfold.core.errors import InputError
from fourfold.data.table.reading import Table
from fourfold.run.run import Run

BATCH_SIZE = 1024


class Predictions(NamedTuple):
    """One prediction a row, in the task's own words and units, and what was done to the rows."""

    rows: list[dict[str, Any]]
    notes: list[str]


def predict(run: Run, rows: Sequence[Any] | Table) -> Predictions:
    """Return the run's prediction for each row.

    Args:
        run: a run with weights.
        rows: examples as the encoding of the run's data takes them: `{"column": value}`, a list of numbers in order, or
            the path of a picture; or a table, from `fourfold.data.table.reading.read_table`.

    Raises:
        InputError: a row does not fit; the message names row and column.
    """
    if isinstance(rows, str | bytes | Mapping):  # a sequence of letters or of keys would be taken for rows
        raise InputError("rows: expected a list of rows; put a single row into a list of its own")
    if not rows:
        raise InputError("nothing to predict: no rows were given")
    encoded = run.encoding.encode_table(rows) if isinstance(rows, Table) else run.encoding.encode_rows(rows)
    predictions: list[dict[str, Any]] = []
    with torch.inference_mode():
        for start in range(0, len(encoded.inputs[0]), BATCH_SIZE):
            output = run.model(*(part[start : start + BATCH_SIZE] for part in encoded.inputs))
            predictions += run.spec.predictions(output)
    return Predictions(predictions, encoded.notes)
