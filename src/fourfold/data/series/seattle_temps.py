"""The temperature in Seattle, every hour of a normal year, in degrees Fahrenheit: a day within a day and a year.

It is what the weather service calls normals, means of the hour over thirty years, so it is smoother than weather.

Source: National Oceanic and Atmospheric Administration, hourly normals 1981 to 2010; fetched at run time from the
Python package vega-datasets, of which one file is read and nothing is run.
Licence: public domain, as a work of the United States government; the package is MIT.
Checked by: SHA-256 of the file; the hours that are missing.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from fourfold.data.cache import CachedFile, ensure
from fourfold.data.registries import from_pypi
from fourfold.data.series.base import ForecastingConfig, Measured
from fourfold.data.series.gaps import filled
from fourfold.data.series.packages import VEGA_DATASETS
from fourfold.data.series.timeline import read_timeline
from fourfold.data.table.reading import read_table

FILE = "seattle-temps.csv"


class SeattleTempsConfig(ForecastingConfig):
    """Fields of `data: seattle_temps`."""

    licence: ClassVar[str] = "public domain (United States government); the package MIT"
    origin: ClassVar[str] = "National Oceanic and Atmospheric Administration; PyPI vega-datasets"
    fetched_files: ClassVar[tuple[str, ...]] = (FILE,)
    digest: ClassVar[str] = "c220666521ff4bec4ffb6f0d9acfdc5c1056564b1aad6f78d3b06aa0a0c8b085"

    name: Literal["seattle_temps"] = "seattle_temps"
    length: int = Field(default=48, ge=1, le=1_000_000, description="hours that a model sees")
    horizon: int = Field(default=24, ge=1, le=100_000, description="hours after them that it forecasts")
    period: int = Field(default=24, ge=1, le=1_000_000, description="hours after which the series comes round, a day")

    def measured(self, cache: Path) -> tuple[Measured, list[str], dict[str, str]]:
        """Read the file from the cache, fetching it where it is missing or damaged."""
        folder = cache / self.name
        fetched = ensure(folder, [CachedFile(FILE, self.digest)], _fetch)
        table = read_table(folder / FILE)
        line = read_timeline(table.path, "date", table.columns["date"], table.rows)
        grid = np.full((line.length, 1), np.nan)
        grid[line.places, 0] = np.array(table.columns["temp"], dtype=np.float64)
        values, notes = filled(grid, ("temperature",))
        notes = [f"fetched into {folder}"] * fetched + notes
        return Measured(("temperature",), values, line.step, line.first, line.last), notes, {}


def _fetch(into: Path) -> None:
    from_pypi(VEGA_DATASETS, {"vega_datasets/_data/seattle-temps.csv": FILE}, into)
