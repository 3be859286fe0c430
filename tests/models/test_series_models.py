"""Models of series: hand values, least squares by others, exponential smoothing."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from verification import verified

from fourfold import models
from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.forecasting import forecasting_spec
from fourfold.tasks.inputs import Features, Series
from fourfold.tasks.regression import RegressionSpec

SPEC = forecasting_spec(("a", "b"), 4, 3, 2, (0.0, 0.0), (1.0, 1.0), (1.0, 1.0))
X = torch.tensor([[[1.0, 10], [2, 20], [3, 60], [6, 90]]])


def build(spec=SPEC, **fields):
    torch.manual_seed(0)
    return MODELS.parse(fields, "model").build(spec)


@pytest.mark.parametrize(
    ("repeats", "expected"),
    [("mean", [3, 45] * 3), ("last", [6, 90] * 3), ("season", [3, 60, 6, 90, 3, 60])],
)
def test_what_was_will_be(repeats, expected) -> None:
    model = build(name="naive_sequence", repeats=repeats)
    assert model(X).tolist() == [expected]
    verified("network", "naive_sequence", "hand values", "outputs", model(X), [[float(value) for value in expected]])
    with torch.no_grad():
        model.drift += torch.arange(6.0)
    assert model(X).tolist() == [[value + i for i, value in enumerate(expected)]]


def test_a_season_longer_than_what_is_seen_is_refused() -> None:
    long = forecasting_spec(("a",), 4, 1, 12, (0.0,), (1.0,), (1.0,))
    with pytest.raises(InputError, match=r"a season is 12 steps, but the data show 4; use data\.length=12"):
        build(long, name="naive_sequence", repeats="season")


@pytest.mark.parametrize(("tau", "seen"), [(1, [6, 90]), (2, [3, 60, 6, 90]), (None, [1, 10, 2, 20, 3, 60, 6, 90])])
def test_autoregression_weighs_the_last_steps(tau, seen) -> None:
    model = build(name="ar", tau=tau)
    assert model(X).eq(0).all()
    with torch.no_grad():
        model.weight.normal_()
        model.bias.normal_()
    expected = model.weight @ torch.tensor(seen, dtype=torch.float32) + model.bias
    torch.testing.assert_close(model(X)[0], expected)
    changed = X.clone()
    if tau is not None:
        changed[:, : 4 - tau] = 1e6
    assert torch.equal(model(changed), model(X))


def test_more_steps_than_the_data_show_are_refused() -> None:
    with pytest.raises(InputError, match=r"model\.tau: 5, but the data show 4 steps; use data\.length=5 or more"):
        build(name="ar", tau=5)


def test_a_latent_state_is_fed_step_by_step() -> None:
    model = build(name="latent_ar", width=3).double()
    a, b, c, d = model.stays.weight, model.fed.weight, model.out.weight, model.out.bias
    h = torch.zeros(3, dtype=torch.float64)
    for step in X[0].double():
        h = a @ h + b @ step
    torch.testing.assert_close(model(X.double())[0], c @ h + d, rtol=1e-12, atol=1e-12)
    ours, hand = (torch.autograd.grad((y**2).sum(), [a, b, c, d]) for y in (model(X.double())[0], c @ h + d))
    verified("network", "latent_ar", "the equations, step by step", "outputs", model(X.double())[0], c @ h + d)
    verified("network", "latent_ar", "the equations, step by step", "gradients", ours, hand)
    rotation = a / 0.9
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(3, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_one_number_of_state_is_exponential_smoothing() -> None:
    holtwinters = pytest.importorskip("statsmodels.tsa.holtwinters")
    one = forecasting_spec(("a",), 30, 1, 1, (0.0,), (1.0,), (1.0,))
    model = build(one, name="latent_ar", width=1).double()
    with torch.no_grad():
        for param, value in zip(model.parameters(), (0.7, 0.3, 1.0, 0.0), strict=True):
            param.fill_(value)
    series = np.random.default_rng(0).normal(size=30)
    theirs = holtwinters.SimpleExpSmoothing(series, initialization_method="known", initial_level=0.0)
    expected = theirs.fit(smoothing_level=0.3, optimized=False).forecast(1)[0]
    assert float(model(torch.tensor(series).view(1, 30, 1)).detach()) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["ar", "latent_ar", "naive_sequence"])
def test_what_is_no_series_is_refused(name) -> None:
    with pytest.raises(InputError):
        build(RegressionSpec(Features(("a",)), ("b",), (0.0,), (1.0,)), name=name)
    with pytest.raises(InputError):
        build(ClassificationSpec(Series(("a",), 3), ("x", "y")), name=name)


def test_parameters_by_hand() -> None:
    counts = {
        name: sum(p.numel() for p in build(**fields).parameters())
        for name, fields in {
            "ar": {"name": "ar", "tau": 3},
            "latent": {"name": "latent_ar", "width": 5},
            "naive": {"name": "naive_sequence"},
        }.items()
    }
    assert counts == {"ar": 6 * 7, "latent": 25 + 10 + 6 * 6, "naive": 6}
    assert isinstance(build(name="ar"), models.AR)


@pytest.fixture
def years(tmp_path):
    """Return a series of 200 years that looks back two years, and noise."""
    generator = np.random.default_rng(1)
    y = [40.0, 60.0]
    for _ in range(198):
        y.append(30 + 1.4 * y[-1] - 0.7 * y[-2] + 5 * generator.normal())
    path = tmp_path / "years.csv"
    path.write_text("year,y\n" + "".join(f"{1800 + i},{value!r}\n" for i, value in enumerate(y)), encoding="utf-8")
    return np.array(y), {"name": "series", "path": str(path), "time": "year", "length": 12}


@pytest.mark.promise("R14")
def test_autoregression_solved_is_statsmodels_autoreg(years, tmp_path) -> None:
    import fourfold as ff

    autoreg = pytest.importorskip("statsmodels.tsa.ar_model").AutoReg
    y, data = years
    run = ff.run(
        {
            "data": data,
            "model": {"name": "ar", "tau": 9},
            "loss": "mse",
            "algorithm": "normal_equation",
            "budget": {"steps": 1, "batch_size": "full"},
        },
        workspace=tmp_path / "runs",
    )
    theirs = autoreg(y[:140], lags=9, hold_back=12).fit()  # the same years: those with 12 before them
    constant, lags = theirs.params[0], theirs.params[1:]
    expected = np.array([constant + lags @ y[t - 9 : t][::-1] for t in range(182, 200)])
    source = run.parts.source
    (batch,) = source.split("test", 100)
    with torch.no_grad():
        ours = run.model(*batch.inputs)[:, 0].double().numpy() * source.spec.target_deviation[0]
    ours = ours + source.spec.target_mean[0]
    np.testing.assert_allclose(ours, expected, rtol=1e-4)
    mase = np.abs(y[182:] - expected).mean() / np.abs(np.diff(y[:140])).mean()
    assert run.metrics["test"]["mase"] == pytest.approx(mase, rel=1e-4)
    verified("network", "ar", "statsmodels' AutoReg, in closed form", "outputs", ours, expected)


@pytest.mark.promise("R14")
def test_the_years_that_yule_had_give_the_coefficients_that_he_published(tmp_path, monkeypatch) -> None:
    """A few numbers were corrected since, and he went by correlations; the coefficients' standard errors are 0.057."""
    import fourfold as ff

    datasets = Path(pytest.importorskip("statsmodels.datasets").__path__[0])
    (tmp_path / "cache" / "sunspots").mkdir(parents=True)
    shutil.copy(datasets / "sunspots" / "sunspots.csv", tmp_path / "cache" / "sunspots")
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    run = ff.run("sunspots-yule", workspace=tmp_path / "runs")
    assert run.parts.source.sizes == {"train": 174, "validation": 0, "test": 82}
    before_last, last = run.model.weight[0].tolist()  # both sides are standardised alike
    assert (last, before_last) == pytest.approx((1.34254, -0.65504), abs=0.01)
    assert run.parts.source.spec.target_mean[0] == pytest.approx(44.75, abs=0.1)

    years = np.loadtxt(datasets / "sunspots" / "sunspots.csv", delimiter=",", skiprows=1)
    y = years[(years[:, 0] >= 1749) & (years[:, 0] <= 1924), 1]
    assert len(y) == 176
    fitted = pytest.importorskip("statsmodels.tsa.ar_model").AutoReg(y, lags=2).fit().params
    assert (last, before_last) == pytest.approx(tuple(fitted[1:]), rel=1e-5)
    one, two = (np.corrcoef(y[lag:], y[:-lag])[0, 1] for lag in (1, 2))  # as he had them, by the equations he gives
    by_correlations = (one * (1 - two) / (1 - one**2), (two - one**2) / (1 - one**2))
    assert by_correlations == pytest.approx((1.34254, -0.65504), abs=0.005)


def test_descent_on_autoregression_reaches_the_closed_form(years, tmp_path) -> None:
    import fourfold as ff

    _, data = years
    recipe = {"data": data, "model": {"name": "ar", "tau": 2}, "loss": "mse"}
    found = [
        ff.run({**recipe, "algorithm": algorithm, "budget": budget}, workspace=tmp_path / "runs").model.state_dict()
        for algorithm, budget in (
            ("normal_equation", {"steps": 1, "batch_size": "full"}),
            ({"name": "linear_gradient_descent", "lr": 0.5}, {"steps": 300, "batch_size": "full"}),
        )
    ]
    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-4)
