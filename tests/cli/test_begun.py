"""What `--weights` names."""

from pathlib import Path

import pytest

from fourfold.cli.begun import place_of


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return as much of a run's folder as is looked at."""
    folder = tmp_path / "runs" / "reviews-bert-pretrain-1"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}", encoding="utf-8")
    return folder


def test_a_run_s_id_is_its_folder_where_nothing_else_is_called_so(run: Path, tmp_path: Path, monkeypatch) -> None:
    assert place_of(run.name, run.parent) == str(run)
    assert place_of("no-such-run-1", run.parent) == "no-such-run-1"
    assert place_of("torchvision", run.parent) == "torchvision"
    assert place_of(None, run.parent) is None
    monkeypatch.chdir(tmp_path)
    (tmp_path / run.name).mkdir()
    assert place_of(run.name, run.parent) == run.name
