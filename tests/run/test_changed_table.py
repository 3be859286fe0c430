"""A run on a user's own file goes on with that file and no other."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from stopping import differences, remains, resumed, start_and_stop

from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.records.folder import RunFolder
from fourfold.run.parts import load_recipe
from fourfold.run.run import resume, start


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [f"{x},{x * x % 7},{'ab'[x % 3 == 0]}" for x in range(60)]
    path = tmp_path / "표.csv"
    path.write_text("\n".join(["x,y,kind", *rows]) + "\n", encoding="utf-8")
    return path


def recipe(table: Path) -> Recipe:
    fields: dict[str, Any] = {
        "data": {"name": "table", "path": str(table), "target": "kind", "keep": ["x"]},
        "model": {"name": "mlp", "widths": [4]},
        "loss": "cross_entropy",
        "algorithm": "supervised",
        "budget": {"steps": 6, "batch_size": 8, "log_every": 1},
        "runtime": {"device": "cpu", "threads": 1},
    }
    return load_recipe(fields)[1]


def test_a_changed_file_is_refused_and_the_old_one_goes_on(table: Path, tmp_path: Path) -> None:
    whole = remains(start("run", recipe(table), tmp_path / "whole"))
    folder = start_and_stop(recipe(table), tmp_path / "stopped", 3, "run")
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    old = table.read_bytes()
    new = old.replace(b"\n7,", b"\n8,")
    assert new != old
    table.write_bytes(new)
    digests = f"(SHA-256 {sha256(old).hexdigest()[:12]}, now {sha256(new).hexdigest()[:12]})"
    line = f"{table}: the file has changed since the run began {digests}; put the old one back, or start a new run"
    with pytest.raises(InputError, match=f"^{re.escape(line)}$"):
        resume(folder)
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before
    table.write_bytes(old)
    assert differences(remains(resumed(folder)), whole) == []


def test_a_run_that_did_not_note_its_files_goes_on(table: Path, tmp_path: Path) -> None:
    folder = start_and_stop(recipe(table), tmp_path, 3)
    noted = json.loads((folder.path / "inputs.json").read_text(encoding="utf-8"))
    assert noted.pop("files") == {str(table): sha256(table.read_bytes()).hexdigest()}
    (folder.path / "inputs.json").write_text(json.dumps(noted), encoding="utf-8")
    resumed(RunFolder.open(folder.path))
