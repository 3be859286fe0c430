"""Run folders for the tests of records."""

from pathlib import Path
from typing import Callable

import pytest

from fourfold.records.folder import RunFolder

RECIPE = {"data": {"name": "digits"}, "model": {"name": "mlp", "widths": [8]}, "seed": 3}
ENVIRONMENT = {"python": "3.11.7", "device": "cpu"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "내 실험 runs"  # Hangul and a space in every test's path


@pytest.fixture
def make(workspace: Path) -> Callable[..., RunFolder]:
    def make_run(name: str = "digits-mlp") -> RunFolder:
        return RunFolder.create(workspace, name, RECIPE, ENVIRONMENT)

    return make_run
