import torch

import fourfold as ff
from fourfold.report.drawing import LEAST, PIXELS_PER_INCH
from fourfold.report.forecasts import draw_over_time, residual_interval
from fourfold.report.predictions import Predictions
from fourfold.report.shown import show_predictions
from fourfold.run.predict import predict
from fourfold.tasks.forecasting import forecasting_spec
from fourfold.tasks.seam import Batch

SPEC = forecasting_spec(("a",), 3, 2, 1, (10.0,), (2.0,), (1.0,))


def of(split: str, true, forecast) -> Predictions:
    target, output = (torch.tensor(each, dtype=torch.float32) for each in (true, forecast))
    return Predictions(None, split, Batch((target,), target), output)  # pyright: ignore[reportArgumentType]


def test_nine_errors_in_ten_lie_between_the_lines() -> None:
    errors = torch.arange(-50.0, 51).double().view(-1, 1)
    low, high = residual_interval(100 + errors, torch.full_like(errors, 100), 0.9)
    assert float(low) == -45
    assert float(high) == 45


def test_each_step_ahead_has_its_own_lines() -> None:
    errors = torch.linspace(-1, 1, 41)
    validation = of("validation", torch.stack([errors, 3 * errors], 1).tolist(), [[0.0, 0.0]] * 41)
    test = of("test", [[0.0, 0.0], [5.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]])
    near, far = draw_over_time(SPEC, test, validation)
    assert (near.name, far.name) == ("forecast-1", "forecast-2")
    assert "it held 50%" in near.caption
    assert "it held 100%" in far.caption
    for drawn, width in ((near, 0.9 * 2 * 2), (far, 3 * 0.9 * 2 * 2)):  # own units are 2 to one
        band = drawn.figure.axes[0].collections[0].get_paths()[0].vertices
        assert abs(band[:, 1].max() - band[:, 1].min() - width - (0 if drawn is far else 2)) < 1e-5


def test_without_a_validation_split_there_are_no_lines() -> None:
    test = of("test", [[0.0, 0.0]] * 3, [[0.0, 1.0]] * 3)
    for drawn in draw_over_time(SPEC, test, None):
        assert "band" not in drawn.caption


def test_a_run_on_series_is_shown_forecast_and_fits_a_phone(tmp_path) -> None:
    rows = "".join(f"{1900 + i},{i % 7 + i / 10}\n" for i in range(240))
    (tmp_path / "방문.csv").write_text(f"year,방문\n{rows}", encoding="utf-8")
    run = ff.run(
        {
            "data": {"name": "series", "path": str(tmp_path / "방문.csv"), "time": "year", "length": 8, "horizon": 3},
            "model": {"name": "gru", "width": 4},
            "loss": "usual",
            "algorithm": "supervised",
            "budget": {"steps": 5, "batch_size": 16},
        },
        workspace=tmp_path / "runs",
    )
    assert set(run.metrics["test"]) == {"loss", "mase", "mae", "rmse"}
    shown = show_predictions(run).all()
    for drawn in shown:
        drawn.to_html()
        assert drawn.figure.get_figwidth() * PIXELS_PER_INCH * LEAST <= 333
    assert {"forecast-1", "forecast-3", "worst", "best"} <= {drawn.name for drawn in shown}
    (found,) = predict(run, [[1, 2, 3, 4, 5, 6, 0, 1]]).rows
    assert list(found) == ["방문, 1 ahead", "방문, 2 ahead", "방문, 3 ahead"]
