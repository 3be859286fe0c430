"""The table of trackers."""

import pytest

from fourfold.core.errors import InputError
from fourfold.records import trackers
from fourfold.records.trackers import TRACKERS, check_trackers, flatten


@pytest.mark.promise("R9")
def test_a_missing_tracker_says_what_to_install(monkeypatch):
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'^trackers: mlflow is not installed: pip install -e "\.\[mlflow\]" in'):
        check_trackers(["mlflow"])


@pytest.mark.promise("R9")
def test_names_are_checked():
    check_trackers([])
    with pytest.raises(InputError, match="no tracker called 'tensorbord'; did you mean 'tensorboard'"):
        check_trackers(["tensorbord"])


def test_no_tracker_twice(monkeypatch):
    monkeypatch.setattr(trackers, "find_spec", lambda name: object())
    with pytest.raises(InputError, match="'wandb' is named twice"):
        check_trackers(["wandb", "wandb"])


@pytest.mark.parametrize("name", TRACKERS)
def test_each_entry_opens_without_importing_its_package(name: str, tmp_path):
    import sys

    before = set(sys.modules)
    TRACKERS[name].open(tmp_path)
    assert not {module for module in set(sys.modules) - before if module.split(".")[0] == TRACKERS[name].package}
    assert not list(tmp_path.iterdir())


def test_extras_exist():
    import tomllib
    from importlib.metadata import metadata
    from pathlib import Path

    project = Path(__file__).parents[3] / "pyproject.toml"
    known = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {entry.extra for entry in TRACKERS.values()} <= set(known) | set(
        metadata("fourfold").get_all("Provides-Extra") or []
    )


def test_recipes_are_flattened():
    recipe = {"model": {"name": "mlp", "widths": [8, 8]}, "seed": 0, "empty": {}}
    assert flatten(recipe) == {"model.name": "mlp", "model.widths": "[8, 8]", "seed": "0", "empty": "{}"}
