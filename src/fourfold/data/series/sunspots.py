"""Sunspots: their yearly number from 1700 to 2008, 309 steps in all; up and down in about eleven years, never alike.

Source: National Geophysical Data Center (the Zurich or Wolf number); fetched at run time from the Python package
statsmodels, of which one file is read and nothing is run. G. U. Yule proposed autoregression on this very series: On a
method of investigating periodicities in disturbed series, Phil. Trans. R. Soc. A 226, 1927.
Licence: public domain.
Checked by: SHA-256 of the file; first and last years; statsmodels' AutoReg on the same steps.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from fourfold.data.cache import CachedFile, ensure
from fourfold.data.registries import from_pypi
from fourfold.data.series.base import ForecastingConfig, Measured
from fourfold.data.series.packages import STATSMODELS
from fourfold.data.table.reading import read_table

FILE = "sunspots.csv"


class SunspotsConfig(ForecastingConfig):
    """Fields of `data: sunspots`."""

    licence: ClassVar[str] = "public domain"
    origin: ClassVar[str] = "National Geophysical Data Center; PyPI statsmodels"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digest: ClassVar[str] = "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b"

    name: Literal["sunspots"] = "sunspots"
    first_year: int = Field(
        default=1700, ge=1700, le=2008, description="where the series begins; 1749: where Yule's did"
    )
    length: int = Field(default=22, ge=1, le=1_000_000, description="years that a model sees; 22 are two cycles")

    def measured(self, cache: Path) -> tuple[Measured, list[str], dict[str, str]]:
        """Read the file from the cache, fetching it where it is missing or damaged."""
        folder = cache / self.name
        fetched = ensure(folder, [CachedFile(FILE, self.digest)], _fetch)
        columns = read_table(folder / FILE).columns
        kept = np.array(columns["YEAR"], dtype=np.float64) >= self.first_year
        years, values = columns["YEAR"][kept], np.array(columns["SUNACTIVITY"], dtype=np.float64)[kept, None]
        series = Measured(("sunspots",), values, "1 year", years[0], years[-1])
        return series, [f"fetched into {folder}"] if fetched else [], {}


def _fetch(into: Path) -> None:
    from_pypi(STATSMODELS, {"statsmodels/datasets/sunspots/sunspots.csv": FILE}, into)
