"""A race as a film: GIF through Pillow, MP4 where ffmpeg is installed.

What does not move is drawn once; a frame adds the paths so far, the height of each, and where each is.

Checked by: a GIF's frames are counted and timed; its last frame has every racer's colour where its path ends.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

import numpy as np

from fourfold.core.errors import FourfoldError, InputError
from fourfold.records.atomic import fsync_directory, remove, rename_durably, temporary_beside, write_atomically
from fourfold.report.race import colour, draw_surface, heights, put_heights, visible, width
from fourfold.study.race import Path
from fourfold.study.surfaces import Surface
from fourfold.tasks.figure import FAINT, INK, MUTED, PAPER, SERIES, new_figure, rgb, shorten, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

FRAMES = 110  # at most
SIZE = (9.6, 5.4)  # inches
DPI = 100  # 960 x 540 pixels, even in both directions, as video wants it
FRAME_MS = 60
FIRST_MS, LAST_MS = 700, 2600  # it stands still to be read
FAR_AWAY = "left the picture"
UNKNOWN = 255  # a number that no colour of the palette has


def frame_steps(steps: int, frames: int = FRAMES) -> list[int]:
    """Return the steps that are shown: all of them, or at most `frames` evenly spaced ones, both ends included."""
    if steps < frames:
        return list(range(steps + 1))
    return sorted({round(i * steps / (frames - 1)) for i in range(frames)})


def write_film(
    surface: Surface,
    paths: Mapping[str, Path],
    labels: Mapping[str, str],
    steps: int,
    file: File,
    heard: Callable[[int, int], None] | None = None,
) -> File:
    """Write a race as `.gif` or `.mp4` and return the file's path.

    Args:
        surface: what they race on.
        paths: by racer.
        labels: a few words on each racer, such as `lr 0.1`.
        steps: how many were asked for; a path may have ended before.
        file: where it goes.
        heard: told after each frame how many are drawn, and how many there are to draw.

    Raises:
        InputError: the file cannot be written, or it is an `.mp4` and there is no ffmpeg.
        FourfoldError: ffmpeg failed.
    """
    check_film(file)
    frames = _frames(surface, paths, labels, steps, frame_steps(steps), heard or (lambda done, total: None))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix.lower() == ".mp4":
            _write_mp4(frames, file)
        else:
            write_atomically(file, _to_gif(list(frames)))
    except OSError as error:
        raise InputError(f"{file}: {(error.strerror or str(error)).lower()}") from None
    return file


def check_film(file: File) -> None:
    """Raise InputError where `.mp4` is asked for and there is no ffmpeg."""
    if file.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise InputError(f"{file}: an .mp4 needs ffmpeg, which is not installed; a .gif or .html needs nothing")


def _frames(
    surface: Surface,
    paths: Mapping[str, Path],
    labels: Mapping[str, str],
    steps: int,
    shown: list[int],
    heard: Callable[[int, int], None],
) -> "Iterator[Image]":
    """Yield each frame as a picture."""
    from PIL import Image

    with style():
        figure = new_figure(*SIZE)
        figure.set_dpi(DPI)
        canvas: Any = figure.canvas
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.065, 0.115, 0.585, 0.78))
        chart = figure.add_axes((0.745, 0.115, 0.235, 0.27))
        table = figure.add_axes((0.695, 0.45, 0.285, 0.475))
        draw_surface(axes, surface)
        title = axes.set_title(" ", fontweight="bold")
        put_heights(chart, surface, paths)
        chart.set_title("Height", fontsize=10)
        for line in chart.lines:
            line.set_visible(False)
        rows = _Rows(table, paths, labels)
        moving = [_Racer(axes, chart, i, path, surface) for i, path in enumerate(paths.values())]
        for artist in (title, *rows.artists, *(each for racer in moving for each in racer.artists)):
            artist.set_animated(True)
        canvas.draw()
        background = canvas.copy_from_bbox(figure.bbox)
        for done, step in enumerate(shown, 1):
            canvas.restore_region(background)
            title.set_text(f"{surface.title}: step {step} of {steps}")
            rows.show(step, [racer.height_at(step) for racer in moving])
            for racer in moving:
                racer.show(step)
            axes.draw_artist(title)
            for artist in rows.artists:
                table.draw_artist(artist)
            for layer in zip(*(racer.artists for racer in moving), strict=True):  # no path covers where another is
                for artist in layer:
                    artist.axes.draw_artist(artist)
            yield Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
            heard(done, len(shown))


class _Racer:
    """What moves for one racer: its path with a dot at its end, and its line in the chart."""

    def __init__(self, axes: "Axes", chart: "Axes", index: int, path: Path, surface: Surface) -> None:
        self._points, self._heights, self._path = visible(path, surface), heights(path, surface), path
        self._window = surface.window
        self._drawn = np.asarray(chart.lines[index].get_ydata())
        paint = colour(index)
        (self._halo,) = axes.plot([], [], color=PAPER, linewidth=3.6, alpha=0.6)
        (self._line,) = axes.plot([], [], color=paint, linewidth=width(index))
        (self._dot,) = axes.plot([], [], "o", color=paint, markersize=8, markeredgecolor=PAPER)
        (self._curve,) = chart.plot([], [], color=paint, linewidth=1.6)
        self.artists: list[Any] = [self._halo, self._line, self._dot, self._curve]

    def show(self, step: int) -> None:
        points = self._points[: step + 1]
        for line in (self._halo, self._line):
            line.set_data(points[:, 0], points[:, 1])
        self._dot.set_data(points[-1:, 0], points[-1:, 1])
        self._curve.set_data(np.arange(len(self._drawn))[: step + 1], self._drawn[: step + 1])

    def height_at(self, step: int) -> float | None:
        """Return how high it is, None where it has left the picture."""
        if self._path.diverged and step > self._path.steps:
            return None
        here = self._path.points[step].tolist()
        return float(self._heights[step]) if self._window.holds(*here) else None


class _Rows:
    """The racers as a table: colour, name, what is said of it, and how high it is now."""

    def __init__(self, axes: "Axes", paths: Mapping[str, Path], labels: Mapping[str, str]) -> None:
        axes.set_axis_off()
        axes.set_xlim(0, 1)
        axes.set_ylim(max(len(paths), 7), -1)
        for x, words, side in ((0.07, "optimizer", "left"), (1, "height", "right")):
            axes.text(x, -0.5, words, color=MUTED, fontsize=9, va="center", ha=side)
        axes.plot([0, 1], [-0.02, -0.02], color=FAINT, linewidth=1)
        self.artists: list[Any] = []
        for i, name in enumerate(paths):
            axes.plot(0.02, i + 0.5, "o", color=colour(i), markersize=8, clip_on=False)
            axes.text(0.07, i + 0.5, shorten(name, 14), va="center", fontsize=10, color=INK)
            axes.text(0.43, i + 0.5, shorten(labels.get(name, ""), 10), va="center", fontsize=8.5, color=MUTED)
            self.artists.append(axes.text(1, i + 0.5, "", va="center", ha="right", fontsize=10))

    def show(self, step: int, heights: list[float | None]) -> None:
        for artist, height in zip(self.artists, heights, strict=True):
            artist.set_text(FAR_AWAY if height is None else f"{height:.0e}" if 0 < height < 1e-3 else f"{height:.3g}")
            artist.set_color(MUTED if height is None else INK)
            artist.set_fontsize(8.5 if height is None else 10)


def _to_gif(frames: "list[Image]") -> bytes:
    """Return an animated GIF with one palette for all frames, so that no colour flickers."""
    from PIL import Image

    palette = _palette(frames[-1])
    known = np.full(1 << 24, UNKNOWN, dtype=np.uint8)  # each colour's number in the palette, found when first met
    pages = []
    for frame in frames:
        codes = np.asarray(frame).astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
        new = np.unique(codes[known[codes] == UNKNOWN])
        for part in np.array_split(new, len(new) // 4096 + 1):
            paint = np.stack([part >> 16, part >> 8 & 255, part & 255], axis=1)
            known[part] = ((paint[:, None, :] - palette) ** 2).sum(axis=2).argmin(axis=1)
        page = Image.fromarray(known[codes])
        page.putpalette(palette.astype(np.uint8).tobytes())
        pages.append(page)
    times = [FRAME_MS] * len(pages)
    times[0], times[-1] = FIRST_MS, LAST_MS
    buffer = BytesIO()
    pages[0].save(buffer, format="GIF", save_all=True, append_images=pages[1:], duration=times, loop=0, disposal=1)
    return buffer.getvalue()


def _palette(frame: "Image") -> Any:
    """Return colours `[at most 255, 3]`: ours and the frame's commonest as they are, and means for the rest."""
    counted: Any = frame.getcolors(frame.width * frame.height)
    ours = [tuple(round(255 * value) for value in rgb(paint)) for paint in (PAPER, INK, MUTED, FAINT, *SERIES)]
    common = [paint for _, paint in sorted(counted, reverse=True)[:150]]
    rest = frame.quantize(colors=120).getpalette() or []
    candidates = [*ours, *common, *zip(rest[::3], rest[1::3], rest[2::3], strict=True)]
    return np.array(list(dict.fromkeys(candidates))[:UNKNOWN], dtype=np.int32)


def _write_mp4(frames: "Iterator[Image]", file: File) -> None:
    """Have ffmpeg write the film; the first and last frame are repeated for as long as they are to stand still.

    Raises:
        FourfoldError: it failed.
        OSError: the file cannot be renamed.
    """
    across, high = (round(DPI * inches) for inches in SIZE)
    temporary = temporary_beside(file)
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{across}x{high}"]
    command += ["-r", f"{1000 / FRAME_MS:g}", "-i", "-", "-pix_fmt", "yuv420p", "-f", "mp4", str(temporary.absolute())]
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as ffmpeg:
            assert ffmpeg.stdin is not None
            assert ffmpeg.stderr is not None
            data = b""
            try:
                for i, frame in enumerate(frames):
                    data = frame.tobytes()
                    ffmpeg.stdin.write(data * (FIRST_MS // FRAME_MS if i == 0 else 1))
                ffmpeg.stdin.write(data * (LAST_MS // FRAME_MS))
                ffmpeg.stdin.close()
            except BrokenPipeError:
                pass  # it says why, below
            said = ffmpeg.stderr.read().decode("utf-8", errors="replace").strip()
        if ffmpeg.returncode:
            last = said.splitlines()[-1] if said else f"exit code {ffmpeg.returncode}"
            raise FourfoldError(f"{file}: ffmpeg failed: {last}")
        rename_durably(temporary, file)
        fsync_directory(file.parent)
    finally:
        remove(temporary)
