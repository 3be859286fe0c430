"""A figure on a page: matplotlib drawn as SVG whose colours and fonts are the page's own, and as PNG for a document.

The fixed colours of `tasks.figure` become CSS variables, so that one drawing is readable in light and dark, and text
stays text, which the browser sets in a font that has the characters (Hangul class names).

Checked by: the SVG parses, keeps no colour of the palette, and shows a class called `<script>` as text.
"""

import io
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from fourfold.core.errors import InputError
from fourfold.core.quiet import quiet
from fourfold.records.atomic import write_atomically
from fourfold.tasks.figure import BLUE, FAINT, FONTS, GREEN, INK, MUTED, ORANGE, PAPER, SERIES, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 96  # CSS
LEAST = 0.74  # smallest share of its width at which text is legible; below it a figure scrolls
RASTER_DPI = 192  # of pictures inside an SVG, and of PNG files

VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    FAINT: "faint",
    PAPER: "card",
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    **{colour: f"series-{i}" for i, colour in enumerate(SERIES) if i > 2},
}
_COLOUR = re.compile("|".join(map(re.escape, VARIABLES)), re.IGNORECASE)
_FONT = re.compile(r"(font: [^;\"]*?px |font-family: )[^;\"]+")  # matplotlib writes the second where it knows one font
_IDS = re.compile(r"(?<=\bid=\")|(?<=url\(#)|(?<=href=\"#)")
_TAG = re.compile(r"<[^>]*>")
_NOT_NEEDED = re.compile(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", re.DOTALL)


@dataclass(frozen=True)
class Drawn:
    """A figure and its words.

    Attributes:
        name: the PNG's name without its ending, such as `loss`.
        figure: a matplotlib figure made inside `tasks.figure.style()`.
        caption: what a reader should see in it, a sentence or two.
    """

    name: str
    figure: "Figure"
    caption: str

    def to_html(self) -> str:
        """Return a `<figure>` element, the drawing inline."""
        width = round(self.figure.get_figwidth() * PIXELS_PER_INCH)
        svg = to_svg(self.figure, self.name, self.caption)
        least = round(LEAST * width)
        return (
            f'<figure id="{escape(self.name)}" style="--width:{width}px; --least:{least}px">'
            f'<div class="scroll">{svg}</div><figcaption>{escape(self.caption)}</figcaption></figure>'
        )

    def write_png(self, folder: Path) -> Path:
        """Write `<folder>/<name>.png` and return its path.

        Raises:
            InputError: the file cannot be written.
        """
        return write_png(self.figure, folder / f"{self.name}.png")


def draw_nothing() -> None:
    """Draw an empty pair of axes: fonts and styles are looked up once a process, when the first figure is drawn."""
    with style():
        figure = new_figure(1, 1)
        figure.subplots().set_title("0")
    _save(figure, io.StringIO(), "svg")


def write_png(figure: "Figure", path: Path) -> Path:
    """Write a figure as PNG, light on white, and return its path.

    Raises:
        InputError: the name does not end in .png, or the file cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: the name of a PNG file must end in .png")
    buffer = io.BytesIO()
    _save(figure, buffer, "png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return path


def to_svg(figure: "Figure", prefix: str, label: str) -> str:
    """Return `figure` as an `<svg>` element to put into a page.

    Args:
        figure: a matplotlib figure.
        prefix: put before every id inside, so that figures of one page do not meet.
        label: what a screen reader says.
    """
    buffer = io.StringIO()
    _save(figure, buffer, "svg")
    text = buffer.getvalue()
    text = _NOT_NEEDED.sub("", text[text.index("<svg") :])
    text = _TAG.sub(lambda tag: _themed(tag[0], prefix), text)
    box = re.search(r'viewBox="[^"]+"', text)
    assert box is not None
    opening = f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" role="img" aria-label="{escape(label)}" {box[0]}>'
    return opening + text[text.index(">") + 1 :].strip()


def _themed(tag: str, prefix: str) -> str:
    """Rewrite one tag; what stands between tags is the user's text and is left alone."""
    if tag.startswith("<image"):  # base64 may hold anything; only the tag's own ids matter
        head, _, data = tag.partition("xlink:href=")
        return f"{_IDS.sub(prefix + '-', head)}xlink:href={data}" if data else tag
    tag = _COLOUR.sub(lambda colour: f"var(--{VARIABLES[colour[0].lower()]})", tag)
    return _IDS.sub(prefix + "-", _FONT.sub(_page_font, tag))


def _page_font(found: re.Match[str]) -> str:
    """Return the page's own font in place of matplotlib's; text in columns keeps letters of one width."""
    return f"{found[1]}var(--{'mono' if 'Mono' in found[0] else 'sans'})"


def _save(figure: "Figure", buffer: "io.StringIO | io.BytesIO", kind: str) -> None:
    from matplotlib import rc_context

    with quiet(FONTS), rc_context({"svg.fonttype": "none", "svg.hashsalt": "fourfold"}):
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(buffer, format=kind, dpi=RASTER_DPI, metadata=metadata)  # pyright: ignore[reportArgumentType]
