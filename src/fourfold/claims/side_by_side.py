"""Scores of a computed claim side by side, a seed to a process, where the machine has more than one core.

A seed's arms stay together, for they often share what costs most, such as one network that all of them begin from.
Each process has its share of the cores and keeps its scores in the workspace as it goes, so whoever asks for them
afterwards finds them there, and a claim that was stopped goes on. Claims that are in no table have a function that no
other process can find: they are computed where they are asked for, and so is the quick size, which takes seconds.

Checked by: a claim of the table on one core and on several; one that is stopped, one whose score is refused, and one
whose process is killed.
"""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context
from pathlib import Path

from fourfold.claims import CLAIMS
from fourfold.claims.base import ComputedClaim, Name
from fourfold.claims.kept_scores import KeptScores
from fourfold.core.errors import FourfoldError
from fourfold.run import runtime
from fourfold.run.loop import Stop
from fourfold.study.execute import Watcher, leave_if_asked
from fourfold.study.local_pool import METHOD, die_with_parent, warm_up, without_main


def compute_side_by_side(claim: ComputedClaim, size: Name, workspace: Path, watcher: Watcher) -> int | None:
    """Compute and keep what scores are missing, if that can be done side by side and is worth it.

    A score that is refused, or diverges, is left out and ends the others: who then asks for it hears why.

    Returns:
        The threads that each score had; None if none was computed here.

    Raises:
        FourfoldError: a process was killed.
        StoppedError: SIGINT or SIGTERM; scores that are known are kept.
    """
    kept = KeptScores(claim, size, workspace)
    seeds = range(claim.size(size).seeds)
    missing = [seed for seed in seeds if not all(kept.has(arm, seed) for arm in claim.arms)]
    workers = min(runtime.cores(), len(missing))
    if size != "full" or workers < 2 or not _is_of_the_table(claim):
        return None
    threads, began, total = max(1, runtime.cores() // workers), time.monotonic(), len(seeds) * len(claim.arms)
    with suppress(_LeftOutError), Stop() as stop, _processes(workers, threads) as pool:
        with without_main():
            pending = {pool.submit(_score, claim.id, size, workspace, seed) for seed in missing}
        while pending:
            done = sum(kept.has(arm, seed) for seed in seeds for arm in claim.arms)
            watcher.progressed(done, min(workers, len(pending)), total, time.monotonic() - began)
            ended, pending = wait(pending, 1.0, FIRST_COMPLETED)
            leave_if_asked(stop, any(each.exception() for each in ended))
            for each in ended:
                _check(each)
    return threads


class _LeftOutError(Exception):
    """A process could not compute a score."""


def _is_of_the_table(claim: ComputedClaim) -> bool:
    return claim.id in CLAIMS and CLAIMS.load(claim.id) is claim


@contextmanager
def _processes(workers: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes that end with this block; if it is left early, at once: half a score is worth nothing."""
    warm_up()
    others = set(active_children())
    with ProcessPoolExecutor(workers, get_context(METHOD), _begin, (threads,)) as pool:
        try:
            yield pool
        except BaseException:
            for process in set(active_children()) - others:
                process.terminate()
            raise


def _begin(threads: int) -> None:
    """Make a process ready: its share of the cores, and an end when the one that asked has ended."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all of its processes; the first one ends the others
    import torch

    torch.set_num_threads(threads)


def _score(claim: str, size: Name, workspace: Path, seed: int) -> bool:
    """Compute and keep the scores of a seed's arms; return whether all could be."""
    computed = CLAIMS.load(claim)
    assert isinstance(computed, ComputedClaim)
    try:
        kept = KeptScores(computed, size, workspace)
        for arm in computed.arms:
            kept.get(arm, seed)
    except FourfoldError:
        return False
    return True


def _check(ended: "Future[bool]") -> None:
    try:
        if not ended.result():
            raise _LeftOutError
    except BrokenProcessPool:
        raise FourfoldError("a process that computed scores was killed; the same command goes on from here") from None
