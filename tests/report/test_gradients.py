import io

import numpy as np
import pytest
import torch

from fourfold.report.gradients import MOST_LAYERS, draw_effective_rates, draw_layers, draw_layers_over_time, draw_steps
from fourfold.study.gradients import Trace


def _trace(factor: float) -> Trace:
    sizes = factor * torch.tensor([4.0, 2.0, 1.0, 0.0], dtype=torch.float64)
    gradients = torch.tensor([8.0, 8.0, 2.0, 0.0], dtype=torch.float64)
    return Trace(sizes, gradients, sizes, {"layers.1": gradients, "layers.3": gradients / 4})


def _lines(drawn) -> dict[str, list[list[float]]]:
    drawn.figure.savefig(io.BytesIO(), format="png", dpi=40)
    return {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in drawn.figure.axes[0].lines}


def test_layers_are_counted_from_the_input() -> None:
    norms = {"sigmoid": {"layers.1": 1e-4, "layers.3": 1e-2, "layers.5": 1.0}, "층": {"a": 2.0, "b": 1.0}}
    drawn = draw_layers(norms)
    assert _lines(drawn) == {"sigmoid": [[1, 1e-4], [2, 1e-2], [3, 1.0]], "층": [[1, 2.0], [2, 1.0]]}
    assert drawn.caption == "First layer's gradient over the last one's: 0.0001 (sigmoid), 2 (층)."
    assert drawn.figure.axes[0].get_yscale() == "log"


def test_each_layer_has_its_line_over_time() -> None:
    lines = _lines(draw_layers_over_time(_trace(1), None, ""))
    assert lines["layers.3"][:3] == [[1, 2], [2, 2], [3, 0.5]]
    assert list(lines) == ["layers.1", "layers.3"]


def test_of_many_layers_some_are_drawn_the_first_and_last_among_them() -> None:
    sizes = torch.ones(3, dtype=torch.float64)
    deep = Trace(sizes, sizes, sizes, {f"layers.{i}": sizes for i in range(30)})
    drawn = draw_layers_over_time(deep, "a-run", "-2")
    assert len(_lines(drawn)) == MOST_LAYERS
    assert {"layers.0", "layers.29"} <= set(_lines(drawn))
    assert drawn.caption.endswith(f"{MOST_LAYERS} of 30 layers.")
    assert drawn.name == "layers-over-time-2"
    assert drawn.figure.axes[0].get_title(loc="left") == "Gradient by layer, a-run"


def test_steps_and_effective_rates_are_the_trace_s() -> None:
    traces = {"adagrad": _trace(1), "sgd": _trace(0.5)}
    assert [y for _, y in _lines(draw_steps(traces))["sgd"]] == pytest.approx([2, 1, 0.5, 1e-30])
    rates = _lines(draw_effective_rates(traces))["adagrad"]
    assert [y for _, y in rates] == pytest.approx([0.5, 0.25, 0.5, 1e-30])
    low, high = draw_steps(traces).figure.axes[0].get_ylim()
    assert low > 0.1  # a step of nothing does not stretch the chart
    assert high < 10


def test_many_steps_are_faint_with_their_geometric_mean_over_them() -> None:
    sizes = torch.tensor([1.0, 100.0], dtype=torch.float64).repeat(100)
    drawn = draw_steps({"run": Trace(sizes, sizes, sizes, {"a": sizes})})
    steps, mean = drawn.figure.axes[0].lines
    assert list(np.asarray(steps.get_ydata())) == sizes.tolist()
    middle = np.asarray(mean.get_ydata())[20:-20]
    assert middle.min() > 5
    assert middle.max() < 20  # 10, but for which of the two is one more among the 11 around a step
    assert "Faint: each step" in drawn.caption
