"""Carbon dioxide in the air over Mauna Loa, parts per million, 1958 to 2001: a season a year on a rising curve.

The package has a value a week; here a step is a month, the mean of the weeks in it that were measured, or a week. Where
none was, the last value before it stands.

Source: C. D. Keeling and T. P. Whorf, Scripps Institution of Oceanography, 2004; fetched at run time from the Python
package statsmodels, of which one file is read and nothing is run.
Licence: public domain.
Checked by: SHA-256 of the file; months by hand; pandas' monthly means.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from fourfold.data.cache import CachedFile, ensure
from fourfold.data.registries import from_pypi
from fourfold.data.series.base import ForecastingConfig, Measured
from fourfold.data.series.gaps import filled
from fourfold.data.series.packages import STATSMODELS
from fourfold.data.table.reading import Texts, read_table

FILE = "co2.csv"


class Co2Config(ForecastingConfig):
    """Fields of `data: co2`."""

    licence: ClassVar[str] = "public domain"
    origin: ClassVar[str] = "C. D. Keeling and T. P. Whorf, Scripps Institution of Oceanography; PyPI statsmodels"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digest: ClassVar[str] = "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f"

    name: Literal["co2"] = "co2"
    every: Literal["month", "week"] = Field(default="month", description="what a step is; a year has 12 or 52 of them")
    horizon: int = Field(default=12, ge=1, le=100_000, description="steps after them that it forecasts")
    period: int = Field(default=12, ge=1, le=1_000_000, description="steps after which the series comes round, a year")

    def measured(self, cache: Path) -> tuple[Measured, list[str], dict[str, str]]:
        """Read the file from the cache, fetching it where it is missing or damaged."""
        folder = cache / self.name
        fetched = ensure(folder, [CachedFile(FILE, self.digest)], _fetch)
        columns = read_table(folder / FILE).columns
        days, weekly = columns["date"], np.array([float(text or "nan") for text in columns["co2"]])
        values = weekly if self.every == "week" else monthly_means(days, weekly)
        kept, notes = filled(values[:, None], ("co2",))
        step = "1 month" if self.every == "month" else "7 days"
        notes = [f"fetched into {folder}"] * fetched + notes
        return Measured(("co2",), kept, step, _dashed(days[0]), _dashed(days[-1])), notes, {}


def monthly_means(days: Texts, weekly: np.ndarray) -> np.ndarray:
    """Return the mean of each month's values, float64 `[months]`; NaN where it has none.

    Args:
        days: as `19580329`.
        weekly: float64 `[weeks]`, NaN where nothing was measured.
    """
    months = np.array([12 * int(day[:4]) + int(day[4:6]) for day in days])
    months -= months[0]
    known = ~np.isnan(weekly)
    totals, counts = (
        np.bincount(months[known], weights, minlength=months[-1] + 1) for weights in (weekly[known], None)
    )
    return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)


def _dashed(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def _fetch(into: Path) -> None:
    from_pypi(STATSMODELS, {"statsmodels/datasets/co2/co2.csv": FILE}, into)
