"""Each view against what it should show, read back from its figure."""

import io
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from torch import nn

from fourfold.data.image_encoding import ImageEncoding
from fourfold.report.drawing import Drawn
from fourfold.report.predictions import Predictions
from fourfold.report.views.embedding import draw_embedding, project
from fourfold.report.views.examples import Example, as_shown, choose, shrunk, spaced
from fourfold.report.views.fields import HEAT, StageField, affordable, draw_fields, measure_fields
from fourfold.report.views.grad_cam import draw_grad_cam, explain, over
from fourfold.report.views.maps import draw_maps, most_varied, some
from fourfold.report.views.pairs import draw_pairs
from fourfold.report.weights import as_picture
from fourfold.run.views.embedding import Projection
from fourfold.run.views.grad_cam import grad_cam
from fourfold.run.views.layers import record, stages
from fourfold.run.views.mistakes import confused_pairs, surprise
from fourfold.run.views.receptive_field import Field, Sees
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.figure import BLUE, MUTED, SERIES, rgb
from fourfold.tasks.seam import Batch, Features, Image

NAMES = ("cat", "dog", "고양이")
GREY = ImageEncoding(channels=1, height=8, width=8, mean=[100.0], deviation=[50.0])


def _network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 4, 2), nn.Tanh())
    return nn.Sequential(layers, nn.Flatten(), nn.Linear(16, 3)).eval()


def _predictions(output: torch.Tensor, targets: torch.Tensor, spec: ClassificationSpec | None = None) -> Predictions:
    inputs = torch.arange(len(targets)).float()[:, None, None, None].expand(-1, 1, 8, 8) / 50 - 2
    source: Any = SimpleNamespace(spec=spec or ClassificationSpec(Image(1, 8, 8), NAMES))
    return Predictions(source, "test", Batch((inputs,), targets), output)


def _drawn(drawn: Drawn) -> tuple[list[Any], list[str]]:
    drawn.figure.savefig(io.BytesIO(), format="png", dpi=40)
    (axes,) = drawn.figure.axes
    return [np.asarray(image.get_array()) for image in axes.images], [text.get_text() for text in axes.texts]


def test_pictures_are_shown_as_they_were_before_encoding() -> None:
    raw = torch.arange(2 * 3 * 4 * 5).view(2, 3, 4, 5).to(torch.uint8)
    encoding = ImageEncoding.fit(raw)
    shown = as_shown(encoding, encoding.standardise().encode(raw))
    assert np.array_equal(shown, raw.permute(0, 2, 3, 1).numpy())
    grey = as_shown(GREY, torch.tensor([[[[-2.0, 3.1], [0.0, 1.0]]]]))
    assert grey[0, :, :, 0].tolist() == [[0, 255], [100, 150]]
    assert (grey == grey[:, :, :, :1]).all()


def test_large_pictures_are_made_small_by_means() -> None:
    maps = torch.randn(2, 3, 256, 128)
    small = shrunk(maps, 64)
    assert small.shape == (2, 3, 64, 32)
    torch.testing.assert_close(small[1, 2, 5, 7], maps[1, 2, 20:24, 28:32].mean())
    assert shrunk(small, 64) is small


def test_of_many_examples_some_at_even_distances_are_taken() -> None:
    assert spaced(5, 9) == [0, 1, 2, 3, 4]
    assert spaced(10, 4) == [0, 2, 5, 7]
    assert some(list(range(10)), 4) == [0, 3, 6, 9]
    assert some([1, 2], 4) == [1, 2]
    assert (affordable(32, 32), affordable(224, 224)) == (32, 1)


def test_ordinary_hits_of_different_classes_and_the_worst_mistakes_are_chosen() -> None:
    sure = torch.tensor([9.0, 5.0, 4.5, 5.5, 4.0, 5.2, 2.0, 8.0, 3.0])
    said = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2])
    output = torch.nn.functional.one_hot(said, 3) * sure[:, None]
    targets = torch.tensor([0, 0, 0, 1, 1, 1, 0, 0, 1])
    chosen = choose(_predictions(output, targets), 2, 2)
    assert [each.name for each in chosen] == ["test picture 2", "test picture 5", "test picture 8", "test picture 9"]
    assert [each.true for each in chosen] == [0, 1, 0, 1]
    assert chosen[2].inputs.unique().tolist() == pytest.approx([7 / 50 - 2])
    assert len(choose(_predictions(output, said), 2, 2)) == 4  # all are right
    assert len(choose(_predictions(output, (said + 1) % 3), 2, 2)) == 4  # none is
    assert len(choose(_predictions(output[:1], targets[:1]), 2, 2)) == 1


def test_the_most_varied_maps_of_each_stage_are_drawn() -> None:
    model, inputs = _network(), torch.randn(1, 1, 8, 8)
    assert most_varied(torch.tensor([[[9.0, 9.1]], [[-5.0, 4.0]], [[0.0, 3.0]]]), 2) == [1, 2]
    drawn = draw_maps(model, GREY, Example(inputs, "test picture 3", 1))
    pictures, words = _drawn(drawn)
    heard = {stage.name: stage.values[0].detach() for stage in stages(record(model, inputs)[1])}
    assert words == [
        *("test picture 3", "0.0, relu: 8 of 12 maps, 6x6"),
        *("0.2: 8 of 12 maps, 3x3", "0.3, tanh: 4 maps, 2x2"),
    ]
    assert np.array_equal(pictures[0], as_shown(GREY, inputs)[0])
    first = heard["0.0, relu"]
    order = sorted(range(12), key=lambda i: -np.std(first[i].numpy()))[:8]
    assert most_varied(first, 8) == order
    for picture, i in zip(pictures[1:9], order, strict=True):
        assert picture == pytest.approx(as_picture(first[[i]]))
    assert len(pictures) == 1 + 8 + 8 + 4


def test_frames_are_where_the_field_is_and_blue_is_where_the_gradient_is() -> None:
    strength = torch.zeros(8, 8)
    strength[3, 5] = 2.0
    field = Field(Sees(-1, 3, 2), Sees(0, 5, 1))
    inside = StageField("conv", (4, 4), field, strength, 1.0)
    drawn = draw_fields([inside, StageField("grid", (3, 3), None, strength, 6.4)], "7 test pictures")
    pictures, words = _drawn(drawn)
    assert words == ["conv", "3x5 px; in effect 1", "grid", "– px; in effect 6"]
    assert pictures[0][3, 5] == pytest.approx([*rgb(HEAT), 1.0])
    assert pictures[0][:, :, 3].sum() == pytest.approx(1)
    axes = drawn.figure.axes[0]
    (frame,) = [each for each in axes.patches if isinstance(each, Rectangle) and each.get_linewidth() > 1]
    left, right, bottom, top = axes.images[0].get_extent()
    side, high = right - left, bottom - top
    # the middle unit, 2 and 2 of 4, sees rows 3 to 5 and columns 2 to 6 of 8
    expected = (left + 2 / 8 * side, top + 3 / 8 * high, left + 7 / 8 * side, top + 6 / 8 * high)
    assert frame.get_bbox().extents == pytest.approx(expected)
    assert "averaged over 7 test pictures" in drawn.caption


def test_each_stage_is_measured() -> None:
    measured = measure_fields(_network(), torch.randn(5, 1, 8, 8))
    assert [(each.stage, each.maps) for each in measured] == [
        ("0.0, relu", (6, 6)),
        ("0.2", (3, 3)),
        ("0.3, tanh", (2, 2)),
    ]
    assert [each.field.rows.size for each in measured if each.field] == [3, 4, 6]
    assert all(0 < each.effective <= 8 for each in measured)


def test_grad_cam_explains_what_is_said_and_the_truth_or_the_next() -> None:
    model, inputs = _network(), torch.randn(3, 1, 8, 8)
    said, second = model(inputs).topk(2).indices.T.tolist()
    third = 3 - said[1] - second[1]
    examples = [Example(inputs[[i]], f"picture {i}", true) for i, true in enumerate([said[0], third, None])]
    found = explain(model, examples, None)
    assert [each.classes for each in found] == [[said[0], second[0]], [said[1], third], [said[2], second[2]]]
    for i, each in enumerate(found):
        torch.testing.assert_close(each.heat[1], grad_cam(model, inputs[[i]], torch.tensor(each.classes[1:]))[0])
    asked = explain(model, examples, third)
    assert [each.classes[1:] for each in asked] == [[third] if k != third else [] for k in said]
    assert f"the third for {NAMES[third]}, where" in draw_grad_cam(asked, GREY, NAMES, third).caption
    drawn = draw_grad_cam(found, GREY, NAMES, None)
    assert "the third for the true class" in drawn.caption
    assert "convolution's maps of 2x2 raise its score" in drawn.caption
    (flat,) = explain(nn.Sequential(nn.Conv2d(1, 4, 8), nn.Flatten(), nn.Linear(4, 3)), examples[:1], None)
    assert (
        "maps of 1x1, a single place, so that a picture is blue as" in draw_grad_cam([flat], GREY, NAMES, None).caption
    )
    pictures, words = _drawn(drawn)
    assert len(pictures) == 9
    assert np.array_equal(pictures[0], as_shown(GREY, inputs)[0])
    assert np.array_equal(pictures[5], over(pictures[3], found[1].heat[1]))
    share = 100 * float(model(inputs).detach().softmax(1)[1, third])
    assert words[4] == f"picture 1: {NAMES[said[1]]}, but is {NAMES[third]}"
    assert words[7] == f"{NAMES[third]}, {share:.0f} %"


def test_heat_is_blue_over_light_grey() -> None:
    black, white = np.zeros((96, 96, 3), np.uint8), np.full((96, 96, 3), 255, np.uint8)
    heat = torch.zeros(3, 3)
    assert (over(black, heat) == 158).all()
    assert (over(white, heat) == 255).all()
    heat[0, 0] = 7
    mixed = over(white, heat)
    assert mixed[0, 0].tolist() == [round(255 * (0.15 + 0.85 * c)) for c in rgb(BLUE)]
    assert (mixed[60:, 60:] == 255).all()
    assert over(np.zeros((10, 5, 3), np.uint8), heat).shape == (100, 50, 3)  # small ones are drawn finer


def test_points_have_their_class_s_colour_and_mistakes_are_crosses() -> None:
    points = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
    targets, said = torch.tensor([0, 0, 2, 2]), torch.tensor([0, 1, 2, 2])
    drawn = draw_embedding(Projection(points, torch.tensor([0.7, 0.2])), targets, said, NAMES, 84, "test pictures")
    axes = drawn.figure.axes[0]
    lines = [(np.asarray(line.get_xydata()).tolist(), line.get_marker(), line.get_color()) for line in axes.lines]
    assert [line[2] for line in lines if not line[0] and line[1] == "o"] == [SERIES[0], SERIES[1]]  # in the legend
    assert [line for line in lines if line[0]] == [
        ([[0.0, 1.0]], "o", SERIES[0]),
        ([[2.0, 3.0]], "x", SERIES[0]),
        ([[4.0, 5.0], [6.0, 7.0]], "o", SERIES[1]),
    ]
    assert [text.get_text() for text in drawn.figure.legends[0].get_texts()] == ["cat", "고양이"]
    assert axes.get_xlabel() == "first component, 70 % of the variance"
    assert "4 test pictures as the last layer gets them, 84 numbers each" in drawn.caption
    assert "the 1 that it gets wrong" in drawn.caption


def test_of_many_classes_the_commonest_have_a_colour() -> None:
    targets = torch.arange(30).repeat_interleave(torch.arange(30) + 1)
    projection = Projection(torch.zeros(len(targets), 2), torch.zeros(2))
    drawn = draw_embedding(projection, targets, targets, tuple(map(str, range(30))), 4, "test examples")
    names = [text.get_text() for text in drawn.figure.legends[0].get_texts()]
    assert names == ["other classes", *map(str, range(20, 30))]
    assert to_hex(drawn.figure.axes[0].lines[0].get_color()) == MUTED


def test_the_plane_is_that_of_the_drawn_examples() -> None:
    embeddings = torch.randn(50, 3)
    members, projection = project(embeddings, 10)
    assert members == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
    centred = embeddings[::5] - embeddings[::5].mean(0)
    total = centred.double().norm() ** 2
    torch.testing.assert_close(projection.points.norm() ** 2 / projection.shares.sum(), total, rtol=1e-6, atol=0)


def test_confused_pairs_show_the_pictures_furthest_off_first() -> None:
    output = torch.tensor([[3.0, 0, 0], [0, 2.0, 0], [0, 4.0, 0], [0, 0, 1.0], [0, 0, 9.0]])
    predictions = _predictions(output, torch.tensor([0, 0, 0, 1, 2]))
    pairs = confused_pairs(output, predictions.batch.targets, 6)
    drawn = draw_pairs(pairs, NAMES, predictions, GREY)
    pictures, words = _drawn(drawn)
    assert words == ["cat taken for dog: 2 of 3", "dog taken for 고양이: 1 of 1"]
    assert [picture[0, 0, 0] for picture in pictures] == [2, 1, 3]
    assert "cat is taken for dog: 2 of its 3" in drawn.caption
    assert math.isclose(float(surprise(output, predictions.batch.targets)[2]), math.log(2 + math.exp(4)))


def test_confused_pairs_of_rows_are_bars() -> None:
    output, spec = torch.eye(3)[[1, 1, 2]], ClassificationSpec(Features(("x",)), NAMES)
    predictions = _predictions(output, torch.tensor([0, 0, 1]), spec)
    drawn = draw_pairs(confused_pairs(output, predictions.batch.targets, 6), NAMES, predictions, None)
    axes = drawn.figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [2, 1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat taken for dog", "dog taken for 고양이"]


@pytest.mark.promise("R18")
def test_classes_and_pictures_whose_names_are_html_stay_text() -> None:
    evil = '<script>alert("1")</script>'
    names = (evil, "b", "c")
    predictions = _predictions(torch.eye(3)[[1, 1]], torch.tensor([0, 0]))
    pairs = draw_pairs(confused_pairs(predictions.output, predictions.batch.targets, 6), names, predictions, GREY)
    maps = draw_maps(_network(), GREY, Example(torch.zeros(1, 1, 8, 8), evil, None))
    for drawn in (pairs, maps):
        assert "<script" not in drawn.to_html()
        assert "&lt;script" in drawn.to_html()
