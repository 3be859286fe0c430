import io
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
import torch

from fourfold.tasks import figure as look
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features, Image

NAMES = ("고양이", "dog", "$fish")


def rendered(figure) -> bytes:
    """Draw for real: warnings are errors in these tests."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return file.getvalue()


def logits(classes: list[int]) -> torch.Tensor:
    return 3.0 * torch.eye(3)[classes]


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_say_what_they_are_taken_for_and_what_they_are(channels) -> None:
    spec = ClassificationSpec(Image(channels, 4, 4), NAMES)
    raw = torch.randint(0, 256, (3, channels, 4, 4), dtype=torch.uint8)
    figure = spec.draw(Batch((raw.float(),), torch.tensor([0, 1, 1])), logits([0, 1, 2]), raw)
    titles = [axes.get_title().strip() for axes in figure.axes]
    assert titles == ["고양이  91 %", "dog  91 %", "$fish  91 %\nis dog"]
    assert [axes.title.get_color() for axes in figure.axes] == [look.INK, look.INK, look.ORANGE]
    shown = np.asarray(figure.axes[2].images[0].get_array()).reshape(4, 4, -1)
    expected = raw[2].permute(1, 2, 0).numpy() / 255
    np.testing.assert_allclose(shown, expected, atol=1e-6)
    assert rendered(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("score", [2.0, 9.0])  # 79 % and > 99 %
def test_titles_of_long_class_names_stand_side_by_side(score) -> None:
    spec = ClassificationSpec(Image(1, 4, 4), ("People & Body", "Animals & Nature", "Food & Drink"))
    raw = torch.zeros(12, 1, 4, 4, dtype=torch.uint8)
    scores = torch.tensor([[score, 0.0, 0.0]]).expand(12, -1)
    figure = spec.draw(Batch((raw.float(),), torch.zeros(12, dtype=torch.int64)), scores, raw)
    figure.draw_without_rendering()
    boxes = [axes.title.get_window_extent() for axes in figure.axes[:4]]  # the first row
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_rows_show_the_features_that_stand_out_in_the_readers_units() -> None:
    spec = ClassificationSpec(Features(("length", "width", "age", "너비")), NAMES)
    encoded = torch.tensor([[0.1, -3.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    raw = torch.tensor([[10.0, 20.5, 30.0, 40.0], [1.0, 2.0, 3.0, 4.0]])
    figure = spec.draw(Batch((encoded,), torch.tensor([0, 2])), logits([0, 1]), raw)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "width 20.5   age 30   너비 40" in texts
    assert {"고양이  91 %", "dog  91 %", "고양이", "$fish"} <= set(texts)
    bars = [bar for bar in figure.axes[0].patches if bar.get_width() < 1]
    assert [round(bar.get_width(), 2) for bar in bars] == [0.91, 0.91]
    rendered(figure)


def test_regression_points_are_true_and_predicted_values_in_own_units() -> None:
    spec = RegressionSpec(Features(("a",)), ("price", "높이"), (100.0, 0.0), (10.0, 1.0))
    target, output = torch.tensor([[0.0, 1.0], [1.0, 2.0]]), torch.tensor([[0.5, 1.0], [1.0, 2.0]])
    figure = spec.draw(Batch((), target), output, target)
    assert len(figure.axes) == 4
    points = figure.axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(points, [[100, 105], [110, 110]])
    left_over = figure.axes[1].collections[0].get_offsets()
    np.testing.assert_allclose(left_over, [[105, 5], [110, 0]])
    assert figure.axes[2].get_xlabel() == "true 높이"
    rendered(figure)


def test_intervals_that_miss_the_truth_are_told_apart() -> None:
    spec = ProbabilisticRegressionSpec(Features(("a",)), ("price",), (100.0,), (10.0,))
    target, output = torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0, 0.0], [3.0, 0.0]])
    figure = spec.draw(Batch((), target), output, target)
    inside, outside = figure.axes[0].containers
    assert inside.lines[0].get_ydata().tolist() == [110]
    assert outside.lines[0].get_ydata().tolist() == [130]
    [segment] = outside.lines[2][0].get_segments()
    assert segment[:, 1].tolist() == pytest.approx([130 - 19.6, 130 + 19.6], abs=0.01)
    assert "1 of 2 miss" in figure.axes[1].get_title("left")
    rendered(figure)


def test_a_single_example_and_equal_values_can_be_drawn() -> None:
    spec = RegressionSpec(Features(("a",)), ("y",), (0.0,), (1.0,))
    rendered(spec.draw(Batch((), torch.zeros(1, 1)), torch.zeros(1, 1), None))
    pictures = torch.zeros(1, 1, 3, 3)
    spec = ClassificationSpec(Image(1, 3, 3), NAMES)
    rendered(spec.draw(Batch((pictures,), torch.tensor([0])), logits([0]), pictures))


def test_each_tick_has_a_label_of_its_own() -> None:
    with look.style():
        figure = look.new_figure(3, 2)
        axes = figure.subplots()
        axes.set_xlim(2000, 2001)
        axes.set_ylim(2000, 12000)
        for axis in (axes.xaxis, axes.yaxis):
            look.thousands(axis)
        rendered(figure)
    assert [float(label.get_text()) for label in axes.get_xticklabels()] == pytest.approx(axes.get_xticks(), abs=1e-6)
    assert "12,000" in [label.get_text() for label in axes.get_yticklabels()]


@pytest.mark.promise("R22")
def test_an_installed_hangul_font_is_used_after_our_own(monkeypatch) -> None:
    from matplotlib import font_manager

    class Font:
        name = "NanumGothic"
        fname = "NanumGothic.ttf"

    monkeypatch.setattr(font_manager.fontManager, "ttflist", [*font_manager.fontManager.ttflist, Font()])
    assert look.font_families() == ["DejaVu Sans", "NanumGothic"]


@pytest.mark.promise("R22")
@pytest.mark.skipif(find_spec("koreanize_matplotlib") is None, reason="needs the extra hangul")
def test_the_font_of_the_extra_draws_hangul_and_nothing_need_be_told() -> None:
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    assert "NanumGothic" in look.font_families()
    file = next(font.fname for font in fontManager.ttflist if font.name == "NanumGothic")
    assert all(ord(letter) in FT2Font(file).get_charmap() for letter in "가나다힣")
    assert look.font_note("정렬할 셀") is None
    assert "koreanize_matplotlib" not in sys.modules


def test_a_font_without_the_weight_of_a_title_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """Every font of a family is looked for, and matplotlib would tell of each at every figure."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager

    names = {font.name for font in fontManager.ttflist}
    single = {name for name in names if {font.weight for font in fontManager.ttflist if font.name == name} == {400}}

    def draw(size: float) -> None:  # another size each time: what was found is remembered
        with rc_context({"font.family": ["DejaVu Sans", sorted(single)[0]]}):
            figure = Figure()
            figure.suptitle("a title", weight="bold", size=size)
            figure.savefig(io.BytesIO())

    draw(11.0625)
    assert caplog.records
    caplog.clear()
    with look.style():
        draw(11.125)
    assert not caplog.records


def test_hangul_that_no_font_holds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "font_families", lambda: ["DejaVu Sans"])
    assert look.font_note("Zellen") is None
    assert 'pip install -e ".[hangul]"' in str(look.font_note("정렬할 셀"))


def test_drawing_leaves_matplotlibs_settings_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    spec = RegressionSpec(Features(("a",)), ("y",), (0.0,), (1.0,))
    rendered(spec.draw(Batch((), torch.zeros(2, 1)), torch.ones(2, 1), None))
    assert dict(matplotlib.rcParams) == before


def test_tasks_import_no_drawing_library_until_something_is_drawn() -> None:
    program = (
        "import sys, fourfold.tasks.classification, fourfold.tasks.regression, fourfold.tasks.probabilistic_regression,"
        "fourfold.tasks.specs; sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
