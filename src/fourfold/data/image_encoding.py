"""Pictures as model inputs, standardised per channel, from pixels or from a picture file.

Checked by: Pillow's own conversions; the data source's own batches.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.encoding import EncodedRows, Encoding, Standardise, shown, statistics
from fourfold.data.pictures.problems import about_many
from fourfold.data.pictures.reading import (
    Picture,
    Proportions,
    Remark,
    UnreadableError,
    Wanted,
    read_bytes,
    read_picture,
)
from fourfold.tasks.seam import Image

LIGHT = Remark(*["light ground, while the training pictures are dark; invert it if they show light ink"] * 2)
FAR = 16  # times as large a side as that of any training picture, for a picture to be of another kind
FEW = 3  # pictures of which the same is said one by one


class ImageEncoding(Encoding):
    """Pictures of one size. A row is one of these, alone or as `{"image": …}`:

    - the path of a picture file, converted to the right channels and size;
    - pixels as nested lists, `[height][width]` for grey, `[channels][height][width]` or `[height][width][channels]`;
    - pixels as one flat list, channel after channel, row after row.

    Pixels are numbers from 0 to `maximum`.
    """

    name: Literal["image"] = "image"
    channels: Literal[1, 3]
    height: int = Field(ge=1, le=8192)
    width: int = Field(ge=1, le=8192)
    maximum: float = Field(default=255.0, gt=0, description="the value of a fully bright pixel")
    proportions: Proportions = Field(default="stretch", description="how a picture of other proportions gets this size")
    mean: list[float]
    deviation: list[float]
    largest: int | None = Field(
        default=None, ge=1, description="pixels on the longest side of any training picture as it was; null: not known"
    )

    @model_validator(mode="after")
    def _check(self) -> "ImageEncoding":
        if not len(self.mean) == len(self.deviation) == self.channels or min(self.deviation) <= 0:
            raise ValueError("expected one mean and one deviation above zero for each channel")
        return self

    @classmethod
    def fit(cls, raw: Tensor, maximum: float = 255.0) -> "ImageEncoding":
        """Proportions on training pictures `[examples, channels, height, width]`."""
        _, channels, height, width = raw.shape
        assert channels in (1, 3)
        mean, deviation = statistics(raw)
        return cls(
            channels=channels,
            height=height,
            width=width,
            maximum=maximum,
            mean=mean,
            deviation=deviation,
            largest=max(height, width),
        )

    @property
    def image(self) -> Image:
        """What a spec promises about these pictures."""
        return Image(self.channels, self.height, self.width)

    def standardise(self) -> Standardise:
        """Return the arithmetic on `[batch, channels, height, width]`."""
        return Standardise(*torch.tensor([self.mean, self.deviation], dtype=torch.float64))

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn pictures into `([batch, channels, height, width],)`."""
        remarks: list[tuple[Path, Remark]] = []
        pictures = [self._picture(row, f"row {i + 1}", remarks) for i, row in enumerate(rows)]
        size = (len(rows), self.channels, self.height, self.width)
        raw = torch.from_numpy(np.stack(pictures) if pictures else np.zeros(size, np.float32))
        return EncodedRows((self.standardise().encode(raw),), _lines(remarks))

    def _picture(self, row: Any, at: str, remarks: list[tuple[Path, Remark]]) -> np.ndarray:
        """Return one picture as float32 `[channels, height, width]`, 0 to `maximum`."""
        if isinstance(row, Mapping):
            if set(row) != {"image"}:
                raise InputError(f'{at}: expected {{"image": a path or pixels}}, got the keys {shown(list(row))}')
            row = row["image"]
        if isinstance(row, str | Path):
            return self._read(Path(row).expanduser(), remarks)
        if not isinstance(row, Sequence | np.ndarray | Tensor):
            raise InputError(f"{at}: expected a picture's path or its pixels, got {shown(row)}")
        try:
            pixels = np.asarray(row, dtype=np.float32)
        except (ValueError, TypeError, OverflowError):
            raise InputError(f"{at}: the pixels are not a regular grid of numbers") from None
        size = (self.channels, self.height, self.width)
        if pixels.shape == (self.height, self.width, self.channels) and pixels.shape != size:
            pixels = pixels.transpose(2, 0, 1)
        elif pixels.shape not in (size, (pixels.size,), size[1:]) or pixels.size != np.prod(size):
            wanted = f"{self.channels}x{self.height}x{self.width}"
            raise InputError(f"{at}: {'x'.join(map(str, pixels.shape))} pixels where {wanted} are needed")
        if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > self.maximum:
            raise InputError(f"{at}: pixels must lie between 0 and {self.maximum:g}")
        return np.ascontiguousarray(pixels.reshape(size))

    def _read(self, path: Path, remarks: list[tuple[Path, Remark]]) -> np.ndarray:
        try:
            picture = read_picture(read_bytes(path), Wanted(self.height, self.width, self.channels, self.proportions))
        except UnreadableError as error:
            raise InputError(f"{path}: {error}") from None
        if self.largest is not None and max(picture.width, picture.height) >= FAR * self.largest:
            remarks.append((path, self._far(picture)))
        remarks += [(path, remark) for remark in (*picture.remarks, picture.resized) if remark is not None]
        pixels = picture.pixels.astype(np.float32).transpose(2, 0, 1) * (self.maximum / 255)
        if self._is_on_light_ground(pixels):
            remarks.append((path, LIGHT))
        return np.ascontiguousarray(pixels)

    def _far(self, picture: Picture) -> Remark:
        """Return the warning about a picture that is much larger than those the model was trained on: a photograph."""
        gone = "detail is gone" if self.channels == 3 or picture.grey else "detail and colours are gone"
        of = f"from the training pictures, of which none is larger than {self.largest} pixels a side: {gone}"
        end = "and the answer may mean nothing"
        return Remark(f"far {of}, {end}", f"{picture.width}x{picture.height} is far {of}, {end}")

    def _is_on_light_ground(self, pixels: np.ndarray) -> bool:
        """Return whether a light picture comes to a model trained on dark ones: ink on paper is the usual case."""
        border = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1)
        dark = sum(self.mean) / self.channels < 0.4 * self.maximum
        return dark and float(np.median(border)) > 0.6 * self.maximum


def _lines(remarks: Sequence[tuple[Path, Remark]]) -> list[str]:
    """Return what there is to say, a line a picture, or one for many of which the same can be said."""
    kinds: dict[str, list[str]] = {}
    for path, remark in remarks:
        kinds.setdefault(remark.kind, []).append(str(path))
    many = [about_many(kind, paths) for kind, paths in kinds.items() if len(paths) > FEW]
    return [f"{path}: {remark.text}" for path, remark in remarks if len(kinds[remark.kind]) <= FEW] + many
