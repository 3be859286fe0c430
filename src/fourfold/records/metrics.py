"""Writing a run's curves without slowing its steps.

`add` only appends to a queue. A thread empties the queue into metrics.jsonl about once a second and gives the run's
heartbeat. What must not be lost is written by `flush`, which returns only when the points are durable: call it
before each checkpoint, so that a run resumed from it has every point up to its step.

A point that cannot be written stops the run: the next `add`, `flush` or `close` raises.

Checked by: a resumed run's points against an uninterrupted one's, a full disk, a killed writer.
"""

import contextlib
import os
import threading
import time
from collections import deque
from typing import Any, Iterator, Mapping, Sequence

from fourfold.core.errors import FourfoldError, RecordError
from fourfold.records.atomic import fsync_directory
from fourfold.records.folder import RunFolder, cannot_write
from fourfold.records.mirror import Mirror
from fourfold.records.points import Point, append_points, keep_points_to, open_for_append
from fourfold.records.process import HEARTBEAT_SECONDS
from fourfold.records.result import FinalStatus

FLUSH_SECONDS = 1.0


class MetricWriter:
    """Writes the points of one run; one writer a run at a time.

    The thread is started by the first `add`, so nothing happens before the first training step.

    Args:
        folder: the run's folder.
        trackers: names from `records.trackers.TRACKERS` that get a copy of every point.
        indexed: whether the workspace's own index hears of the run when it ends; see `Mirror`.

    Raises:
        RecordError: metrics.jsonl cannot be opened for writing.
        InputError: no such tracker, or it is not installed; `check_trackers` says so before the folder is made.
    """

    def __init__(self, folder: RunFolder, trackers: Sequence[str] = (), indexed: bool = True) -> None:
        self.folder = folder
        self._mirror = Mirror(folder, trackers, indexed)
        self._queue: deque[tuple[int, float, Mapping[str, float]]] = deque()
        self._writing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem: str | None = None
        self._told = False
        self._stopped = False  # no more points are taken or written
        self._closed = False
        try:
            self._descriptor = open_for_append(folder.metrics_file)
            fsync_directory(folder.path)
        except OSError as error:
            raise cannot_write(error, folder.metrics_file) from None

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add points at `step`, such as `{"train.loss": 0.31, "train.accuracy": 0.9}`; microseconds.

        Raises:
            RecordError: an earlier point could not be written.
        """
        if self._problem is not None:
            self._raise()
        assert not self._stopped, "the writer is closed"
        self._queue.append((step, time.time(), dict(values)))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
            self._thread.start()

    def flush(self) -> None:
        """Write every point added so far; when this returns they survive a power cut.

        Raises:
            RecordError: they could not be written.
        """
        self._write_durably()
        if self._problem is not None:
            self._raise()

    def truncate_after(self, step: int) -> None:
        """Forget the points after `step`: a run that resumes from a checkpoint will make them again.

        Raises:
            RecordError: metrics.jsonl is damaged or cannot be rewritten.
        """
        self.flush()
        with self._noting_problems(), self._writing:
            keep_points_to(self.folder.metrics_file, step)
            old, self._descriptor = self._descriptor, open_for_append(self.folder.metrics_file)
            os.close(old)
        self._mirror.restart()
        if self._problem is not None:
            self._raise()

    def finish(self, status: FinalStatus, result: Mapping[str, Any]) -> None:
        """End the run: write every point, then result.json, then complete the copies.

        Raises:
            RecordError: something could not be written. Then result.json says `failed`, and this among its `findings`;
                if not even that can be written there is none.
            TypeError: `result` is no plain data. Then result.json says `failed` and why, and nothing else.
        """
        try:
            self._stop_writing()
            if self._problem is not None:
                self._raise()
            self.folder.write_result(status, result)
        except RecordError as error:
            findings = [*result.get("findings", []), str(error)]
            with contextlib.suppress(RecordError):  # the first error is the one to tell
                self.folder.write_result("failed", {**result, "findings": findings})
            raise
        except Exception as error:  # a bug: `result` itself cannot be written
            with contextlib.suppress(RecordError):
                self.folder.write_result("failed", {"findings": [f"{type(error).__name__}: {error}".splitlines()[0]]})
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Write every point and stop the thread; closing twice is harmless.

        Raises:
            RecordError: points could not be written and no call has said so yet.
        """
        if not self._closed:
            self._closed = True
            self._stop_writing()
            self._mirror.finish()
        if self._problem is not None and not self._told:
            self._raise()

    def __enter__(self) -> "MetricWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stop_writing(self) -> None:
        """Write every point, durably, and stop the thread; a failure is kept."""
        if self._stopped:
            return
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._write_durably()
        self._stopped = True
        with self._noting_problems():
            os.close(self._descriptor)

    def _run(self) -> None:
        last_beat = float("-inf")
        while not self._stop.wait(FLUSH_SECONDS):
            self._write()
            if time.monotonic() - last_beat >= HEARTBEAT_SECONDS:
                with contextlib.suppress(OSError):  # a heartbeat is a courtesy; the next write says what is wrong
                    self.folder.heartbeat()
                last_beat = time.monotonic()

    def _write(self) -> None:
        """Move the queue to the file; a failure is kept for the training thread to raise."""
        with self._noting_problems(), self._writing:
            points: list[Point] = []
            while self._queue:
                step, now, values = self._queue.popleft()
                points += [Point(step, name, float(value), round(now, 3)) for name, value in values.items()]
            if points and self._problem is None:  # after a failure the file must not grow a hole
                append_points(self._descriptor, points)
                self._mirror.put(points)

    def _write_durably(self) -> None:
        self._write()
        if self._problem is None and not self._stopped:
            with self._noting_problems(), self._writing:
                os.fsync(self._descriptor)

    @contextlib.contextmanager
    def _noting_problems(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._problem = str(cannot_write(error, self.folder.metrics_file))
        except FourfoldError as error:
            self._problem = str(error)
        except Exception as error:  # a bug, but still one that the run must hear of
            self._problem = f"{self.folder.metrics_file}: {type(error).__name__}: {error}"

    def _raise(self) -> None:
        self._told = True
        raise RecordError(self._problem)
