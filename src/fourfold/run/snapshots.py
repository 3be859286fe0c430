"""Small pictures of what a model does, kept in a run's folder as training goes on: `samples/step-000250.png`.

What a source has to show, it says (`Source.snapshot`); most have nothing.

Checked by: a run's files; a resumed run has those of one that was never stopped.
"""

import io
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from fourfold.records.atomic import write_atomically
from fourfold.tasks.seam import Source

FOLDER = "samples"


@torch.inference_mode()
def take(model: nn.Module, source: Source) -> Tensor | None:
    """Return a picture of what the model does now, uint8 `[height, width, channels]`, or None."""
    training = model.training
    model.eval()
    try:
        return source.snapshot(model)
    finally:
        model.train(training)


def keep(picture: Tensor, folder: Path, step: int) -> Path:
    """Write a picture that was taken after `step` steps into a run's folder.

    Raises:
        OSError: it cannot be written.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    path = folder / FOLDER / f"step-{step:06d}.png"
    write_atomically(path, to_png(picture))
    return path


def kept(folder: Path) -> list[tuple[int, Path]]:
    """Return the steps and pictures that a run's folder holds, in order."""
    found = [(re.fullmatch(r"step-(\d+)\.png", path.name), path) for path in (folder / FOLDER).glob("step-*.png")]
    return sorted((int(match[1]), path) for match, path in found if match)


def to_png(picture: Tensor) -> bytes:
    """Return a picture as a PNG file."""
    import PIL.Image

    buffer = io.BytesIO()
    pixels = picture[:, :, 0] if picture.shape[2] == 1 else picture
    PIL.Image.fromarray(pixels.contiguous().cpu().numpy()).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
