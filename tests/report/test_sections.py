"""The tiles at the top of a run's page."""

from types import SimpleNamespace
from typing import Any

from fourfold.report.sections import tiles


def test_speed_has_a_tile_where_it_was_measured() -> None:
    result = {"steps": 7, "params": 9, "seconds": 3.2, "counts": "tokens"}
    for rate, shown in ((0.0, False), (1200.0, True)):  # 0: interrupted before anything was read
        run: Any = SimpleNamespace(result={**result, "examples_per_second": rate}, headline="loss", metrics={})
        assert ("tokens a second" in tiles(run)) is shown
        assert "3.2 s" in tiles(run)
