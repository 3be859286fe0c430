"""A study's figures against its numbers, read back from matplotlib; and its sentences."""

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from fourfold.records.points import Point, append_points
from fourfold.report.drawing import LEAST, PIXELS_PER_INCH, Drawn
from fourfold.report.study_axes import WIDEST
from fourfold.report.study_costs import cost_of, draw_costs
from fourfold.report.study_curves import MOST_POINTS, band, draw_study_curves, quarters
from fourfold.report.study_intervals import draw_differences, draw_scores
from fourfold.report.study_ranks import draw_profile, draw_ranks, groups
from fourfold.report.study_tables import costs_table
from fourfold.report.study_tuning import draw_tuning
from fourfold.report.study_words import MOST_NAMED, difference, end_of_interval, fit, named_arms, reason, verdict
from fourfold.study.intervals import interquartile_mean_interval
from fourfold.tasks.figure import GREEN, MUTED, ORANGE, display_width

SGD, ADAM = [0.90, 0.92, None, 0.91, 0.93, 0.92, 0.90, 0.91], [0.95, 0.96, 0.97, 0.94, 0.97, 0.96, 0.96, 0.95]


def read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "study.json").read_text(encoding="utf-8"))


def lines(drawn: Drawn | None, colour: str | None = None) -> list[list[list[float]]]:
    """Return x and y of every line, or of those of a colour."""
    assert drawn is not None
    every = drawn.figure.axes[0].get_lines()
    return [
        [list(map(float, line.get_xdata())), list(map(float, line.get_ydata()))]
        for line in every
        if colour is None or line.get_color() == colour
    ]


def texts(drawn: Drawn | None) -> list[str]:
    assert drawn is not None
    return [text.get_text() for text in drawn.figure.findobj(Text) if text.get_text().strip()]


def test_differences_hold_means_intervals_and_each_seed(write_study):
    problem = read(write_study({"r": {"sgd": SGD, "adam": ADAM}}))["problems"][0]
    (row,) = problem["comparisons"]
    drawn = draw_differences(problem, "")
    seeds, interval, mean = (line[0] for line in lines(drawn, GREEN))
    own = [100 * (a - s) for a, s in zip(ADAM, SGD, strict=True) if s is not None]
    assert seeds == pytest.approx(own)
    assert mean == pytest.approx([statistics.fmean(own)])
    assert interval == pytest.approx([100 * row["low"], 100 * row["high"]])
    assert "difference in test accuracy (points)" in texts(drawn)
    assert drawn is not None
    assert "Right of 0 is better" in drawn.caption
    low, high = drawn.figure.axes[0].get_xlim()
    assert low < 0 < interval[1] < high


def test_zero_and_the_shade_keep_clear_of_the_names(write_study):
    worse = [None if score is None else score - 0.001 for score in SGD]
    drawn = draw_differences(read(write_study({"r": {"sgd": SGD, "adam": ADAM, "worse": worse}}))["problems"][0], "")
    assert drawn is not None
    drawn.figure.draw_without_rendering()
    (axes,) = drawn.figure.axes
    marks = [path.transformed(axes.transData).get_extents() for each in axes.collections for path in each.get_paths()]
    assert len(marks) == 4  # two rows: each has its zero, and its shade
    for text in axes.texts:
        extent = text.get_window_extent()
        assert not any(extent.y0 < mark.y1 and mark.y0 < extent.y1 for mark in marks), text.get_text()


def test_where_less_is_better_the_best_is_the_most_negative(write_study):
    scores = {
        "sgd": [2.0, 2.1, 2.0, 2.2, 2.1, 2.0],
        "bad": [3.0, 3.2, 3.1, 3.1, 3.3, 3.1],
        "good": [1.0, 1.2, 1.1, 1.0, 1.2, 1.0],
    }
    problem = read(write_study({"r": scores}, metric="test.rmse", higher=False))["problems"][0]
    drawn = draw_differences(problem, "")
    assert [text for text in texts(drawn) if text in scores] == ["good", "bad"]
    assert drawn is not None
    assert "Left of 0 is better" in drawn.caption
    scored = draw_scores(problem, {}, "")
    assert [text for text in texts(scored) if text in scores] == ["good", "sgd", "bad"]
    assert lines(scored)[0][0] == scores["good"]  # in the metric's own unit


def test_a_band_is_mean_and_range_over_seeds():
    found = band([[(0, 1.0), (10, 3.0), (20, 5.0)], [(0, 3.0), (20, 7.0)], [(5, 9.0)]])
    assert found is not None
    assert found.steps.tolist() == [0, 10, 20]
    assert found.middle.tolist() == [2.0, 4.0, 6.0]  # of the second 5 at step 10, half way from 3 to 7
    assert found.low.tolist() == [1.0, 3.0, 5.0]
    assert found.high.tolist() == [3.0, 5.0, 7.0]
    assert found.seeds == 2  # one point is no curve


def test_returns_are_the_interquartile_mean_and_its_interval():
    last = [500.0, 20.0, 480.0, 490.0, 470.0, 500.0, 495.0, 10.0]
    found = band([[(0, 10.0), (10, score)] for score in last], quarters)
    assert found is not None
    assert found.middle.tolist() == [10.0, (470 + 480 + 490 + 495) / 4]  # two of eight are left out at each end
    assert (found.low[1], found.high[1]) == interquartile_mean_interval([last])
    assert found.low[0] == found.high[0] == 10.0


def test_a_study_of_returns_draws_them_so(write_study, tmp_path):
    scores = {"sgd": [0.9, 0.1, 0.9, 0.8], "adam": [0.9, 0.9, 0.9, 0.2]}
    problem = read(write_study({"r": scores}, metric="test.return"))["problems"][0]
    loss, score = draw_study_curves(problem, {"sgd": GREEN, "adam": MUTED}, tmp_path / "cells", "")
    assert "interquartile mean over the finished seeds; bands are its 95 % interval" in score.caption
    assert "interquartile" not in loss.caption


def test_a_band_goes_as_far_as_every_seed_and_no_further():
    found = band([[(0, 1.0), (10, 1.0), (20, 1.0)], [(5, 2.0), (12, 2.0)]])
    assert found is not None
    assert found.steps.tolist() == [5, 10, 12]
    assert band([[(0, 1.0), (10, 1.0)], [(20, 1.0), (30, 1.0)]]) is None
    assert band([]) is None
    long = band([[(step, float(step)) for step in range(5000)]])
    assert long is not None
    assert (len(long.steps), long.steps[0], long.steps[-1]) == (MOST_POINTS, 0, 4999)
    assert np.array_equal(long.middle, long.steps)


def test_curves_are_those_of_finished_seeds(write_study, tmp_path):
    study = read(write_study({"r": {"sgd": [0.9, None, 0.9], "lost": [None, None, None], "adam": [0.9, 0.9, 0.9]}}))
    named = named_arms(study)
    loss, score = draw_study_curves(study["problems"][0], named, tmp_path / "cells", "")
    (steps, values), *_ = lines(loss, named["sgd"])
    assert steps == list(range(5, 41, 5))
    # the conftest's curve is (2 - t)(1 + 0.02 seed + 0.1 arm); seed 1 diverged
    assert values == pytest.approx([(2 - step / 40) * 1.02 for step in steps])
    assert lines(score, named["adam"])[0][1][-1] == pytest.approx(100 * 0.3 * (1 + 0.02 + 0.2))
    assert len(loss.figure.axes[0].collections) == 2  # bands
    assert "No curve of lost" in loss.caption
    assert "bands reach from the lowest seed to the highest" in loss.caption


def test_the_training_loss_of_a_network_with_auxiliary_outputs_is_its_main_output_s(write_study, tmp_path):
    study = read(write_study({"r": {"sgd": [0.9], "adam": [0.9]}}))
    problem, named = study["problems"][0], named_arms(study)
    (adam,) = [cell for arm in problem["arms"] if arm["name"] == "adam" for cell in arm["cells"]]
    terms = [Point(step, f"train.{name}", 0.25, 0.0) for step in (5, 40) for name in ("main", "auxiliary")]
    with open(tmp_path / "cells" / adam["folder"] / "metrics.jsonl", "ab") as file:
        append_points(file.fileno(), terms)
    loss, score = draw_study_curves(problem, named, tmp_path / "cells", "")
    assert lines(loss, named["adam"])[0] == [[5, 40], [0.25, 0.25]]
    assert len(lines(loss, named["sgd"])[0][0]) == 8
    assert "Of adam it is the main output's" in loss.caption
    assert "main output" not in score.caption


def test_one_seed_has_no_band(write_study, tmp_path):
    study = read(write_study({"r": {"sgd": [0.9], "adam": [0.9]}}))
    loss, _ = draw_study_curves(study["problems"][0], named_arms(study), tmp_path / "cells", "")
    assert not loss.figure.axes[0].collections
    assert "bands" not in loss.caption


def test_costs_are_where_they_were_measured(write_study):
    folder = write_study({"r": {"sgd": [0.9, 0.8], "adam": [0.7, None]}}, params={"adam": 5000})
    study, costs = read(folder), json.loads((folder / "costs.json").read_text(encoding="utf-8"))["cells"]
    problem, named = study["problems"][0], named_arms(study)
    spent = {arm["name"]: cost_of(arm, costs) for arm in problem["arms"]}
    assert spent["sgd"].seconds == pytest.approx(0.505)
    assert spent["sgd"].peak_memory_bytes == 3e8
    time, size = draw_costs(problem, spent, named, "")
    seeds, mean = lines(time, named["sgd"])
    assert seeds == [pytest.approx([0.5, 0.51]), pytest.approx([90.0, 80.0])]
    assert mean == [pytest.approx([0.505]), pytest.approx([85.0])]
    assert lines(time, named["adam"])[0] == [pytest.approx([0.6]), pytest.approx([70.0])]
    assert (time.figure.axes[0].get_xscale(), size.figure.axes[0].get_xscale()) == ("linear", "log")
    assert "logarithmic" in size.caption
    assert [line[0] for line in lines(size, named["adam"])] == [[5000.0], [5000.0]]


def test_arms_without_a_colour_are_grey_and_told_once(write_study):
    study = read(write_study({"r": {f"arm {i}": [0.1 + 0.01 * i, 0.2] for i in range(12)}}, against="arm 2"))
    named = named_arms(study)
    assert list(named) == ["arm 2", *(f"arm {i}" for i in range(5, 12))]  # the reference, and the best
    assert len(set(named.values())) == MOST_NAMED
    drawn = draw_scores(study["problems"][0], named, "")
    assert len(lines(drawn, MUTED)) == 3 * 4


def test_every_trial_and_choice_of_a_tuning_is_drawn(write_study):
    study = read(
        write_study(
            {"r": {"sgd": [0.9, 0.8], "adam": [0.7, None]}},
            tune=["algorithm.optimizer.lr=0.001:1:log"],
            varied="algorithm.schedule",
        )
    )
    named = named_arms(study)
    (drawn,) = draw_tuning(study, study["problems"][0], named, "")
    tried, chosen, _, lost = lines(drawn, named["sgd"])
    at = [0.001 + 0.999 * t / 4 for t in (1, 2, 3)]
    assert tried == [pytest.approx([at[1], at[2]] * 2), pytest.approx([90.0, 80.0, 80.0, 70.0])]
    assert chosen == [pytest.approx([at[1]] * 2), pytest.approx([90.0, 80.0])]
    assert lost[0] == pytest.approx([at[0]] * 2)
    assert "3 that diverged" in drawn.caption
    axes = drawn.figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[0] < 0.001 < 1 < axes.get_xlim()[1]


def test_groups_are_those_that_are_not_told_apart():
    assert groups([3.2, 1.0, 2.0, 4.5], 1.25) == [(1.0, 2.0), (2.0, 3.2)]
    assert groups([1.0, 2.0, 3.0], 1.0) == []  # a critical difference apart is told apart
    assert groups([1.0, 2.0, 3.0], 5.0) == [(1.0, 3.0)]
    assert groups([1.5, 1.5, 3.0], 0.0) == [(1.5, 1.5)]


def test_ranks_stand_where_they_are(write_study):
    scores = {f"r{i}": {"third": [0.1], "first": [0.9], "second": [0.5]} for i in range(12)}
    overall = read(write_study(scores))["overall"]
    assert overall["ranks"]["critical_difference"] == pytest.approx(2.343 * (3 * 4 / (6 * 12)) ** 0.5, abs=2e-3)
    drawn = draw_ranks(overall, 12)
    names = [text for text in texts(drawn) if text[:3] in ("fir", "sec", "thi")]
    assert names == ["first  1", "second  2", "third  3"]
    assert not [line for line in lines(drawn, ORANGE) if line[0][0] != 1 or line[1][0] < 0]  # but the ruler, no bar
    ruler = lines(drawn, ORANGE)[0][0]
    assert ruler[1] - ruler[0] == pytest.approx(overall["ranks"]["critical_difference"])
    assert "here all are" in drawn.caption


def test_profiles_step_where_an_arm_reaches_a_recipe(write_study):
    study = read(write_study({"r0": {"a": [0.5], "b": [1.0]}, "r1": {"a": [0.8], "b": [0.4]}}))
    drawn = draw_profile(study["overall"], named_arms(study))
    a, b = lines(drawn)
    assert a[0][:2] == b[0][:2] == [1.0, 2.0]
    assert (a[1], b[1]) == ([50.0, 100.0, 100.0], [50.0, 100.0, 100.0])
    assert draw_profile({**study["overall"], "profile": None}, {}) is None


def test_speed_is_of_what_the_loss_counts(write_study):
    folder = write_study({"r": {"sgd": [0.9, 0.8], "adam": [0.7, None]}}, counts={"sgd": "tokens"})
    study, costs = read(folder), json.loads((folder / "costs.json").read_text(encoding="utf-8"))["cells"]
    sgd, adam = study["problems"][0]["arms"]
    spent = {arm["name"]: cost_of(arm, costs) for arm in (sgd, adam)}
    assert (spent["sgd"].counts, spent["adam"].counts) == ("tokens", "examples")
    for arms, told in (([sgd], "tokens"), ([adam], "examples"), ([sgd, adam], "examples or tokens")):
        table = costs_table({"arms": arms}, {arm["name"]: spent[arm["name"]] for arm in arms}, {})
        assert f">{told} a second<" in table


LONG = {f"optimizer=adam, widths=[128, 128, {i}], activation=leaky_relu": [0.5 + 0.01 * i, 0.6] for i in range(9)}


@pytest.mark.parametrize(
    "scores", [LONG, {"고양이 최적화기 " * 3 + str(i): [0.5, 0.6 + i] for i in range(3)}], ids=["long", "hangul"]
)
def test_every_figure_fits_a_phone_with_names_inside(write_study, tmp_path, scores):
    study = read(write_study({"r": scores, "s": scores}, tune=["algorithm.optimizer.lr=0.1:0.9"], varied="model"))
    problem, named = study["problems"][0], named_arms(study)
    costs = {
        arm["name"]: cost_of(arm, {cell["key"]: {"seconds": 1.0} for cell in arm["cells"]}) for arm in problem["arms"]
    }
    every = [
        draw_scores(problem, named, ""),
        draw_differences(problem, ""),
        *draw_study_curves(problem, named, tmp_path / "cells", ""),
        *draw_costs(problem, costs, named, ""),
        *draw_tuning(study, problem, named, ""),
        draw_ranks(study["overall"], 2),
        draw_profile(study["overall"], named),
    ]
    assert len(every) == 8
    room = 390 - 2 * 0.8 * 16 - 2 * 0.9 * 16 - 2  # CSS pixels inside a card
    for drawn in every:
        assert drawn is not None
        width = drawn.figure.get_figwidth() * PIXELS_PER_INCH
        assert width * LEAST <= room, drawn.name
        drawn.figure.canvas.draw()
        edges, axes = drawn.figure.bbox, drawn.figure.axes[0]
        ticks = {*axes.get_xticklabels(), *axes.get_yticklabels()}  # some are out of sight
        for text in drawn.figure.findobj(Text):
            if text.get_text().strip() and text not in ticks:
                box = text.get_window_extent()
                assert box.x0 >= edges.x0 - 1, (drawn.name, text.get_text())
                assert box.x1 <= edges.x1 + 1, (drawn.name, text.get_text())
                assert text.get_fontsize() * 96 / 72 * min(1, room / width) >= 7.5


def row(word: str, low: float | None, high: float | None, **more: Any) -> dict[str, Any]:
    middle = 0.0 if low is None or high is None else (low + high) / 2
    known = {"arm": "adam", "against": "sgd", "n": 5, "difference": middle, "low": low, "high": high, "smallest": 0.01}
    return {**known, "p_holm": 0.0312, "verdict": word, "because": "one seed cannot decide", **more}


@pytest.mark.parametrize(
    ("metric", "found", "higher", "says"),
    [
        ("accuracy", row("better", 0.01, 0.03), True, "adam is better than sgd by 2 [1, 3] points."),
        ("accuracy", row("worse", -0.03, -0.01), True, "adam is worse than sgd by 2 [1, 3] points."),
        ("loss", row("better", -0.03, -0.01), False, "adam is better than sgd by 0.02 [0.01, 0.03]."),
        ("loss", row("worse", 0.01, 0.03), False, "adam is worse than sgd by 0.02 [0.01, 0.03]."),
        (
            "accuracy",
            row("no difference", -0.001, 0.003),
            True,
            "There is no difference that matters between adam and sgd: +0.1 [−0.1, +0.3] points.",
        ),
        (
            "rmse",
            row("undecided", -3.0, 1.0),
            False,
            "It is undecided whether adam is better or worse than sgd: −1 [−3, +1] over 5 seeds.",
        ),
        (
            "error",
            row("undecided", None, None, n=1, difference=0.1),
            False,
            "It is undecided whether adam is better or worse than sgd: +10 points over 1 seed.",
        ),
        (
            "error",
            {"arm": "adam", "against": "sgd", "n": 0, "verdict": "undecided", "because": "", "smallest": 0.1},
            False,
            "adam cannot be compared with sgd: there is no seed at which both finished.",
        ),
    ],
)
def test_a_verdict_is_a_sentence(metric, found, higher, says):
    pieces = verdict(metric, found, higher)
    assert "".join(text for text, _ in pieces) == says
    assert {text for text, is_name in pieces if is_name} == {"adam", "sgd"}


def test_reasons_are_in_the_pages_units():
    assert reason("accuracy", row("better", 0.01, 0.03)) == (
        "Were they alike, chance would do as much in at most 3.1 % of studies of 5 seeds."
    )
    assert reason("accuracy", row("better", 0.001, 0.003)).endswith(
        "Yet all of it is less than 1 point, the smallest that matters."
    )
    assert reason("loss", row("no difference", -0.001, 0.003)).endswith("is less than 0.01, the smallest that matters.")
    assert reason("accuracy", row("undecided", -0.1, 0.3)) == "One seed cannot decide."
    told = row("undecided", -0.1, 0.3, because="plausibly -0.1 to 0.3")
    assert reason("accuracy", told) == "Plausibly -0.1 to 0.3. Here 0.01 is one point."
    assert reason("loss", row("undecided", -0.1, 0.3)) == "One seed cannot decide."
    assert difference("loss", {"difference": None}) == "–"


@pytest.mark.parametrize("width", [5, 8, 21, WIDEST])
@pytest.mark.parametrize(
    "name", ["optimizer=adam, lr=0.001, widths=[64, 64]", "고양이 최적화기와 강아지 최적화기 하나", "a\nb\tc", "x"]
)
def test_a_name_fits_and_keeps_both_ends(name, width):
    fitted = fit(name, width)
    assert display_width(fitted) <= width
    plain = " ".join(name.split())
    if display_width(plain) > width:
        head, tail = fitted.split("…")
        assert plain.startswith(head)
        assert plain.endswith(tail)
        assert display_width(fitted) >= width - 1
    else:
        assert fitted == plain


def test_an_interval_of_a_share_ends_where_shares_do():
    assert [end_of_interval("accuracy", value) for value in (-0.1, 0.25, 1.02, None)] == [0, 25, 100, None]
    assert [end_of_interval("loss", value) for value in (-0.1, 1.02, None)] == [-0.1, 1.02, None]
