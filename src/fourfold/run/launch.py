"""Starting several processes on this machine, and ending all of them when one fails.

The first process speaks for the run. What the others say is kept back; of the failures, the first one is told, and none
that is only its consequence. Every process ends within `GRACE_SECONDS` of the first failure, and ends by itself when
this one, which started them, is killed.

Between machines torchrun does this, and sets the same environment; see docs/architecture.md.

Checked by: processes killed one by one, from outside and by each other's failure; the same run as in one process.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from fourfold.core.errors import BAD_INPUT, DIVERGED, INTERRUPTED, LOST, DivergedError, FourfoldError, InputError

PROGRAM = (sys.executable, "-m", "fourfold")
SETTLE_SECONDS = 3.0  # for a process that lost another to write down how the run ended
GRACE_SECONDS = 20.0  # from the first failure to the end of every process
POLL_SECONDS = 0.05


class Ended(NamedTuple):
    """How one process ended badly."""

    rank: int
    code: int  # of its exit; -9 is signal 9
    by_us: bool  # it did not end by itself


def launch(arguments: list[str], count: int, output: IO[bytes] | None = None, program: Sequence[str] = PROGRAM) -> int:
    """Run `fourfold ARGUMENTS` in `count` processes and return the exit code: 0, or the first failure's.

    SIGINT and SIGTERM that reach this process are passed on to all of them.

    Args:
        arguments: of the command line.
        count: processes.
        output: where the first process's stdout goes; by default to this one's, like its stderr. With it, what the
            first process says on stderr is passed on without its error, which is for the caller to raise.
        program: what is run; another one in tests.

    Raises:
        FourfoldError: a process other than the first failed, or one was killed; nobody has told it yet.
    """
    with tempfile.TemporaryDirectory(prefix="fourfold-") as meeting:
        common = {
            **os.environ,
            "WORLD_SIZE": str(count),
            "LOCAL_WORLD_SIZE": str(count),
            "FOURFOLD_RENDEZVOUS": str(Path(meeting) / "rendezvous"),
            "FOURFOLD_LIFELINE": "stdin",
        }
        workers: list[subprocess.Popen[bytes]] = []
        alive, lifeline = os.pipe()  # only this process holds the end to write to, so its death is the other's end
        with _passing_on_to(workers) as heard:
            try:
                for rank in range(count):
                    with open(_words(meeting, rank), "wb") as words:
                        workers.append(
                            subprocess.Popen(
                                [*program, *arguments],
                                env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                                stdin=alive,
                                stdout=words if rank else output,
                                stderr=subprocess.STDOUT if rank else output and words,
                                start_new_session=True,  # Ctrl-C reaches this process alone, which passes it on
                            )
                        )
                    if heard:  # a signal came while this one was being started, and has not reached it
                        workers[-1].send_signal(heard[-1])
                with open(_words(meeting, 0), "rb") as said:
                    ended = _wait(workers, said)
            finally:
                for worker in workers:
                    if worker.poll() is None:
                        worker.kill()
                        worker.wait()
                os.close(alive)
                os.close(lifeline)
        return _answer(ended, count, heard, meeting)


@contextmanager
def _passing_on_to(workers: list[subprocess.Popen[bytes]]) -> Iterator[list[int]]:
    """Pass on SIGINT and SIGTERM to the workers there are; give the signals heard so far."""
    heard: list[int] = []

    def pass_on(number: int, _: object) -> None:
        heard.append(number)
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(number)

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, pass_on)
    except ValueError:
        pass  # not the main thread: no signal comes here
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(workers: list[subprocess.Popen[bytes]], said: IO[bytes]) -> list[Ended]:
    """Wait until all have ended, and return those that ended badly, the earliest first.

    A process that loses another learns it from the broken connection and ends by itself. One that does not is asked to,
    and then made to. Meanwhile what the first one says, in the file `said`, is passed on.
    """
    ended: list[Ended] = []
    told: set[int] = set()  # those asked to end
    first = 0.0
    running = dict(enumerate(workers))
    while running:
        for rank, worker in list(running.items()):
            code = worker.poll()
            if code is None:
                continue
            del running[rank]
            if code:
                first = first or time.monotonic()
                ended.append(Ended(rank, code, by_us=rank in told and code in (-signal.SIGTERM, -signal.SIGKILL)))
        waited = time.monotonic() - first if first else 0.0
        for rank, worker in running.items():
            if waited > SETTLE_SECONDS and rank not in told:
                told.add(rank)
                worker.terminate()
            if waited > GRACE_SECONDS:
                worker.kill()
        _retell(said, to_the_end=not running)
        time.sleep(POLL_SECONDS)
    return ended


def _retell(words: IO[bytes], to_the_end: bool) -> None:
    """Say what was said since, line by line, but an error."""
    for line in words:
        if not (line.endswith(b"\n") or to_the_end):
            words.seek(-len(line), os.SEEK_CUR)  # the rest of the line is to come
            return
        if not line.startswith(b"error: "):
            print(line.decode("utf-8", errors="replace"), end="", file=sys.stderr, flush=True)


def _answer(ended: list[Ended], count: int, heard: list[int], meeting: str) -> int:
    """Return the exit code, if the first process has said why, or raise what nobody has said."""
    if not ended:
        return 0
    spoken = [each.code for each in ended if each.rank == 0 and each.code > 0 and each.code != LOST]
    if spoken:
        return spoken[0]
    if heard and any(each.code == -number for each in ended for number in heard):
        return INTERRUPTED  # before there was anything to save, or by a second signal that waits for nothing
    causes = [each for each in ended if each.code != LOST]
    cause = min(causes or ended, key=lambda each: each.by_us)  # min takes the first of equals
    who = f"process {cause.rank} (of 0 to {count - 1})"
    words = _last_words(meeting, cause.rank)
    if cause.by_us:
        raise FourfoldError(f"{who} did not answer and was ended; so were the others")
    if cause.code < 0:
        name = signal.Signals(-cause.code).name
        raise FourfoldError(f"{who} was ended by {name}{words and f' ({words})'}; the others ended with it")
    if cause.code == LOST:
        raise FourfoldError("the processes lost each other")
    kind = {BAD_INPUT: InputError, DIVERGED: DivergedError}.get(cause.code, FourfoldError)
    raise kind(f"{who}: {words or f'ended with exit code {cause.code}'}")


def _words(meeting: str, rank: int) -> Path:
    """Return where the words of a process are kept."""
    return Path(meeting) / f"said-{rank}"


def _last_words(meeting: str, rank: int) -> str:
    """Return the last line that a process said, which is its error; all that it said goes to stderr when debugging."""
    said = _words(meeting, rank).read_text(encoding="utf-8", errors="replace").strip()
    if said and os.environ.get("FOURFOLD_DEBUG"):
        print(said, file=sys.stderr, flush=True)
    lines = said.splitlines()
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or [""])[-1]
