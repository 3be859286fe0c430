"""Names in any script, whatever the locale."""

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from fourfold.records.folder import RunFolder
from fourfold.records.listing import list_runs
from fourfold.records.naming import path_to_text, slug, text_to_path, to_text


@pytest.mark.promise("R22")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits-mlp", "digits-mlp"),
        ("손글씨 숫자", "손글씨-숫자"),
        (unicodedata.normalize("NFD", "손글씨"), "손글씨"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\\b:c*d?\0e\nf", "a-b-c-d-e-f"),
        ("lenet_5.v2", "lenet_5.v2"),
        ("...", "run"),
        ("", "run"),
        ("<script>", "script"),
        ("हिन्दी", "हिन्दी"),
        ("한" * 200, "한" * 40),
        ("\udcff", "run"),
    ],
)
def test_names_become_readable_and_safe(name: str, expected: str):
    assert slug(name) == expected


SCRIPT = """
import json, pathlib, sys
from fourfold.records.folder import RunFolder
from fourfold.records.index import open_index
from fourfold.records.listing import list_runs
from fourfold.records.metrics import MetricWriter
workspace, name = pathlib.Path(sys.argv[1]), sys.argv[2]
run = RunFolder.create(workspace, name, {"title": "손글씨 숫자", "path": name, "seed": 0}, {"a": "손글씨 숫자"})
writer = MetricWriter(run)
writer.add(1, {"훈련.손실": 0.5})
writer.finish("done", {"title": "손글씨 숫자"})
run = RunFolder.find(workspace, run.run_id)
index = open_index(workspace)
assert index.runs() == list_runs(workspace)
facts = [sys.getfilesystemencoding(), run.run_id, run.identity.recipe, run.recipe()["path"] == name]
print(json.dumps([*facts, index.curve(run.run_id, "훈련.손실")]))
"""


@pytest.mark.promise("R22")
@pytest.mark.parametrize(
    "settings",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},  # Python itself gives up on UTF-8
    ],
)
def test_hangul_survives_a_locale_without_it(workspace: Path, tmp_path: Path, settings: dict[str, str]):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "script.py"), str(workspace), "손글씨 숫자"]
    done = subprocess.run(command, env={**clean, **settings}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    encoding, *facts = json.loads(done.stdout)
    assert (encoding == "ascii") == ("PYTHONUTF8" in settings)
    assert facts == ["손글씨-숫자-1", "손글씨 숫자", True, [[1, 0.5]]]
    assert done.stderr == ""
    run = RunFolder.open(workspace / "손글씨-숫자-1")
    assert run.recipe()["title"] == run.environment()["a"] == "손글씨 숫자"
    assert "손글씨" in (run.path / "result.json").read_text(encoding="utf-8")
    assert [row.run_id for row in list_runs(workspace)] == ["손글씨-숫자-1"]


def test_what_no_text_can_spell_is_still_text():
    assert to_text(os.fsdecode(b"a\xff")) == "a\\xff"
    assert to_text("\ud800") == "\\ud800"
    assert to_text("손글씨") == "손글씨"


def test_a_folder_has_one_text(tmp_path: Path, monkeypatch):
    (tmp_path / "실험 1").mkdir()
    (tmp_path / "link").symlink_to("실험 1")
    monkeypatch.chdir(tmp_path / "실험 1")
    texts = {
        path_to_text(p) for p in (Path("a"), Path("../실험 1/a"), tmp_path / "실험 1" / "a", tmp_path / "link" / "a")
    }
    assert texts == {str(tmp_path.resolve() / "실험 1" / "a")}
    assert text_to_path(texts.pop()) == tmp_path.resolve() / "실험 1" / "a"
