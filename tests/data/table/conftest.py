from pathlib import Path

import pytest
from houses import houses, save


@pytest.fixture
def path(tmp_path) -> Path:
    return save(tmp_path / "집 값" / "우리 집.csv", houses())
