"""A part that changes pictures, drawn: what it makes of a few of them."""

from pathlib import Path

from fourfold.core.errors import InputError
from fourfold.core.overrides import apply_overrides, parse_overrides
from fourfold.run.parts import TABLES

CHANGE_PICTURES = ("augment", "regularizer")  # the kinds of part of which some do


def draw_part(kinds: list[str], name: str, overrides: list[str], png: Path) -> Path:
    """Draw a part into a file and return its path.

    Raises:
        InputError: the part changes no pictures, or the file cannot be written.
    """
    able = [kind for kind in kinds if kind in CHANGE_PICTURES]
    if not able:
        raise InputError(f"--png draws augmentations and regularizers of batches; '{name}' is neither")
    from fourfold.report.drawing import write_png
    from fourfold.report.fed import draw_fed

    kind = able[0]
    changes = {key.removeprefix(f"{kind}."): value for key, value in parse_overrides(overrides).items()}
    config = TABLES[kind].parse(apply_overrides({"name": name}, changes), kind)
    return write_png(draw_fed(config), png)
