"""Files of the form that the packages of series have, shorter or of other numbers."""

import datetime
import hashlib
import math
from pathlib import Path

import pytest

from fourfold.data.series.co2 import Co2Config
from fourfold.data.series.seattle_temps import SeattleTempsConfig
from fourfold.data.series.sunspots import SunspotsConfig


def write_series(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a cache hold 200 years, 300 weeks and 900 hours, and their digests be the ones that are expected."""
    start = datetime.datetime(2010, 1, 1)
    hours = [start + datetime.timedelta(hours=i) for i in range(900) if i != 70]  # one is missing
    weeks = [start + datetime.timedelta(weeks=i) for i in range(300)]
    files = {
        SunspotsConfig: ["YEAR,SUNACTIVITY", *(f"{1700 + i},{50 + 40 * math.sin(i / 1.75):.1f}" for i in range(200))],
        Co2Config: [
            "date,co2",
            *(f"{day:%Y%m%d},{'' if i in (7, 8) else 315 + i / 50 + i % 52 / 20}" for i, day in enumerate(weeks)),
        ],
        SeattleTempsConfig: [
            "date,temp",
            *(f"{hour:%Y/%m/%d %H:%M},{40 + hour.hour + hour.day / 10:.1f}" for hour in hours),
        ],
    }
    for kind, lines in files.items():
        folder = cache / kind.model_fields["name"].default
        folder.mkdir(parents=True)
        data = ("\n".join(lines) + "\n").encode()
        (folder / kind.fetched_files[0]).write_bytes(data)
        monkeypatch.setattr(kind, "digest", hashlib.sha256(data).hexdigest())
