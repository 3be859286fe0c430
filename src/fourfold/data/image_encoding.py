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
from fourfold.tasks.seam import Image

MAX_PIXELS = 100_000_000  # of a picture file; a larger one is refused before it is decoded


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
    mean: list[float]
    deviation: list[float]

    @model_validator(mode="after")
    def _check(self) -> "ImageEncoding":
        if not len(self.mean) == len(self.deviation) == self.channels or min(self.deviation) <= 0:
            raise ValueError("expected one mean and one deviation above zero for each channel")
        return self

    @classmethod
    def fit(cls, raw: Tensor, maximum: float = 255.0) -> "ImageEncoding":
        """Fit on training pictures `[examples, channels, height, width]`."""
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
        notes: list[str] = []
        pictures = [self._picture(row, f"row {i + 1}", notes) for i, row in enumerate(rows)]
        size = (len(rows), self.channels, self.height, self.width)
        raw = torch.from_numpy(np.stack(pictures) if pictures else np.zeros(size, np.float32))
        return EncodedRows((self.standardise().encode(raw),), notes)

    def _picture(self, row: Any, at: str, notes: list[str]) -> np.ndarray:
        """Return one picture as float32 `[channels, height, width]`, 0 to `maximum`."""
        if isinstance(row, Mapping):
            if set(row) != {"image"}:
                raise InputError(f'{at}: expected {{"image": a path or pixels}}, got the keys {shown(list(row))}')
            row = row["image"]
        if isinstance(row, str | Path):
            return self._read(Path(row).expanduser(), notes)
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

    def _read(self, path: Path, notes: list[str]) -> np.ndarray:
        from PIL import Image as Picture
        from PIL import ImageOps

        try:
            with Picture.open(path) as file:
                if file.width * file.height > MAX_PIXELS:
                    raise InputError(f"{path}: {file.width}x{file.height} pixels; at most {MAX_PIXELS:,} are read")
                picture = ImageOps.exif_transpose(file)
                picture.load()
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except InputError:
            raise
        except Exception as error:  # Pillow raises almost anything on a damaged file
            raise InputError(f"{path}: not a picture that can be read ({type(error).__name__})") from None
        picture = self._converted(picture, path, notes)
        if picture.size != (self.width, self.height):
            stretched = picture.width * self.height != picture.height * self.width
            notes.append(
                f"{path}: resized from {picture.width}x{picture.height} to {self.width}x{self.height} (width x height)"
                + ("; its proportions changed" if stretched else "")
            )
            picture = picture.resize((self.width, self.height), Picture.Resampling.BILINEAR)
        pixels = np.asarray(picture, dtype=np.float32) * (self.maximum / 255)
        pixels = pixels.reshape(self.height, self.width, self.channels).transpose(2, 0, 1)
        self._compare_grounds(pixels, path, notes)
        return np.ascontiguousarray(pixels)

    def _converted(self, picture: Any, path: Path, notes: list[str]) -> Any:
        """Return the picture as 8-bit grey or RGB; what had to change is noted."""
        from PIL import Image as Picture

        wanted = "L" if self.channels == 1 else "RGB"
        if picture.mode.startswith("I") or picture.mode == "F":  # Pillow would clip 16 bits instead of scaling them
            values = np.asarray(picture, dtype=np.float64)
            high = 65535.0 if values.max() > 255 else 255.0
            picture = Picture.fromarray((values.clip(0, high) * (255 / high)).round().astype(np.uint8))
            notes.append(f"{path}: {'16' if high > 255 else '8'}-bit grey scaled to 8 bits")
        if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            ground = Picture.new("RGBA", picture.size, (255, 255, 255, 255))
            picture = Picture.alpha_composite(ground, picture).convert("RGB")
            notes.append(f"{path}: transparent parts laid on white")
        if picture.mode != wanted:
            if {picture.mode, wanted} != {"P", "RGB"}:
                notes.append(f"{path}: converted from {picture.mode} to {'grey' if wanted == 'L' else 'RGB'}")
            picture = picture.convert(wanted)
        return picture

    def _compare_grounds(self, pixels: np.ndarray, path: Path, notes: list[str]) -> None:
        """Say so when a light picture comes to a model trained on dark ones: ink on paper is the usual case."""
        border = np.concatenate([pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]], axis=1)
        dark = sum(self.mean) / self.channels < 0.4 * self.maximum
        if dark and float(np.median(border)) > 0.6 * self.maximum:
            notes.append(
                f"{path}: light ground, while the training pictures are dark; invert it if they show light ink"
            )
