import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.data import cache
from fourfold.data.cache import CachedFile, ensure, unsound

CONTENT = {"images": b"many pixels" * 1000, "labels": b"3141592653"}
FILES = [CachedFile(name, hashlib.sha256(data).hexdigest()) for name, data in CONTENT.items()]


class Fetch:
    """Puts the files into a folder, and counts how often it was asked to."""

    def __init__(self, content=CONTENT) -> None:
        self.content, self.calls = content, 0

    def __call__(self, into: Path) -> None:
        self.calls += 1
        for name, data in self.content.items():
            (into / name).write_bytes(data)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.promise("R21")
def test_files_are_fetched_once_and_nothing_else_is_left(tmp_path) -> None:
    folder, fetch = tmp_path / "한글 폴더" / "set", Fetch()
    assert ensure(folder, FILES, fetch) is True
    assert ensure(folder, FILES, fetch) is False
    assert fetch.calls == 1
    assert {name: (folder / name).read_bytes() for name in names(folder)} == CONTENT
    assert set(names(folder.parent)) <= {"set", ".set.lock"}


@pytest.mark.promise("R21")
@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "remove", "folder"])
def test_a_damaged_file_is_fetched_again(tmp_path, damage) -> None:
    folder, fetch = tmp_path / "set", Fetch()
    ensure(folder, FILES, fetch)
    path = folder / "images"
    if damage == "flip":
        path.write_bytes(b"M" + CONTENT["images"][1:])
    elif damage == "truncate":
        path.write_bytes(CONTENT["images"][:-1])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        if damage == "folder":
            path.mkdir()
    assert unsound(folder, FILES) == ["images"]
    assert ensure(folder, FILES, fetch) is True
    assert unsound(folder, FILES) == []


@pytest.mark.promise("R21")
def test_what_is_not_the_expected_file_never_enters_the_cache(tmp_path) -> None:
    folder = tmp_path / "set"
    with pytest.raises(InputError, match=r"set: labels is not the file that was expected \(SHA-256 differs\)"):
        ensure(folder, FILES, Fetch({**CONTENT, "labels": b"evil"}))
    with pytest.raises(InputError, match="set: labels was not in what was fetched"):
        ensure(folder, FILES, Fetch({"images": CONTENT["images"]}))
    assert names(folder) == []
    assert set(names(tmp_path)) <= {"set", ".set.lock"}


@pytest.mark.promise("R21")
@pytest.mark.parametrize("boundary", range(6))
def test_a_fault_between_any_two_steps_leaves_no_half_file(tmp_path, monkeypatch, boundary) -> None:
    folder, steps = tmp_path / "set", []

    def counted(function):
        def call(*arguments):
            if len(steps) == boundary:
                raise OSError(28, "No space left on device", str(arguments[0]))
            steps.append(function)
            return function(*arguments)

        return call

    monkeypatch.setattr(cache.os, "replace", counted(os.replace))
    monkeypatch.setattr(cache.os, "fsync", counted(os.fsync))
    if boundary < 5:  # fsync and rename of two files, fsync of their folder
        with pytest.raises(InputError, match="no space left on device, while fetching data"):
            ensure(folder, FILES, Fetch())
    else:
        ensure(folder, FILES, Fetch())
    for path in folder.iterdir():
        assert path.read_bytes() == CONTENT[path.name]
    monkeypatch.undo()
    ensure(folder, FILES, Fetch())
    assert unsound(folder, FILES) == []
    assert set(names(tmp_path)) <= {"set", ".set.lock"}


SLOW_FETCH = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_cache import CONTENT, FILES
from fourfold.data.cache import ensure
def fetch(into):
    with open(sys.argv[2], "a") as log: log.write("fetch\\n")
    for name, data in CONTENT.items():
        (into / name).write_bytes(data[:5]); time.sleep(float(sys.argv[4])); (into / name).write_bytes(data)
print(ensure(Path(sys.argv[1]), FILES, fetch))
"""


def start(folder: Path, log: Path, seconds: float) -> subprocess.Popen:
    arguments = [sys.executable, "-c", SLOW_FETCH, str(folder), str(log), str(Path(__file__).parent), str(seconds)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


@pytest.mark.promise("R21")
def test_two_processes_at_once_fetch_once(tmp_path) -> None:
    log = tmp_path / "log"
    processes = [start(tmp_path / "set", log, 0.2) for _ in range(3)]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    assert said == ["False", "False", "True"]
    assert log.read_text() == "fetch\n"
    assert unsound(tmp_path / "set", FILES) == []


@pytest.mark.promise("R21")
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_process_killed_while_fetching_leaves_a_cache_that_mends_itself(tmp_path) -> None:
    log, folder = tmp_path / "log", tmp_path / "set"
    process = start(folder, log, 30)
    for _ in range(600):
        if log.exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert unsound(folder, FILES) == ["images", "labels"]
    assert ensure(folder, FILES, Fetch()) is True
    assert set(names(tmp_path)) <= {"set", ".set.lock", "log"}


@pytest.mark.promise("R3")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_is_named(tmp_path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="permission denied, while fetching data"):
        ensure(tmp_path / "set", FILES, Fetch())


@pytest.mark.promise("R3")
def test_a_cache_that_is_a_file_is_named(tmp_path) -> None:
    (tmp_path / "cache").write_text("not a folder")
    with pytest.raises(InputError, match=r"cache.*: .*while fetching data"):
        ensure(tmp_path / "cache" / "set", FILES, Fetch())
