"""Predicting new examples with a recorded run, without its training data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.series.encoding import SeriesEncoding
from fourfold.data.series.timeline import Timeline
from fourfold.data.table.reading import Table
from fourfold.run.run import Run
from fourfold.tasks.forecasting import ForecastingSpec

BATCH_SIZE = 1024
PICTURES = 256  # read at a time: there may be more than memory holds
TOKENS = 65_536  # of a batch, padding included


class Predictions(NamedTuple):
    """One prediction a row, or of a series with times one a step to come, in the task's own words and units.

    Attributes:
        rows: the predictions, by name.
        notes: what was done to the rows.
    """

    rows: list[dict[str, Any]]
    notes: list[str]


def predict(run: Run, rows: Sequence[Any] | Table) -> Predictions:
    """Return the run's prediction for each row; of a series with times, a row for each step that comes after the file.

    Args:
        run: a run with weights.
        rows: examples as the encoding of the run's data takes them: `{"column": value}`, a list of numbers in order,
            the path of a picture, or a text; or a table, from `fourfold.data.table.reading.read_table`.

    Raises:
        InputError: a row does not fit; the message names row and column.
    """
    if isinstance(rows, str | bytes | Mapping):  # a sequence of letters or of keys would be taken for rows
        raise InputError("rows: expected a list of rows; put a single row into a list of its own")
    if not rows:
        raise InputError("nothing to predict: no rows were given")
    if isinstance(rows, Table):
        parts = [run.encoding.encode_table(rows)]
    elif all(isinstance(row, str | Path) for row in rows):
        parts = (run.encoding.encode_rows(rows[start : start + PICTURES]) for start in range(0, len(rows), PICTURES))
    else:
        parts = [run.encoding.encode_rows(rows)]
    predictions: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    for encoded in parts:
        notes |= dict.fromkeys(encoded.notes)
        found = _predicted(run, encoded.inputs)
        predictions += found if encoded.timeline is None else _dated(run, found, encoded.timeline)
    return Predictions(predictions, list(notes))


def _dated(run: Run, forecast: list[dict[str, Any]], line: Timeline) -> list[dict[str, Any]]:
    """Return the one forecast of a series as a row a step ahead, `{"day": "2024-05-15", "sold": 107.7}`."""
    (whole,), spec, encoding = forecast, run.spec, run.encoding
    assert isinstance(spec, ForecastingSpec)
    assert isinstance(encoding, SeriesEncoding)
    assert encoding.times is not None
    steps = enumerate(spec.by_step(whole), start=line.length)
    return [{encoding.times.column: line.time(place), **step} for place, step in steps]


def _predicted(run: Run, inputs: tuple[Tensor, ...]) -> list[dict[str, Any]]:
    predictions: list[dict[str, Any]] = []
    network = run.predictor
    if run.recipe.runtime.channels_last:
        inputs = tuple(p.contiguous(memory_format=torch.channels_last) if p.dim() == 4 else p for p in inputs)
    # of tokens fewer rows at a time: a network may hold a thousand numbers for each
    size = BATCH_SIZE if inputs[0].is_floating_point() else max(1, min(BATCH_SIZE, TOKENS // inputs[0].shape[1]))
    with torch.inference_mode():
        for start in range(0, len(inputs[0]), size):
            output = network(*(part[start : start + size] for part in inputs))
            predictions += run.spec.predictions(output)
    return predictions
