import numpy as np
import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.tasks.forecasting import ForecastingSpec, forecasting_spec
from fourfold.tasks.inputs import Features, Series
from fourfold.tasks.seam import Batch

SPEC = forecasting_spec(("a", "b"), 5, 3, 1, (10.0, -1.0), (2.0, 0.5), (4.0, 0.1))


def test_there_is_a_target_for_each_variable_at_each_step() -> None:
    assert SPEC.target_names == ("a, 1 ahead", "b, 1 ahead", "a, 2 ahead", "b, 2 ahead", "a, 3 ahead", "b, 3 ahead")
    assert SPEC.num_outputs == 6
    assert SPEC.target_mean == (10, -1, 10, -1, 10, -1)
    assert SPEC.names == ("a", "b")


@pytest.mark.promise("R14")
def test_scores_are_those_of_scikit_learn_in_own_units() -> None:
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    generator = torch.Generator().manual_seed(0)
    output, target = torch.randn(2, 9, 6, generator=generator, dtype=torch.float64)
    scorer, other = SPEC.scorer(), SPEC.scorer()
    scorer.update(output[:4], Batch((), target[:4]))
    other.update(output[4:], Batch((), target[4:]))
    scorer.merge(other)
    scale, centre = np.array([2.0, 0.5]), np.array([10.0, -1.0])
    predicted, true = (part.view(27, 2).numpy() * scale + centre for part in (output, target))  # step by step
    mae = mean_absolute_error(true, predicted, multioutput="raw_values")
    scores = scorer.compute()
    assert scores["mae"] == pytest.approx(mae.mean())
    assert scores["rmse"] == pytest.approx(root_mean_squared_error(true, predicted))
    assert scores["mase"] == pytest.approx((mae / np.array([4.0, 0.1])).mean())
    assert set(scores) == set(SPEC.metrics)


def test_predictions_are_in_own_units() -> None:
    (row,) = SPEC.predictions(torch.tensor([[1.0, 2, 0, 0, 0, 0]]))
    assert row["a, 1 ahead"] == 12
    assert row["b, 1 ahead"] == 0
    assert row["a, 2 ahead"] == 10


def test_the_constant_answer_is_the_training_mean() -> None:
    constant = SPEC.constant()
    assert SPEC.predictions(constant.output)[0]["b, 3 ahead"] == -1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"input": Features(("a",))}, "forecasting is of series, but this data gives rows"),
        ({"horizon": 2}, "target_names: 6 for 2 variables and a horizon of 2"),
        ({"period": 0}, "period: 0"),
        ({"naive_error": (1.0,)}, "naive_error: "),
        ({"naive_error": (1.0, 0.0)}, "naive_error: "),
        ({"target_deviation": (1.0,) * 5}, "target_names: 6 targets"),
    ],
)
def test_what_does_not_hold_together_is_refused(change, says) -> None:
    fields = {name: getattr(SPEC, name) for name in SPEC.__dataclass_fields__}
    with pytest.raises(InputError, match=says):
        ForecastingSpec(**{**fields, **change})


def test_forecasts_are_drawn_where_they_belong() -> None:
    raw = torch.arange(20.0, dtype=torch.float64).view(2, 5, 2)
    target, output = torch.full((2, 6), 0.5), torch.full((2, 6), -0.5)
    figure = SPEC.draw(Batch((raw,), target), output, raw)
    seen, came, forecast = (line for line in figure.axes[1].lines if len(line.get_xdata()) > 2)
    assert list(seen.get_ydata()) == [10, 12, 14, 16, 18]
    assert list(seen.get_xdata()) == [-4, -3, -2, -1, 0]
    assert list(came.get_ydata()) == [18, 11, 11, 11]
    assert list(forecast.get_ydata()) == [18, 9, 9, 9]
    assert list(forecast.get_xdata()) == [0, 1, 2, 3]


def test_a_split_is_drawn_with_what_lies_outside_the_interval() -> None:
    from fourfold.tasks.forecast_drawing import draw_split

    true = torch.tensor([[1.0], [5.0], [3.0]], dtype=torch.float64)
    forecast = torch.tensor([[1.5], [2.0], [3.0]], dtype=torch.float64)
    spec = forecasting_spec(("a",), 5, 1, 1, (0.0,), (1.0,), (1.0,))
    figure = draw_split(spec, true, forecast, torch.tensor([[-1.0], [1.0]]), 0.9, 1)
    (axes,) = figure.axes
    assert [list(line.get_ydata()) for line in axes.lines] == [[1, 5, 3], [1.5, 2, 3]]
    assert axes.collections[-1].get_offsets().tolist() == [[1, 5]]


def test_series_are_what_they_say() -> None:
    assert str(SPEC.input) == "series of 5 steps of a, b"
    assert isinstance(SPEC.input, Series)
