"""How every figure looks: one palette, one type size scale, fonts that hold Hangul where the machine has one.

Nothing here touches pyplot. While a figure is made or saved, matplotlib's settings and Python's warning filters are
changed and then put back, so figures are drawn by one thread at a time. matplotlib is imported when the first is drawn.

Checked by: class names in Hangul draw without a warning, with and without a font that holds them.
"""

import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourfold.core.extras import to_install
from fourfold.core.quiet import quiet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK = "#1f2933"  # text and true values
MUTED = "#62707f"  # axes, secondary text; 5.1 : 1 on PAPER
FAINT = "#e4e7eb"  # grids, the rest
PAPER = "#ffffff"
BLUE = "#2f6fab"  # what the model says
ORANGE = "#c44f17"  # what it gets wrong; 4.7 : 1 on PAPER, apart from BLUE for colour-blind readers too
GREEN = "#3f8f6b"
WIDTH = 4.4  # inches of an ordinary figure: two stand side by side on a page, one is read on a phone
FONTS = "matplotlib.font_manager"  # whose log tells each time that a font for Hangul has no bold of just this weight
SERIES = (BLUE, ORANGE, GREEN, "#8a5a9e", "#b8902f", "#4aa3b5", "#a6475c", "#6b7a3a", "#5d6d9e", "#8c6d5a")

_HANGUL_FONTS = (
    "Pretendard",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "Noto Sans CJK JP",  # the same glyphs; what Debian's fonts-noto-cjk registers first
    "NanumGothic",
    "Nanum Gothic",
    "Apple SD Gothic Neo",
    "AppleGothic",
    "Malgun Gothic",
    "Source Han Sans K",
    "UnDotum",
    "Baekmuk Dotum",
)


def font_families() -> list[str]:
    """Return DejaVu Sans, which matplotlib carries, then every installed font of ours that holds Hangul."""
    from matplotlib.font_manager import fontManager

    known = {font.fname for font in fontManager.ttflist}
    for carried in _carried_fonts():
        if carried not in known:
            fontManager.addfont(carried)
    installed = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in _HANGUL_FONTS if name in installed)]


def font_note(text: str) -> str | None:
    """Return what to tell the reader of a figure with this text, if no font here holds its Hangul."""
    if len(font_families()) > 1 or not any("가" <= letter <= "힣" for letter in text):
        return None
    return f"no font here holds Hangul, so it is drawn as boxes: {to_install('hangul')}"


def _carried_fonts() -> list[str]:
    """Return the fonts of the extra `hangul`, for titles too; found and not imported, for that changes settings."""
    if (package := find_spec("koreanize_matplotlib")) is None or package.origin is None:
        return []
    fonts = (Path(package.origin).parent / "fonts" / f"NanumGothic{weight}.ttf" for weight in ("", "Bold"))
    return [str(font) for font in fonts if font.exists()]


@contextmanager
def style() -> Iterator[None]:
    """Be the context in which a figure must be made; it ends without leaving a trace in matplotlib's settings."""
    from matplotlib import rc_context

    with quiet(FONTS), rc_context(_settings()):
        yield


def _settings() -> dict[Any, Any]:
    return {
        "font.family": font_families(),
        "font.size": 10,
        "text.color": INK,
        "text.parse_math": False,  # a class called "$" is not mathematics
        "axes.unicode_minus": True,
        "axes.titlesize": 11,
        "axes.titlelocation": "left",
        "axes.titlepad": 8,
        "axes.labelcolor": INK,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.8,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.formatter.useoffset": False,
        "grid.color": FAINT,
        "grid.linewidth": 0.8,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "lines.linewidth": 1.6,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "savefig.dpi": 144,
    }


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of this size in inches that lays itself out; call inside `style()`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class QuietFigure(Figure):
        """A figure that shows an empty box, and says nothing, where no installed font has the character."""

        def draw(self, renderer: Any) -> None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Glyph .* missing from")
                super().draw(renderer)

        def savefig(self, fname: Any, *, transparent: bool | None = None, **kwargs: Any) -> None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Glyph .* missing from")
                super().savefig(fname, transparent=transparent, **kwargs)

    figure = QuietFigure(figsize=(width, height), dpi=144, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def blank(axes: "Axes") -> None:
    """Leave nothing of the axes but what is drawn in them."""
    axes.set_axis_off()
    axes.grid(False)


def thousands(axis: "Axis") -> None:
    """Write whole tick labels from a thousand on with separators, `12,000`, and few enough of them to be read."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    class Separated(ScalarFormatter):
        """matplotlib's own labels, but with separators where numbers are large and whole."""

        large = False

        def set_locs(self, locs: Any) -> None:
            whole = all(abs(place - round(place)) < 1e-6 for place in locs)  # 2,000.2 and 2,000.4 are not both 2,000
            self.large = whole and 1000 <= max((abs(place) for place in locs), default=0) < 1e7
            super().set_locs(locs)

        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:,.0f}".replace("-", "−") if self.large else super().__call__(x, pos)

    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(Separated(useOffset=False))


def rgb(colour: str) -> list[float]:
    """Return a colour such as `#2f6fab` as red, green and blue, each in 0..1."""
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def display_width(text: str) -> int:
    """Return how many Latin letters wide `text` is; a Hangul syllable takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def shorten(text: str, length: int) -> str:
    """Return `text`, cut to `length` characters with an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "…"
