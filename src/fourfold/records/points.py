"""The points of a run's curves, one JSON object a line: `{"step":10,"name":"train.loss","value":0.5,"time":1.7e9}`.

A line that a killed process left unfinished is dropped when the file is next read or written; damage anywhere else
is an error, for a curve with a hole in it would be a false curve.

Checked by: round trips, a file cut at every byte, a full disk.
"""

import os
from pathlib import Path
from typing import Collection, Iterable, Iterator, NamedTuple

from fourfold.core.errors import InputError
from fourfold.records import strict_json
from fourfold.records.atomic import named, write_all, write_atomically

_LONGEST_LINE = 4096


class Point(NamedTuple):
    """One value of one metric at one step."""

    step: int  # parameter updates done
    name: str  # dotted, such as train.loss
    value: float
    time: float  # seconds since 1970, UTC


def read_points(path: Path, names: Collection[str] | None = None) -> Iterator[Point]:
    """Yield the points of a metrics file in the order they were written; a missing file has none.

    Args:
        path: of the file.
        names: the metrics that are wanted; lines of others are not looked at. None is all of them.

    Raises:
        InputError: unreadable or damaged; names the file and line.
    """
    wanted = None if names is None else [strict_json.encode(name) for name in names]
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), start=1):
                if not line.endswith(b"\n"):
                    if len(line) < _LONGEST_LINE:  # the end of the file: the writer was stopped in mid-line
                        return
                    raise InputError(f"{path}: line {number}: damaged: longer than {_LONGEST_LINE} bytes")
                if wanted is None or any(name in line for name in wanted):
                    yield _parse(line, path, number)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def append_points(descriptor: int, points: Iterable[Point]) -> None:
    """Write `points` to an open file.

    Raises:
        OSError: disk full and the like; an unfinished line may have been written.
    """
    write_all(descriptor, b"".join(map(_line, points)))


def keep_points_to(path: Path, step: int) -> None:
    """Rewrite the metrics file without the points after `step`, atomically.

    Raises:
        InputError: the file is damaged before its last line.
        OSError: the file cannot be rewritten; it is as it was.
    """
    if path.exists():
        write_atomically(path, b"".join(_line(point) for point in read_points(path) if point.step <= step))


def open_for_append(path: Path) -> int:
    """Open (or create) a metrics file at its end, cutting off an unfinished last line; return the descriptor.

    Raises:
        OSError: with `path` as its filename.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            start = os.lseek(descriptor, max(0, end - _LONGEST_LINE), os.SEEK_SET)
            tail = os.read(descriptor, _LONGEST_LINE)
            whole = start + tail.rfind(b"\n") + 1
            if whole < end:
                os.ftruncate(descriptor, whole)
            os.lseek(descriptor, whole, os.SEEK_SET)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise named(error, path) from None
    return descriptor


def _line(point: Point) -> bytes:
    return strict_json.encode(point._asdict()) + b"\n"


def _parse(line: bytes, path: Path, number: int) -> Point:
    try:
        fields = strict_json.decode(line)
        step, name = fields["step"], fields["name"]
        if type(step) is not int or type(name) is not str:
            raise ValueError("step must be a whole number and name text")
        return Point(step, name, strict_json.number(fields["value"]), strict_json.number(fields["time"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: line {number}: damaged: {error}") from None
