"""Standing between a program and its disk: failing, filling up or dying at any call that changes something."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHANGING = ("open", "write", "fsync", "replace", "rename", "symlink", "mkdir", "unlink", "rmdir", "remove", "utime")


class Killed(BaseException):
    """The process is gone: nothing that comes after, clean-up included, reaches the disk."""


class Disk:
    """Counts calls that change the disk, and hands the chosen one to `fault`.

    Attributes:
        calls: `(name, path)` of each call so far; the path of a descriptor is the file it was opened on.
    """

    def __init__(self, at: int | None, fault: Callable[[str, Callable[..., Any], tuple[Any, ...]], Any]) -> None:
        self.calls: list[tuple[str, str]] = []
        self.at, self.fault, self.dead = at, fault, False
        self._paths: dict[int, str] = {}

    def call(self, name: str, real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.dead:
            raise Killed
        where = self._paths.get(args[0], "?") if isinstance(args[0], int) else os.fspath(args[0])
        if name == "open" and not args[1] & (os.O_WRONLY | os.O_RDWR):
            result = real(*args, **kwargs)
            self._paths[result] = where
            return result
        self.calls.append((name, where))
        if name in ("replace", "rename", "symlink"):
            self.calls[-1] = (name, os.fspath(args[1]))
        if len(self.calls) - 1 == self.at:
            return self.fault(name, real, args)
        result = real(*args, **kwargs)
        if name == "open":
            self._paths[result] = where
        return result

    def die(self, name: str, real: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Be killed in the middle of the call: of a write, half is done; of anything else, nothing."""
        if name == "write":
            real(args[0], bytes(args[1])[: len(args[1]) // 2])
        self.dead = True
        raise Killed


@contextmanager
def disk(at: int | None, fault: Callable[..., Any] | None = None) -> Iterator[Disk]:
    """Watch the disk; the `at`-th changing call (from 0) goes to `fault(name, real, args)`, or dies without one."""
    watched = Disk(at, fault or (lambda *a: watched.die(*a)))
    real = {name: getattr(os, name) for name in CHANGING}

    def stand_in(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: watched.call(name, real[name], *args, **kwargs)

    try:
        for name in CHANGING:
            setattr(os, name, stand_in(name))
        yield watched
    finally:
        for name, function in real.items():
            setattr(os, name, function)


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file in `folder` by its relative path, with its bytes; a link with where it points."""
    return {
        str(p.relative_to(folder)): os.readlink(p) if p.is_symlink() else p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_symlink() or p.is_file()
    }
