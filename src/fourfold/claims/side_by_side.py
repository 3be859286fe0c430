"""Scores of a computed claim side by side, a seed to a process, where the machine has more than one core.

A seed's arms stay together, for they often share what costs most, such as one network that all of them begin from.
Each process has its share of the cores and keeps its scores in the workspace as it goes, so whoever asks for them
afterwards finds them there, and a claim that was stopped goes on. Claims that are in no table have a function that no
other process can find: they are computed where they are asked for, and so is the quick size, which takes seconds.

Checked by: a claim of the table on one core and on several; one that is stopped, one that is asked wrongly, and one
whose process is killed.
"""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from pathlib import Path

from fourfold.claims import CLAIMS
from fourfold.claims.base import ComputedClaim, Name
from fourfold.claims.kept_scores import KeptScores
from fourfold.core.errors import FourfoldError, InputError
from fourfold.run import runtime
from fourfold.run.loop import Stop
from fourfold.study.attempt import Problem
from fourfold.study.execute import StoppedError, Watcher
from fourfold.study.local_pool import METHOD, die_with_parent, warm_up, without_main


def compute_side_by_side(claim: ComputedClaim, size: Name, workspace: Path, watcher: Watcher) -> None:
    """Compute and keep what scores are missing, if that can be done side by side and is worth it.

    Raises:
        InputError: what the claim computes cannot be built.
        FourfoldError: a score cannot be kept, or its process was killed.
        StoppedError: SIGINT or SIGTERM; scores that are known are kept.
    """
    kept = KeptScores(claim, size, workspace)
    seeds = range(claim.size(size).seeds)
    missing = [seed for seed in seeds if not all(kept.has(arm, seed) for arm in claim.arms)]
    workers = min(runtime.cores(), len(missing))
    if size != "full" or workers < 2 or not _is_of_the_table(claim):
        return
    arms, began, done = len(claim.arms), time.monotonic(), (len(seeds) - len(missing)) * len(claim.arms)
    with Stop() as stop, _processes(workers, max(1, runtime.cores() // workers)) as pool:
        with without_main():
            pending = {pool.submit(_score, claim.id, size, workspace, seed) for seed in missing}
        while pending:
            running = min(workers, len(pending)) * arms
            watcher.progressed(done, running, len(seeds) * arms, time.monotonic() - began)
            ended, pending = wait(pending, 1.0, FIRST_COMPLETED)
            for each in ended:
                _check(each)
                done += arms
            if stop.requested is not None:
                raise StoppedError(stop.requested)


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
    import torch

    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all of its processes; the first one ends the others
    torch.set_num_threads(threads)


def _score(claim: str, size: Name, workspace: Path, seed: int) -> Problem | None:
    """Compute and keep the scores of a seed's arms; return what went wrong."""
    computed = CLAIMS.load(claim)
    assert isinstance(computed, ComputedClaim)
    try:
        kept = KeptScores(computed, size, workspace)
        for arm in computed.arms:
            kept.get(arm, seed)
    except FourfoldError as error:
        return Problem(str(error), isinstance(error, InputError))
    return None


def _check(ended: "Future[Problem | None]") -> None:
    try:
        problem = ended.result()
    except BrokenProcessPool:
        raise FourfoldError("a process that computed scores was killed; the same command goes on from here") from None
    if problem is not None:
        raise InputError(problem.says) if problem.is_input else FourfoldError(problem.says)
