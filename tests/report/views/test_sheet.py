import io

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from fourfold.report.drawing import LEAST, PIXELS_PER_INCH
from fourfold.report.views.sheet import BETWEEN, GAP, HEADING, LINE, MARGIN, Row, Tile, draw_sheet
from fourfold.tasks.figure import ORANGE, WIDTH


def _picture(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, dtype=np.uint8)


def test_pictures_lie_in_rows_under_their_words() -> None:
    tall = Tile(_picture(4, 2, 10), ("a", "b"), frame=(0.25, -1.0, 0.5, 0.75))
    rows = [
        Row("고양이", [tall, Tile(_picture(4, 2, 20), ("c",))], 2, wrong=True),
        Row("", [Tile(_picture(2, 2, 30))], 4),
    ]
    figure = draw_sheet(rows)
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    (axes,) = figure.axes
    side, small = (WIDTH - 2 * MARGIN - GAP) / 2, (WIDTH - 2 * MARGIN - 3 * GAP) / 4
    top = MARGIN + HEADING + 2 * LINE
    below = top + 2 * side + BETWEEN
    expected = [
        (MARGIN, MARGIN + side, top + 2 * side, top),
        (MARGIN + side + GAP, WIDTH - MARGIN, top + 2 * side, top),
        (MARGIN, MARGIN + small, below + small, below),
    ]
    assert [image.get_extent() for image in axes.images] == [pytest.approx(each) for each in expected]
    assert [int(np.asarray(image.get_array())[0, 0, 0]) for image in axes.images] == [10, 20, 30]
    assert figure.get_figheight() == pytest.approx(below + small + MARGIN)
    words = {text.get_text(): text for text in figure.findobj(Text) if text.get_text()}
    assert list(words) == ["고양이", "a", "b", "c"]
    assert words["고양이"].get_color() == ORANGE
    assert words["a"].get_position()[1] < words["b"].get_position()[1] == words["c"].get_position()[1] < top
    frames = [each for each in axes.patches if isinstance(each, Rectangle) and each.get_linewidth() > 1]
    (frame,) = frames
    assert frame.get_bbox().extents == pytest.approx((MARGIN + side / 4, top, MARGIN + side / 2, top + 1.5 * side))


def test_it_fits_a_phone_with_words_that_can_be_read() -> None:
    figure = draw_sheet([Row("x" * 200, [Tile(_picture(2, 2, 0), ("가" * 60,))] * 3, 3)])
    room = 390 - 2 * 0.8 * 16 - 2 * 0.9 * 16 - 2
    assert figure.get_figwidth() * PIXELS_PER_INCH * LEAST <= room
    figure.canvas.draw()
    edge = figure.get_figwidth() * figure.dpi
    for text in figure.findobj(Text):
        if text.get_text():
            assert text.get_fontsize() * 96 / 72 * room / (figure.get_figwidth() * PIXELS_PER_INCH) >= 7.5
            assert text.get_window_extent().x1 <= edge
