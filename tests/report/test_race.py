import base64
import hashlib
import io
import re
from pathlib import Path as File

import numpy as np
import pytest
from PIL import Image

from fourfold.algorithms.optimizers.momentum import MomentumConfig
from fourfold.algorithms.optimizers.sgd import SGDConfig
from fourfold.core.errors import FourfoldError, InputError
from fourfold.report import film
from fourfold.report.film import frame_steps, write_film
from fourfold.report.race import (
    draw_heights,
    draw_paths,
    draw_step_sizes,
    draw_still,
    has_left,
    heights,
    power_of_ten,
    visible,
)
from fourfold.report.race_page import race_page
from fourfold.study.race import Path, race
from fourfold.study.surfaces import SURFACES
from fourfold.tasks.figure import ORANGE, rgb

RAVINE = SURFACES["ravine"]
RACERS = {"sgd": SGDConfig(lr=0.03), "momentum": MomentumConfig(lr=0.01)}
LABELS = {"sgd": "lr 0.03", "momentum": "lr 0.01"}


@pytest.fixture(scope="module")
def paths() -> dict[str, Path]:
    return race(RACERS, RAVINE, 30)


@pytest.fixture(scope="module")
def diverging() -> dict[str, Path]:
    return race({"sgd": SGDConfig(lr=0.03), "momentum": MomentumConfig(lr=0.2)}, RAVINE, 30)


def test_paths_are_drawn_where_they_went(paths: dict[str, Path]) -> None:
    figure = draw_paths(RAVINE, paths).figure
    axes = figure.axes[0]
    drawn = {line.get_label(): np.asarray(line.get_xydata()) for line in axes.lines}
    for name, path in paths.items():
        np.testing.assert_array_equal(drawn[name], path.points.numpy())
    assert drawn["minimum"].tolist() == [[0, 0]]
    assert drawn["start"].tolist() == [[-4, 2]]
    assert (*axes.get_xlim(), *axes.get_ylim()) == tuple(RAVINE.window)
    assert axes.get_aspect() == 1


def test_contour_lines_lie_at_the_height_they_stand_for(paths: dict[str, Path]) -> None:
    from matplotlib.contour import QuadContourSet

    axes = draw_paths(SURFACES["wells"], paths).figure.axes[0]
    lines = next(each for each in axes.collections if isinstance(each, QuadContourSet) and not each.filled)
    assert any(abs(level - 0.171875) < 1e-9 for level in lines.levels)  # through the saddle, the two wells' border
    for level, line in zip(lines.levels, lines.get_paths(), strict=True):
        x, y = line.vertices[:, 0], line.vertices[:, 1]
        np.testing.assert_allclose(x**4 / 4 - 7 * x**2 / 8 - 3 * x / 4 + y**2 / 2, level, atol=2e-3)


def test_heights_and_steps_are_those_of_the_paths(paths: dict[str, Path]) -> None:
    for drawn, expected in (
        (draw_heights(RAVINE, paths), {name: path.losses.numpy() for name, path in paths.items()}),
        (draw_step_sizes(RAVINE, paths), {n: np.hypot(*np.diff(p.points.numpy(), axis=0).T) for n, p in paths.items()}),
    ):
        lines = {line.get_label(): np.asarray(line.get_ydata()) for line in drawn.figure.axes[0].lines}
        for name, values in expected.items():
            np.testing.assert_allclose(lines[name], values)
    deep = race({"sgd": SGDConfig(lr=0.1)}, SURFACES["wells"], 3)["sgd"]
    assert heights(deep, SURFACES["wells"])[0] == pytest.approx(float(deep.losses[0]) + 1.828125)


def test_who_leaves_is_said_to_and_is_drawn_to_the_edge(diverging: dict[str, Path]) -> None:
    assert [has_left(path, RAVINE) for path in diverging.values()] == [False, True]
    points = visible(diverging["momentum"], RAVINE)
    assert len(points) < len(diverging["momentum"].points)
    assert np.abs(points[:-1] - [-1.2, 0]).max() <= 4 * 7.2
    assert not RAVINE.window.holds(*points[-1])
    true = (diverging["momentum"].points[len(points) - 1] - diverging["momentum"].points[len(points) - 2]).numpy()
    step = points[-1] - points[-2]
    assert np.cross(np.append(step, 0), np.append(true, 0))[2] == pytest.approx(0, abs=1e-6 * np.abs(true).max() ** 2)
    np.testing.assert_array_equal(visible(diverging["sgd"], RAVINE), diverging["sgd"].points.numpy())
    drawn = draw_paths(RAVINE, diverging)
    assert drawn.caption.endswith("momentum left the picture.")
    still = draw_still(RAVINE, diverging, "Ravine").figure
    still.savefig(io.BytesIO(), format="png", dpi=40)
    legend = [text.get_text() for text in still.legends[0].get_texts()]
    assert legend == ["sgd", "momentum (left the picture)", "minimum", "start"]


def test_the_step_chart_is_about_those_who_stay(diverging: dict[str, Path]) -> None:
    low, high = draw_step_sizes(RAVINE, diverging).figure.axes[0].get_ylim()
    sizes = np.hypot(*np.diff(diverging["sgd"].points.numpy(), axis=0).T)
    assert low < sizes.min()
    assert sizes.max() < high < 1e5


def test_powers_of_ten_are_plain_text() -> None:
    assert [power_of_ten(x) for x in (1.0, 100.0, 1e-12)] == ["10⁰", "10²", "10⁻¹²"]


def test_frames_are_all_steps_or_evenly_spaced_ones() -> None:
    assert frame_steps(5) == [0, 1, 2, 3, 4, 5]
    many = frame_steps(1000, frames=11)
    assert many == list(range(0, 1001, 100))
    assert len(frame_steps(50_000)) == film.FRAMES


def test_the_film_ends_with_everyone_where_the_path_ends(paths: dict[str, Path], tmp_path: File) -> None:
    told: list[tuple[int, int]] = []
    file = write_film(RAVINE, paths, LABELS, 30, tmp_path / "new" / "경주.gif", lambda *count: told.append(count))
    assert told == [(done, 31) for done in range(1, 32)]
    with Image.open(file) as picture:
        assert getattr(picture, "n_frames", 0) == 31
        times, sizes = [], []
        for i in range(31):
            picture.seek(i)
            times.append(picture.info["duration"])
            sizes.append(picture.size)
        last = np.asarray(picture.convert("RGB"))
        picture.seek(0)
        first = np.asarray(picture.convert("RGB"))
    assert set(sizes) == {(960, 540)}
    assert (times[0], times[15], times[-1]) == (700, 60, 2600)
    assert (last[2, 2] == 255).all()
    x, y = paths["momentum"].points[-1].tolist()
    column = round(960 * (0.065 + 0.585 * (x - RAVINE.window.left) / 7.2))
    row = round(540 * (1 - 0.115 - 0.78 * (y - RAVINE.window.bottom) / 5.4))
    orange = np.round(255 * np.array(rgb(ORANGE))).astype(int)
    assert np.abs(last[row, column].astype(int) - orange).max() <= 3
    assert np.abs(first[row, column].astype(int) - orange).max() > 30


def test_a_film_of_a_race_that_diverges_goes_on_to_its_last_step(diverging: dict[str, Path], tmp_path: File) -> None:
    path = race({"a": SGDConfig(lr=1.0)}, SURFACES["rosenbrock"], 12)
    assert path["a"].diverged
    with Image.open(write_film(SURFACES["rosenbrock"], path, {}, 12, tmp_path / "a.gif")) as picture:
        assert getattr(picture, "n_frames", 0) == 13


def test_mp4_without_ffmpeg_is_refused_in_one_line(paths: dict[str, Path], tmp_path: File, monkeypatch) -> None:
    monkeypatch.setattr(film.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"race.mp4: an .mp4 needs ffmpeg, which is not installed; a .gif or .html"):
        write_film(RAVINE, paths, LABELS, 30, tmp_path / "race.mp4")
    assert list(tmp_path.iterdir()) == []


def _ffmpeg(folder: File, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\nfor last; do :; done\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_ffmpeg_is_given_every_frame_and_its_file_is_kept(paths: dict[str, Path], tmp_path: File, monkeypatch) -> None:
    (tmp_path / "bin").mkdir()
    _ffmpeg(tmp_path / "bin", 'cat > "$last"', monkeypatch)
    file = write_film(RAVINE, paths, LABELS, 30, tmp_path / "race.mp4")
    frame = 960 * 540 * 3
    assert file.stat().st_size == frame * (29 + 700 // 60 + 1 + 2600 // 60)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "race.mp4"]


def test_what_ffmpeg_complains_of_is_passed_on(paths: dict[str, Path], tmp_path: File, monkeypatch) -> None:
    (tmp_path / "bin").mkdir()
    _ffmpeg(tmp_path / "bin", "echo 'no such codec' >&2; exit 3", monkeypatch)
    with pytest.raises(FourfoldError, match="ffmpeg failed: no such codec"):
        write_film(RAVINE, paths, LABELS, 30, tmp_path / "race.mp4")
    assert [each.name for each in tmp_path.iterdir()] == ["bin"]


def test_the_page_has_the_paths_that_were_run(paths: dict[str, Path]) -> None:
    page = race_page(RAVINE, paths, LABELS, 30, ["fourfold", "race", "sgd,momentum"])
    lines = re.findall(r'<polyline data-racer="(\d)" data-heights="([^"]+)" points="([^"]+)"', page)
    assert [int(racer) for racer, _, _ in lines] == [0, 1]
    box = re.search(r'<clipPath id="race-box"><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', page)
    assert box is not None
    left, top, across, high = map(float, box.groups())
    for (_, told, points), path in zip(lines, paths.values(), strict=True):
        places = np.array([pair.split(",") for pair in points.split()], dtype=float)
        x = RAVINE.window.left + (places[:, 0] - left) / across * 7.2
        y = RAVINE.window.top - (places[:, 1] - top) / high * 5.4
        np.testing.assert_allclose(np.stack([x, y], axis=1), path.points.numpy(), atol=0.01)
        assert len(told.split()) == 31
        assert float(told.split()[0].replace(",", "")) == 108
    assert across / high == pytest.approx(4 / 3, rel=0.01)


def test_the_paths_in_the_page_lie_on_the_drawn_axes(paths: dict[str, Path]) -> None:
    """The start's circle, drawn by matplotlib, and the first point of a path, put there by us, are one place."""
    page = race_page(RAVINE, paths, LABELS, 30, ["fourfold", "race"])
    first = re.search(r'<polyline data-racer="0" [^>]*points="([\d.]+),([\d.]+)', page)
    assert first is not None
    used = [tuple(map(float, pair)) for pair in re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', page)]
    x, y = map(float, first.groups())
    assert min(abs(a - x) + abs(b - y) for a, b in used) < 0.05


def test_the_page_loads_nothing_and_lets_only_its_own_script_run(diverging: dict[str, Path]) -> None:
    page = race_page(RAVINE, diverging, {"sgd": "<script>alert(1)</script>"}, 30, ["fourfold", "race"])
    assert "<script>alert(1)" not in page
    assert "left the picture" in page
    script = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', page) == []
    assert set(re.findall(r'https?://[^"\s<]+', page)) <= {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}
