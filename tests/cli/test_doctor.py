"""What `fourfold doctor` looks for is what the project's file offers."""

import tomllib
from pathlib import Path

from fourfold.cli.doctor import EXTRAS

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_every_extra_that_a_user_can_want_is_looked_for() -> None:
    offered = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS) == set(offered) - {"bench"}
