"""Series that packages carry, from files of their form; where statsmodels is installed, from its very files."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from series_files import write_series

from fourfold.data.series import co2, seattle_temps, sunspots
from fourfold.data.series.co2 import Co2Config, monthly_means
from fourfold.data.series.seattle_temps import SeattleTempsConfig
from fourfold.data.series.sunspots import SunspotsConfig


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    write_series(tmp_path, monkeypatch)
    return tmp_path


def test_series_of_the_packages_form(cache) -> None:
    years = SunspotsConfig().build(0, cache)
    assert any("200 steps of 1 year, from 1700 to 1899" in note for note in years.notes)
    assert years.raw("train", [0])[0, :2, 0].tolist() == [50, 71.6]
    months = Co2Config(horizon=2, length=3).build(0, cache)
    assert any(note.startswith("69 steps of 1 month, from 2010-01-01 to 2015-09-25") for note in months.notes)
    weeks = Co2Config(every="week", horizon=2, length=3).build(0, cache)
    assert any(note.startswith("300 steps of 7 days") for note in weeks.notes)
    assert any(note.endswith("co2: 2") for note in weeks.notes)
    hours = SeattleTempsConfig(horizon=2, length=3).build(0, cache)
    assert any(note.startswith("900 steps of 1 hour") for note in hours.notes)
    assert any(note.endswith("temperature: 1") for note in hours.notes)
    assert hours.raw("train", [68])[0, :, 0].tolist() == [60.3, 61.3, 61.3]  # 20, 21 and the hour that is missing


@pytest.mark.promise("R21")
def test_a_package_is_asked_for_one_file(tmp_path, monkeypatch) -> None:
    write_series(tmp_path / "there", monkeypatch)
    asked = []
    for module, kind in ((sunspots, SunspotsConfig), (co2, Co2Config), (seattle_temps, SeattleTempsConfig)):

        def fetch(package, members, into, kind=kind):
            asked.append((package.split("==")[0], list(members)))
            name = kind.fetched_files[0]
            shutil.copy(tmp_path / "there" / kind.model_fields["name"].default / name, into / name)

        monkeypatch.setattr(module, "from_pypi", fetch)
        assert not kind.is_here(tmp_path)
        first = kind(length=3, horizon=1).build(0, tmp_path)
        assert any("fetched into" in note for note in first.notes)
        again = kind(length=3, horizon=1).build(0, tmp_path)
        assert not any("fetched into" in note for note in again.notes)
        assert kind.is_here(tmp_path)
    assert asked == [
        ("statsmodels", ["statsmodels/datasets/sunspots/sunspots.csv"]),
        ("statsmodels", ["statsmodels/datasets/co2/co2.csv"]),
        ("vega-datasets", ["vega_datasets/_data/seattle-temps.csv"]),
    ]


def test_a_month_is_the_mean_of_its_weeks() -> None:
    days = np.array(["20200104", "20200111", "20200125", "20200307", "20200314"], dtype=object)
    found = monthly_means(days, np.array([1.0, np.nan, 2.0, 5.0, 9.0]))
    assert found[[0, 2]].tolist() == [1.5, 7]
    assert np.isnan(found[1])


def test_the_very_files(tmp_path) -> None:
    datasets = pytest.importorskip("statsmodels").__path__[0]
    for name in ("sunspots", "co2"):
        (tmp_path / name).mkdir()
        shutil.copy(Path(datasets) / "datasets" / name / f"{name}.csv", tmp_path / name)
    years = SunspotsConfig(length=1, horizon=1, validation=0, test=0).build(0, tmp_path)
    assert years.sizes["train"] == 308
    assert years.raw("train", [0, 307])[:, 0, 0].tolist() == [5, 7.5]
    later = SunspotsConfig(first_year=1749, length=1, horizon=1, validation=0, test=0.323).build(0, tmp_path)
    assert "train steps 1 to 176, test steps 177 to 260" in later.notes[1]
    assert "260 steps of 1 year, from 1749 to 2008" in later.notes[0]
    assert later.raw("train", [0, 174])[:, 0, 0].tolist() == [80.9, 5.8]  # 1749 and 1923, whose next is 1924
    months = Co2Config(length=1, horizon=1, validation=0, test=0).build(0, tmp_path)
    assert months.sizes["train"] == 525
    import pandas as pd

    table = pd.read_csv(tmp_path / "co2" / "co2.csv", parse_dates=["date"], index_col="date")
    expected = table["co2"].resample("MS").mean().ffill().to_numpy()
    ours = np.append(months.raw("train", list(range(525)))[:, 0, 0].numpy(), months._values[-1, 0])
    np.testing.assert_allclose(ours, expected, rtol=1e-12)
