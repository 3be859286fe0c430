"""Copies of a run elsewhere while it runs: in the index, and with the trackers that were asked for.

The folder is the truth and a copy never stops the run: one that fails is reported once. The index is tried again
later, and made whole from the folder; a tracker is left alone from then on.

The database library takes a third of a second to import, and an import in any thread holds up the training thread for
as long. So where several machines share `FOURFOLD_DB`, and want to see the run while it runs, the library is imported
before the first step; the workspace's own index, which is brought up to date by whoever reads it, hears of the run at
its end.

Checked by: an index and trackers that fail at each call, a short run, a resumed run, what is imported when.
"""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from itertools import groupby
from typing import TYPE_CHECKING

from fourfold.records.folder import RunFolder
from fourfold.records.location import database_address
from fourfold.records.points import Point
from fourfold.records.process import HEARTBEAT_SECONDS
from fourfold.records.trackers import TRACKERS, Tracker, check_trackers

if TYPE_CHECKING:
    from fourfold.records.index import Index

EVERY_SECONDS = 1.0
RETRY_SECONDS = 30.0
FINISH_SECONDS = 60.0  # a copy that hangs may hold up the end of a run for so long
log = logging.getLogger("fourfold.records")


class Mirror:
    """Feeds the copies of one run from a thread of its own, which the first points start.

    Args:
        run: whose.
        trackers: names from `records.trackers.TRACKERS`.
        indexed: whether the workspace's own index hears of the run when it ends; else, at the latest, when somebody
            reads it. Among very short runs telling it takes as long as all the rest. A shared index hears of every run.

    Raises:
        InputError: no such tracker, or it is not installed; or `FOURFOLD_DB` is not usable.
    """

    def __init__(self, run: RunFolder, trackers: Sequence[str], indexed: bool = True) -> None:
        check_trackers(trackers)
        self._run = run
        self._trackers: dict[str, Tracker] = {name: TRACKERS[name].open(run.path) for name in trackers}
        self._for_trackers: deque[Point] = deque()
        self._for_index: deque[Point] = deque()
        self._index: Index | None = None
        self._shared = database_address() is not None
        self._indexed = indexed or self._shared
        if self._shared:
            with contextlib.suppress(Exception):  # the first write to the index says what is wrong
                import_module("fourfold.records.index")
                import_module("fourfold.records.database").import_driver()
        self._collecting = False  # points go into the queue; until then the index will read them from the folder
        self._whole = False  # the index has every point that is not in the queue
        self._retry_at = 0.0
        self._last_beat = 0.0
        self._warned = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mirror", daemon=True)

    def put(self, points: Iterable[Point]) -> None:
        """Take points that are in the folder already."""
        points = list(points)
        if self._collecting:
            self._for_index.extend(points)
        if self._trackers:
            self._for_trackers.extend(points)
        self._start()

    def restart(self) -> None:
        """Read the folder again from its beginning: points that were there are gone."""
        self._whole = False

    def finish(self) -> None:
        """Copy what is left, and how the run ended, and stop."""
        self._stop.set()
        self._start()
        self._thread.join(FINISH_SECONDS)
        if self._thread.is_alive():
            log.warning(
                "%s: its copies did not end within %.0f s; the folder has everything", self._run.run_id, FINISH_SECONDS
            )

    def _start(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def _work(self) -> None:
        self._tell_trackers(lambda tracker: tracker.start(self._run.run_id, self._run.recipe()))
        while not self._stop.wait(EVERY_SECONDS):
            self._feed_trackers()
            if self._shared and time.monotonic() >= self._retry_at:
                self._feed_index(last=False)
        self._feed_trackers()
        if self._indexed:
            self._feed_index(last=True)
        self._tell_trackers(lambda tracker: tracker.finish(self._run.status))

    def _feed_index(self, last: bool) -> None:
        try:
            if self._index is None:
                from fourfold.records.index import open_index

                self._index = open_index(self._run.path.parent)
            if self._whole:
                if points := _drain(self._for_index):
                    self._index.add_points(self._run, points)
            else:
                self._copy_whole(self._index)
            if last:
                self._index.record(self._run)
            elif time.monotonic() >= self._last_beat + HEARTBEAT_SECONDS:
                self._index.heartbeat(self._run)
                self._last_beat = time.monotonic()
        except Exception as error:  # whatever it is, the run goes on
            self._whole = self._collecting = False
            self._retry_at = time.monotonic() + RETRY_SECONDS
            if not self._warned:
                log.warning(
                    "%s: the index lags behind (%s); the run folder has everything", self._run.run_id, _one_line(error)
                )
            self._warned = True
        finally:
            if last and self._index is not None:
                self._index.close()

    def _copy_whole(self, index: "Index") -> None:
        self._for_index.clear()
        self._collecting = self._whole = True  # before reading, so that no point falls in between
        index.record(self._run)
        index.replace_points(self._run, self._run.points())

    def _feed_trackers(self) -> None:
        for step, points in groupby(_drain(self._for_trackers), key=lambda point: point.step):
            values = {point.name: point.value for point in points}
            self._tell_trackers(lambda tracker, step=step, values=values: tracker.log(step, values))

    def _tell_trackers(self, what: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                what(tracker)
            except Exception as error:  # someone else's code: the run goes on
                del self._trackers[name]
                log.warning("%s: %s failed and is left alone (%s)", self._run.run_id, name, _one_line(error))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _drain(queue: deque[Point]) -> list[Point]:
    points: list[Point] = []
    while queue:
        points.append(queue.popleft())
    return points
