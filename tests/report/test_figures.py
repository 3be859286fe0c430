"""Each figure against what it should show, read back from matplotlib or from the SVG."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from matplotlib.text import Text
from sklearn.metrics import confusion_matrix as sklearn_confusion
from torch import nn

from fourfold.algorithms.combining import mean
from fourfold.algorithms.ensemble import Ensemble
from fourfold.records.points import Point
from fourfold.report.boundary import draw_boundary
from fourfold.report.confusion import draw_confusion
from fourfold.report.curves import draw_curves
from fourfold.report.drawing import LEAST, PIXELS_PER_INCH, VARIABLES, Drawn, to_svg
from fourfold.report.predictions import Predictions, predict_split
from fourfold.report.residuals import draw_numbers
from fourfold.report.shown import show_predictions
from fourfold.report.weights import as_picture, draw_weights
from fourfold.run.api import run as run_recipe
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.figure import BLUE, ORANGE, SERIES, new_figure, style
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features, Image

EVIL = '<script>alert("1")</script> id="x" #2f6fab 고양이'


def points(name: str, values: list[float]) -> list[Point]:
    return [Point(10 * i, name, value, 0.0) for i, value in enumerate(values)]


def test_svg_is_well_formed_and_its_colours_are_the_pages():
    with style():
        figure = new_figure(3, 2)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=BLUE)
        axes.set_title(EVIL)
    svg = to_svg(figure, "one", EVIL)
    root = ElementTree.fromstring(svg)
    tags = "".join(re.findall(r"<[^>]*>", svg))
    assert "var(--blue)" in tags
    assert "var(--card)" in tags
    assert not [colour for colour in VARIABLES if colour in tags.replace(EVIL, "").replace("#2f6fab 고양이", "")]
    assert EVIL in "".join(root.itertext())
    assert all(identity.startswith("one-") for identity in re.findall(r'\bid="([^"]*)"', tags))
    assert "DejaVu" not in svg


@pytest.mark.promise("R22")
def test_hangul_stays_text_which_the_browser_draws(recwarn):
    spec = ClassificationSpec(Features(("가로", "세로")), ("고양이", "강아지"))
    drawn = draw_confusion(spec, torch.eye(2), torch.tensor([0, 1]), "test")
    assert ">고양이<" in drawn.to_html()
    assert not recwarn.list


def test_curves_hold_the_points_and_log_only_what_spans():
    recorded = points("train.loss", [2.0, 1.0, 0.5]) + points("validation.loss", [2.1, math.nan, 0.9])
    loss, score = draw_curves(recorded + points("validation.accuracy", [0.1, 0.8]), "accuracy", expected=0.9)
    train, validation = loss.figure.axes[0].get_lines()
    assert train.get_xydata().tolist() == [[0, 2.0], [10, 1.0], [20, 0.5]]
    assert validation.get_xydata().tolist() == [[0, 2.1], [20, 0.9]]
    assert loss.figure.axes[0].get_yscale() == "linear"
    assert [line.get_ydata()[0] for line in score.figure.axes[0].get_lines()] == [10, 90]
    (label,) = score.figure.axes[0].get_legend().get_texts()
    assert label.get_text() == "expected test accuracy"  # the curve is the validation split's, and its title says so
    assert score.figure.axes[0].get_title("left") == "Validation accuracy"
    assert score.figure.axes[0].get_ylabel() == "accuracy (%)"
    assert "10.00\u00a0% at step 0, 80.00\u00a0% at the end" in score.caption
    (steep,) = draw_curves(points("train.loss", [2.0, 0.001]), "accuracy")
    assert steep.figure.axes[0].get_yscale() == "log"


def test_a_training_loss_with_auxiliary_outputs_says_so():
    both = points("train.loss", [2.0, 1.6]) + points("validation.loss", [1.5, 1.1])
    (plain,) = draw_curves(both, "accuracy")
    legend = plain.figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["train", "validation"]
    assert plain.caption == "Loss ends at 1.6 (train), 1.1 (validation)."
    terms = points("train.main", [1.4, 1.0]) + points("train.auxiliary", [0.6, 0.6])
    (drawn,) = draw_curves(both + terms, "accuracy")
    legend = drawn.figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["train, with auxiliary outputs", "validation"]
    assert "the main output's alone ends at 1, which compares with validation" in drawn.caption


def test_a_constant_learning_rate_is_not_drawn():
    assert [d.name for d in draw_curves(points("train.lr", [0.1, 0.1]), "accuracy")] == []
    (drawn,) = draw_curves(points("train.lr", [0.1, 0.2, 0.05]), "accuracy")
    assert drawn.name == "learning-rate"
    assert drawn.caption == "Learning rate: at most 0.2 at the steps logged, 0.05 at the end."  # between them, unknown


def test_large_numbers_on_an_axis_have_separators_and_small_ones_are_left_alone():
    large, small = draw_curves(
        points("train.loss", [24000.0, 8000.0]) + points("validation.rmse", [0.002, 0.004]), "rmse"
    )
    for drawn in (large, small):
        drawn.figure.canvas.draw()
    assert "10,000" in [label.get_text() for label in large.figure.axes[0].get_yticklabels()]
    assert "0.0030" in [label.get_text() for label in small.figure.axes[0].get_yticklabels()]
    assert small.figure.axes[0].get_ylabel() == "rmse (in the target's unit)"


@pytest.mark.parametrize("name", ["pictures", "flowers", "plane", "numbers", "intervals"])
def test_every_figure_fits_a_phone_with_text_that_can_be_read(runs, name):
    room = 390 - 2 * 0.8 * 16 - 2 * 0.9 * 16 - 2  # CSS pixels inside a card
    for drawn in show_predictions(runs(name)).all() + draw_curves(runs(name).folder.points(), "accuracy"):
        width = drawn.figure.get_figwidth() * PIXELS_PER_INCH
        assert width * LEAST <= room, drawn.name
        sizes = [text.get_fontsize() for text in drawn.figure.findobj(Text) if text.get_text().strip()]
        assert min(sizes, default=9) * 96 / 72 * min(1, room / width) >= 7.5, drawn.name


def test_confusion_cells_are_scikit_learns():
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 4, (200,), generator=generator)
    output = torch.randn(200, 4, generator=generator)
    drawn = draw_confusion(ClassificationSpec(Features(("x",)), tuple("abcd")), output, targets, "test")
    shown = np.zeros((4, 4), dtype=int)
    for text in drawn.figure.axes[0].texts:
        column, row = text.get_position()
        shown[int(row), int(column)] = int(text.get_text())
    assert shown.tolist() == sklearn_confusion(targets, output.argmax(1)).tolist()


def test_many_classes_list_the_commonest_mistakes():
    names = tuple(f"c{i}" for i in range(60))
    targets = torch.tensor([3, 3, 3, 5, 7])
    drawn = draw_confusion(
        ClassificationSpec(Features(("x",)), names),
        nn.functional.one_hot(torch.tensor([4, 4, 3, 6, 7]), 60).float(),
        targets,
        "validation",
    )
    labels = [label.get_text() for label in drawn.figure.axes[0].get_yticklabels()]
    assert labels == ["c3 taken for c4", "c5 taken for c6"]
    assert drawn.caption.startswith("2 of 5 validation examples are right.")


class Fake:
    """A source of one split, for predictions made by hand."""

    def __init__(self, spec, raw):
        self.spec, self._raw = spec, raw

    def raw(self, name, indices):
        return self._raw[indices]


def test_the_planted_mistake_is_the_worst():
    spec = ClassificationSpec(Features(("x",)), ("a", "b"))
    output = torch.tensor([[3.0, 0.0], [0.1, 0.0], [5.0, 0.0], [0.0, 9.0]])
    targets = torch.tensor([0, 0, 1, 1])
    predictions = Predictions(Fake(spec, torch.zeros(4, 1)), "test", Batch((torch.zeros(4, 1),), targets), output)
    assert predictions.ranked() == [3, 0, 1, 2]
    expected = [math.log1p(math.exp(-3)), math.log1p(math.exp(-0.1)), math.log1p(math.exp(5)), math.log1p(math.exp(-9))]
    assert predictions.badness().tolist() == pytest.approx(expected)


def test_numbers_are_drawn_in_their_own_unit():
    spec = RegressionSpec(Features(("x",)), ("price",), (100.0,), (10.0,))
    output, targets = torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [2.0]])
    predictions = Predictions(Fake(spec, torch.zeros(2, 1)), "test", Batch((torch.zeros(2, 1),), targets), output)
    drawn = draw_numbers("worst", "Worst", spec, predictions, [1, 0])
    dots = [
        line.get_xdata().tolist() if hasattr(line.get_xdata(), "tolist") else list(line.get_xdata())
        for line in drawn.figure.axes[0].get_lines()
    ]
    assert dots == [[120.0, 100.0], [100.0], [120.0], [100.0, 110.0], [110.0], [100.0]]
    assert "Off by 20 at most" in drawn.caption


def test_predicting_a_split_gives_the_recorded_score(runs):
    run = runs("pictures")
    predictions = predict_split(run)
    accuracy = float((predictions.output.argmax(1) == predictions.batch.targets).double().mean())
    assert predictions.split == "test"
    assert accuracy == pytest.approx(run.metrics["test"]["accuracy"])


def test_a_split_is_predicted_in_the_precision_that_was_trained_in(tmp_path):
    recipe = {
        "data": "iris",
        "model": "softmax_regression",
        "loss": "cross_entropy",
        "algorithm": "supervised",
        "budget": {"steps": 4},
        "runtime": {"precision": "bf16"},
    }
    output = predict_split(run_recipe(recipe, workspace=tmp_path)).output
    assert output.dtype == torch.float32
    assert torch.equal(output, output.bfloat16().float())


class Plane:
    """Points whose inputs are (raw - 10) / 2; the fake model divides at input 0, which is 10 in the reader's units."""

    def __init__(self):
        self.spec = ClassificationSpec(Features(("x", "y")), ("left", "right"))
        self._raw = 10 + 4 * torch.rand(50, 2, generator=torch.Generator().manual_seed(0)).double() - 2

    def split(self, name, batch_size):
        encoded = ((self._raw - 10) / 2).float()
        yield Batch((encoded,), (encoded[:, 0] > 0).long())

    def raw(self, name, indices):
        return self._raw[indices]


def test_the_boundary_lies_where_the_weights_say():
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
        model.bias.zero_()
    drawn = draw_boundary(model, Plane())  # type: ignore[arg-type]
    axes = drawn.figure.axes[0]
    lines = [path for each in axes.collections for path in each.get_paths() if type(each).__name__ == "QuadContourSet"]
    assert len(lines) == 1
    assert lines[0].vertices[:, 0] == pytest.approx(10.0, abs=1e-4)
    picture = axes.images[0].get_array()
    assert picture[0, 0, :3].tolist() == pytest.approx([int(SERIES[0][i : i + 2], 16) / 255 for i in (1, 3, 5)])
    assert picture[0, 0, 3] > picture[0, 100, 3]  # surer at the edge than beside the boundary


def test_bars_hold_the_weights_largest_first():
    spec = RegressionSpec(Features(("small", "large")), ("y",), (0.0,), (1.0,))
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.5, -2.0]]))
    drawn = draw_weights(model, spec)
    assert isinstance(drawn, Drawn)
    axes = drawn.figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [-2.0, 0.5]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["large", "small"]


def test_a_deep_network_on_a_table_draws_no_weights():
    spec = RegressionSpec(Features(("a", "b")), ("y",), (0.0,), (1.0,))
    assert draw_weights(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), spec) is None


def test_an_ensemble_draws_no_weights_for_one_member_s_are_not_the_others():
    spec = ClassificationSpec(Image(1, 4, 4), ("a", "b"))
    members = [nn.Sequential(nn.Flatten(), nn.Linear(16, 2)) for _ in range(2)]
    assert draw_weights(members[0], spec) is not None
    assert draw_weights(Ensemble(members, mean), spec) is None


def test_pictures_of_weights_are_blue_above_and_orange_below_zero():
    picture = as_picture(torch.tensor([[[1.0, -0.5]]]))
    channels = [[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in (BLUE, ORANGE)]
    assert picture[0, 0].tolist() == pytest.approx([*channels[0], 1.0])
    assert picture[0, 1].tolist() == pytest.approx([*channels[1], 0.5])


def test_units_on_pictures_and_filters_are_drawn():
    spec = ClassificationSpec(Image(1, 4, 4), ("a", "b", "c"))
    classes = draw_weights(nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), spec)
    assert classes is not None
    assert [text.get_text() for text in classes.figure.axes[0].texts] == ["a", "b", "c"]
    filters = draw_weights(nn.Sequential(nn.Conv2d(1, 6, 3)), spec)
    assert filters is not None
    assert "First layer: 6 filters of 3x3" in filters.caption
    assert len(filters.figure.axes[0].images) == 6
    many = draw_weights(nn.Sequential(nn.Conv2d(1, 64, 3)), spec)
    assert many is not None
    assert len(many.figure.axes[0].images) == 40
    assert "First layer: 40 of 64 filters of 3x3" in many.caption
