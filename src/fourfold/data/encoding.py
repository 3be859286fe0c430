"""Turning raw examples into what a model takes, and remembering how, as plain data.

An encoding is fitted on the training split only and stored with the run, so that a new example is treated exactly as
training did, without the training data. It is a config: `to_mapping()` gives JSON-ready data, and
`encoding_from_mapping` rebuilds it, refusing anything that is not one of the table's encodings.

Checked by: scikit-learn's StandardScaler; a changed test value changes nothing; JSON round trips.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.registry import Entry, Table
from fourfold.data.series.timeline import Timeline
from fourfold.data.table.reading import Table as FileTable

CHUNK = 4096  # examples widened to float64 at once while fitting


class EncodedRows(NamedTuple):
    """New examples, ready for the model."""

    inputs: tuple[Tensor, ...]  # each [batch, …] float32, for `model(*inputs)`
    notes: list[str]  # what was done to the examples that their owner may not expect
    timeline: Timeline | None = None  # of a series whose file has times: where its rows stand


class Standardise:
    """Subtract the mean and divide by the deviation, per feature `[features]` or per channel `[channels]`.

    Args:
        mean: float64.
        deviation: float64, above zero.
    """

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        self.mean, self.deviation = mean, deviation
        self._mean, self._scale = mean.float(), (1 / deviation).float()  # for pixels, which float32 holds exactly

    def encode(self, raw: Tensor) -> Tensor:
        """Return the standardised batch, float32, in the memory layout of `raw`.

        Numbers that came as float64 are subtracted in float64, so that a large mean (a year, a price) costs no digits.
        """
        if raw.dim() != 4:
            wide = raw if raw.is_floating_point() else raw.float()
            return ((wide - self.mean.to(wide.dtype)) / self.deviation.to(wide.dtype)).float()
        mean, scale = self._mean, self._scale
        nhwc = raw.permute(0, 2, 3, 1)
        _, _, width, channels = nhwc.shape
        if channels > 1 and nhwc.is_contiguous():
            # One row of pixels against one row of tiled statistics: an inner loop over 3 channels is 7 times slower.
            rows = nhwc.reshape(-1, width * channels).float().sub_(mean.repeat(width)).mul_(scale.repeat(width))
            return rows.view(nhwc.shape).permute(0, 3, 1, 2)
        return raw.float().sub_(mean.view(1, -1, 1, 1)).mul_(scale.view(1, -1, 1, 1))

    def decode(self, encoded: Tensor) -> Tensor:
        """Return what was encoded: `encoded * deviation + mean`, in its own precision."""
        shape = (1, -1, *([1] * (encoded.dim() - 2)))
        return encoded * self.deviation.to(encoded).view(shape) + self.mean.to(encoded).view(shape)

    def to(self, device: torch.device) -> "Standardise":
        """Return the same on `device`; statistics become float32 where the device has no float64."""
        dtype = torch.float32 if device.type == "mps" else torch.float64
        return Standardise(self.mean.to(device, dtype), self.deviation.to(device, dtype))


def statistics(raw: Tensor) -> tuple[list[float], list[float]]:
    """Return the mean and deviation of each feature or channel.

    The deviation of what does not vary (beyond the rounding of its own mean) is given as 1, so that it encodes to zero.

    Args:
        raw: `[examples, features]` or `[examples, channels, height, width]`.
    """
    axes = (0,) if raw.dim() == 2 else (0, 2, 3)
    count = raw.numel() // raw.shape[1]
    mean = sum((part.double().sum(axes) for part in raw.split(CHUNK)), torch.zeros(raw.shape[1]).double()) / count
    centre = mean.view(1, -1, *([1] * (raw.dim() - 2)))
    squares = (part.double().sub(centre).square_().sum(axes) for part in raw.split(CHUNK))
    deviation = (sum(squares, torch.zeros_like(mean)) / count).sqrt()
    varies = deviation > 10 * torch.finfo(torch.float64).eps * mean.abs()
    return mean.tolist(), torch.where(varies, deviation, 1.0).tolist()


class Encoding(PartConfig):
    """The base of all encodings."""

    def standardise(self) -> Standardise:
        """Return the arithmetic from raw tensors, as the source holds them, to model inputs."""
        raise NotImplementedError

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn new examples, JSON values as a person or a file gives them, into model inputs.

        Raises:
            InputError: a row does not fit; the message names the row, counted from 1, and the column.
        """
        raise NotImplementedError

    def encode_table(self, table: FileTable) -> EncodedRows:
        """Turn the rows of a file into model inputs.

        Raises:
            InputError: the table does not fit; the message names the file, its row and the column.
        """
        raise InputError(f"{table.path}: this run takes pictures, not the rows of a table; give picture files")


class FeaturesEncoding(Encoding):
    """Rows of named numbers; a row is `{"name": number, …}` or `[number, …]` in the order of `names`."""

    name: Literal["features"] = "features"
    names: list[str] = Field(max_length=1_000_000)
    mean: list[float]
    deviation: list[float]

    @model_validator(mode="after")
    def _check(self) -> "FeaturesEncoding":
        _check_statistics(len(self.names), self.mean, self.deviation)
        return self

    @classmethod
    def fit(cls, names: tuple[str, ...], raw: Tensor) -> "FeaturesEncoding":
        """Fit on training inputs `[examples, features]`."""
        mean, deviation = statistics(raw)
        return cls(names=list(names), mean=mean, deviation=deviation)

    @classmethod
    def unchanged(cls, names: tuple[str, ...]) -> "FeaturesEncoding":
        """Leave numbers as they are."""
        return cls(names=list(names), mean=[0.0] * len(names), deviation=[1.0] * len(names))

    def standardise(self) -> Standardise:
        """Return the arithmetic on `[batch, features]`."""
        return Standardise(*torch.tensor([self.mean, self.deviation], dtype=torch.float64))

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn rows of numbers into `([batch, features],)`."""
        values = [self._values(row, f"row {i + 1}") for i, row in enumerate(rows)]
        raw = torch.tensor(values, dtype=torch.float64).view(len(rows), len(self.names))
        return EncodedRows((self.standardise().encode(raw),), [])

    def encode_table(self, table: FileTable) -> EncodedRows:
        """Turn a file's rows of numbers into `([batch, features],)`."""
        check_columns(table.columns, self.names, table.nameless, str(table.path))
        rows = zip(*(table.columns[name] for name in self.names), strict=True)
        values = [
            self._values(row, f"{table.path}: row {number}") for number, row in zip(table.rows, rows, strict=True)
        ]
        return EncodedRows((self.standardise().encode(torch.tensor(values, dtype=torch.float64)),), table.notes)

    def _values(self, row: Any, at: str) -> list[float]:
        if isinstance(row, Mapping):
            check_columns(row, self.names, (), at)
            named = [(name, row[name]) for name in self.names]
        elif isinstance(row, Sequence) and not isinstance(row, str):
            if len(row) != len(self.names):
                raise InputError(f"{at}: {len(row)} numbers where {len(self.names)} are needed ({_listed(self.names)})")
            named = list(zip(self.names, row, strict=True))
        else:
            raise InputError(f"{at}: expected numbers by name or in order, got {shown(row)}")
        return [to_number(value, f"{at}, column '{name}'") for name, value in named]


ENCODINGS = Table(
    "encoding",
    {
        "features": Entry("fourfold.data.encoding:FeaturesEncoding", "rows of named numbers, standardised"),
        "image": Entry("fourfold.data.image_encoding:ImageEncoding", "pictures, standardised per channel"),
        "masked_text": Entry("fourfold.data.text.masked_encoding:MaskedTextEncoding", "texts with [MASK] in them"),
        "table": Entry("fourfold.data.table.encoding:TableEncoding", "rows of a user's table"),
        "text": Entry("fourfold.data.text.encoding:TextEncoding", "texts, or pairs of texts, as tokens"),
        "tagged_text": Entry("fourfold.data.text.encoding:TaggedTextEncoding", "texts whose words are tagged"),
        "series": Entry("fourfold.data.series.encoding:SeriesEncoding", "stretches of series, standardised"),
        "symbols": Entry("fourfold.data.series.symbols:SymbolsEncoding", "sequences of symbols, as they are"),
    },
)


def encoding_from_mapping(fields: Mapping[str, Any]) -> Encoding:
    """Rebuild an encoding from what `to_mapping` returned.

    Raises:
        InputError: not an encoding; the message starts with the dotted key.
    """
    encoding = ENCODINGS.parse(fields, "encoding")
    assert isinstance(encoding, Encoding)
    return encoding


def check_columns(row: Mapping[Any, Any], needed: Sequence[str], ignored: Sequence[str], at: str) -> None:
    """Raise InputError unless `row` has every column of `needed`, and none besides but those of `ignored`."""
    known = {*needed, *ignored}
    for name in row:
        if name not in known:
            raise InputError(f"{at}: no such column: '{name}'{did_you_mean(str(name), needed)}")
    missing = [name for name in needed if name not in row]
    if missing:
        raise InputError(f"{at}: missing: {_listed(missing)} (null, or an empty cell, says that a value is not known)")


def to_number(value: Any, at: str) -> float:
    """Return a finite float from a JSON number or numeric text; raise InputError that starts with `at` otherwise."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise InputError(f"{at}: {shown(value)} is not a finite number")


def shown(value: Any) -> str:
    """Return a value for a message, cut to one short line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _check_statistics(size: int, mean: Sequence[float], deviation: Sequence[float]) -> None:
    if len(mean) != size or len(deviation) != size:
        raise ValueError(f"{size} inputs, but {len(mean)} means and {len(deviation)} deviations")
    if any(value <= 0 for value in deviation):
        raise ValueError("every deviation must be above zero")
