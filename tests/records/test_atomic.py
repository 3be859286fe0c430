"""Durable writes: faults at each system call leave the old bytes, no litter, and a loud error."""

import errno
import os
from pathlib import Path

import pytest

from fourfold.records.atomic import fsync_directory, is_temporary, rename_durably, write_atomically, write_durably


def test_writes_new_and_replaces_old(tmp_path: Path):
    target = tmp_path / "결과 파일.json"
    write_atomically(target, b"old")
    write_atomically(target, memoryview(b"newer"))
    assert target.read_bytes() == b"newer"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.promise("R2")
def test_the_bytes_are_durable_before_the_name_and_the_name_before_the_return(tmp_path: Path, monkeypatch):
    calls: list[str] = []

    def recorded(name: str):
        real = getattr(os, name)

        def call(*args, **kwargs):
            kind = "directory" if name == "fsync" and os.path.isdir(f"/proc/self/fd/{args[0]}") else "file"
            calls.append(f"{name} {kind}" if name == "fsync" else name)
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    for name in ("write", "fsync", "replace"):
        recorded(name)
    write_atomically(tmp_path / "a", b"bytes")
    assert calls == ["write", "fsync file", "replace", "fsync directory"]


@pytest.mark.promise("R3")
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_fault_at_any_call_keeps_the_old_bytes(tmp_path: Path, monkeypatch, call: str, code: int):
    target = tmp_path / "result.json"
    write_atomically(target, b"old")

    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match=r"result\.json") as caught:
            write_atomically(target, b"new")
    assert caught.value.errno == code
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.promise("R3")
def test_a_short_write_is_continued(tmp_path: Path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    write_atomically(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


@pytest.mark.promise("R3")
def test_a_write_that_stops_is_an_error(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(os, "write", lambda descriptor, data: 0)
    with pytest.raises(OSError, match="accepts no more bytes"):
        write_atomically(tmp_path / "a", b"0123456789")
    assert not list(tmp_path.iterdir())


def test_an_interrupt_leaves_no_litter(tmp_path: Path, monkeypatch):
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"x")
    assert not list(tmp_path.iterdir())


def test_a_durable_write_never_overwrites(tmp_path: Path):
    write_durably(tmp_path / "a", b"one")
    with pytest.raises(FileExistsError, match="a'"):
        write_durably(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_a_directory_is_renamed_whole(tmp_path: Path):
    (tmp_path / "new").mkdir()
    write_durably(tmp_path / "new" / "file", b"x")
    fsync_directory(tmp_path / "new")
    rename_durably(tmp_path / "new", tmp_path / "step-10")
    assert (tmp_path / "step-10" / "file").read_bytes() == b"x"


def test_a_file_system_that_cannot_fsync_directories_is_accepted(tmp_path: Path, monkeypatch):
    def cannot(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", cannot)
    fsync_directory(tmp_path)


def test_unfinished_writes_are_recognised(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("fourfold.records.atomic.remove", lambda path: None)  # as if the process were killed
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "no")))
    with pytest.raises(OSError, match="no"):
        write_atomically(tmp_path / "a", b"x")
    assert [is_temporary(path) for path in tmp_path.iterdir()] == [True]
    assert not is_temporary(tmp_path / "a")
