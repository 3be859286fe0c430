"""Reading a picture file into 8-bit pixels of one size; training and predicting do it alike.

A picture is turned as its camera says, laid on white where it is transparent, made grey or RGB, and brought to size by
antialiased bilinear interpolation. A JPEG that is much larger than needed is decoded at a half, a quarter or an eighth
of its size, which is several times faster and leaves out only detail that the size asked for cannot hold.

Only the formats of `FORMATS` are opened: some others that Pillow knows start programs.

Checked by: hand-made files of every mode; Pillow's own conversions and sizes.
"""

import io
import os
import re
import stat
import warnings
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

Proportions = Literal["crop", "pad", "stretch"]  # what becomes of a picture whose sides are not as those wanted

SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .bmp .gif .tif .tiff .webp .avif .jp2 .pbm .pgm .ppm .pnm".split()  # noqa: SIM905
)
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP", "JPEG2000", "AVIF")  # usual ones first: the rest load
MAX_PIXELS = 100_000_000  # of a picture; a larger one is refused before it is decoded
MAX_BYTES = 1 << 30  # of its file
# A pipe would else be waited for, and a terminal could become this process's own.
OPENED = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
ORIENTATION = 0x0112  # the EXIF tag; 5 to 8 say that the sides are swapped
SCALES = (8, 4, 2, 1)  # by which Pillow lets a JPEG's decoder divide its size


class Wanted(NamedTuple):
    """The pixels to make of a picture."""

    height: int
    width: int
    channels: int  # 1 or 3
    proportions: Proportions


class Remark(NamedTuple):
    """What was done to a picture that its owner may not expect: in words that many share, and with its numbers."""

    kind: str
    text: str


class Picture(NamedTuple):
    """A picture as it was read."""

    image: Any  # Pillow's, mode L or RGB, of the size wanted
    width: int  # in the file, upright
    height: int
    grey: bool  # the file itself has no colour
    remarks: list[Remark]
    resized: Remark | None

    @property
    def pixels(self) -> np.ndarray:
        """The pixels, uint8 `[height, width, channels]`."""
        return np.asarray(self.image).reshape(self.image.height, self.image.width, -1)


class UnreadableError(ValueError):
    """A file that gives no picture; `str()` says why, without its name."""


def read_bytes(path: Path | str) -> bytes:
    """Return what a picture's file holds.

    Raises:
        UnreadableError: missing, empty, too large, no plain file, or not to be read.
    """
    try:
        file = os.open(path, OPENED)  # by descriptor: a file object asks the system twice as often, which shows
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableError("a folder, not a file" if stat.S_ISDIR(found.st_mode) else "not a plain file")
            if found.st_size > MAX_BYTES:
                raise UnreadableError(f"{found.st_size:,} bytes; at most {MAX_BYTES:,} are read")
            data = os.read(file, found.st_size)
            while len(data) < found.st_size and (more := os.read(file, found.st_size - len(data))):
                data += more
        finally:
            os.close(file)
    except FileNotFoundError:
        raise UnreadableError("a broken symbolic link" if os.path.islink(path) else "no such file") from None
    except OSError as error:
        if not os.path.isfile(path):  # a socket, say, cannot even be opened
            raise UnreadableError("a folder, not a file" if os.path.isdir(path) else "not a plain file") from None
        raise UnreadableError((error.strerror or str(error)).lower()) from None
    except UnreadableError:
        raise
    except ValueError as error:  # a zero byte in the name
        raise UnreadableError(str(error)) from None
    if not data:
        raise UnreadableError("an empty file")
    return data


def read_picture(data: bytes, wanted: Wanted) -> Picture:
    """Return the picture in a file's bytes.

    Raises:
        UnreadableError: no picture, a damaged one, or one that is too large.
    """
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures, which are an error here, and of odd metadata
            with PIL.Image.open(io.BytesIO(data), formats=FORMATS) as file:
                if file.width * file.height > MAX_PIXELS:
                    raise UnreadableError(_too_large(f"{file.width:,}x{file.height:,} pixels"))
                remarks = _frames(file)
                full = _decode_small(file, wanted)
                file.load()
                grey, upright = _is_grey(file), _upright(file)
                full = full or upright.size
                image = _of_mode(upright, wanted.channels, remarks)
    except UnreadableError:
        raise
    except PIL.Image.DecompressionBombError:
        raise UnreadableError(_too_large(f"over {2 * MAX_PIXELS:,} pixels")) from None
    except (PIL.UnidentifiedImageError, KeyError):  # a Pillow without AVIF has no such key
        raise UnreadableError("not a picture that can be read") from None
    except Exception as error:  # Pillow raises almost anything on a damaged file
        raise UnreadableError(f"damaged: {_reason(error)}") from None
    if image.size == (wanted.width, wanted.height):
        return Picture(image, full[0], full[1], grey, remarks, None)
    return Picture(of_size(image, wanted), full[0], full[1], grey, remarks, _resized(full[0], full[1], wanted))


def _decode_small(file: Any, wanted: Wanted) -> tuple[int, int] | None:
    """Let a JPEG's decoder give the smallest of its sizes that holds all the pixels wanted.

    Returns:
        The whole picture's width and height, upright; None of another format, which is left alone.
    """
    if file.format != "JPEG":
        return None
    turned = file.getexif().get(ORIENTATION) in (5, 6, 7, 8)
    full = (file.height, file.width) if turned else file.size
    width, height = placed(full[0], full[1], wanted)
    file.draft(None, (height, width) if turned else (width, height))
    return full


def placed(width: int, height: int, wanted: Wanted) -> tuple[int, int]:
    """Return the width and height of a whole picture once it is scaled, before anything is cut off or added."""
    if wanted.proportions == "stretch":
        return wanted.width, wanted.height
    scales = wanted.width / width, wanted.height / height
    scale = max(scales) if wanted.proportions == "crop" else min(scales)
    return max(1, round(width * scale)), max(1, round(height * scale))


def of_size(image: Any, wanted: Wanted) -> Any:
    """Return Pillow's picture brought to the size wanted."""
    import PIL.Image

    bilinear = PIL.Image.Resampling.BILINEAR
    size = wanted.width, wanted.height
    if wanted.proportions == "crop":
        scale = max(wanted.width / image.width, wanted.height / image.height)
        width, height = min(image.width, wanted.width / scale), min(image.height, wanted.height / scale)
        left, top = (image.width - width) / 2, (image.height - height) / 2
        return image.resize(size, bilinear, box=(left, top, left + width, top + height))
    if wanted.proportions == "stretch":
        return image.resize(size, bilinear)
    inner = image.resize(placed(image.width, image.height, wanted), bilinear)
    framed = PIL.Image.new(image.mode, size)  # black
    framed.paste(inner, ((wanted.width - inner.width) // 2, (wanted.height - inner.height) // 2))
    return framed


def _resized(width: int, height: int, wanted: Wanted) -> Remark:
    same = width * wanted.height == height * wanted.width
    kept = same or (wanted.proportions != "stretch" and placed(width, height, wanted) == (wanted.width, wanted.height))
    ends = {
        "crop": "; what its proportions leave over was cut off",
        "pad": "; framed in black",
        "stretch": "; its proportions changed",
    }
    end = "" if kept else ends[wanted.proportions]
    to = f"to {wanted.width}x{wanted.height} (width x height){end}"
    return Remark(f"resized {to}", f"resized from {width}x{height} {to}")


def _of_mode(image: Any, channels: int, remarks: list[Remark]) -> Any:
    """Return the picture as 8-bit grey or RGB, and say what had to change."""
    import PIL.Image

    wanted = "L" if channels == 1 else "RGB"
    if image.mode.startswith("I") or image.mode == "F":  # Pillow would clip 16 bits instead of scaling them
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        high = 65535.0 if image.mode.startswith("I;16") or values.max() > 255 else 255.0
        image = PIL.Image.fromarray((values.clip(0, high) * (255 / high)).round().astype(np.uint8))
        remarks.append(_same(f"{'16' if high > 255 else '8'}-bit grey scaled to 8 bits"))
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        grey = image.mode in ("L", "LA", "La")
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] < 255:
            white = PIL.Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = PIL.Image.alpha_composite(white, image)
            remarks.append(_same("transparent parts laid on white"))
        image = image.convert("L" if grey else "RGB")
    if image.mode != wanted:
        if (image.mode, wanted) not in (("P", "RGB"), ("1", "L")):
            remarks.append(_same(f"converted from {image.mode} to {'grey' if wanted == 'L' else 'RGB'}"))
        image = image.convert(wanted)
    return image


def _upright(file: Any) -> Any:
    from PIL import ImageOps

    return ImageOps.exif_transpose(file) if file.getexif().get(ORIENTATION, 1) in range(2, 9) else file


def _is_grey(file: Any) -> bool:
    if file.mode == "P":
        palette = np.array(file.getpalette()).reshape(-1, 3)
        used = palette[[index for _, index in file.getcolors()]]
        return bool((used == used[:, :1]).all())
    return file.mode in ("1", "L", "LA", "La", "F") or file.mode.startswith("I")


def _frames(file: Any) -> list[Remark]:
    several = file.format in ("GIF", "WEBP", "TIFF", "PNG") and getattr(file, "is_animated", False)
    return [_same("several frames, of which the first is used")] if several else []


def _same(text: str) -> Remark:
    return Remark(text, text)


def _too_large(size: str) -> str:
    return f"{size}; at most {MAX_PIXELS:,} are read"


def _reason(error: Exception) -> str:
    text = " ".join(re.sub(r"<[^>]*>", "", str(error)).split()) or type(error).__name__
    return text if len(text) <= 100 else text[:99] + "…"
