"""Starting several processes on this machine, and ending all of them when one fails.

Between machines use torchrun, which sets the same environment:

    torchrun --nnodes 2 --nproc-per-node 4 --rdzv-endpoint HOST:29500 -m fourfold run RECIPE runtime.processes=8
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fourfold.core.errors import FAILED

GRACE_SECONDS = 20.0


def launch(arguments: list[str], count: int) -> int:
    """Run `python -m fourfold ARGUMENTS` in `count` processes and return the exit code of the first that failed, or 0.

    Signals that reach this process are passed on to all of them; when one ends with an error, the others are asked to
    stop, and killed after `GRACE_SECONDS`.
    """
    with tempfile.TemporaryDirectory(prefix="fourfold-") as meeting:
        common = {
            **os.environ,
            "WORLD_SIZE": str(count),
            "LOCAL_WORLD_SIZE": str(count),
            "FOURFOLD_RENDEZVOUS": str(Path(meeting) / "rendezvous"),
        }
        command = [sys.executable, "-m", "fourfold", *arguments]
        workers = [
            subprocess.Popen(
                command,
                env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                start_new_session=True,  # Ctrl-C reaches this process alone, which passes it on
            )
            for rank in range(count)
        ]
        return _wait(workers)


def _wait(workers: list[subprocess.Popen[bytes]]) -> int:
    def pass_on(number: int, _: object) -> None:
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    failed, deadline = 0, None
    try:
        while any(worker.poll() is None for worker in workers):
            codes = [worker.poll() for worker in workers]
            if not failed and any(codes):
                failed = next(code for code in codes if code)
                deadline = time.monotonic() + GRACE_SECONDS
                for worker in workers:
                    if worker.poll() is None:
                        worker.terminate()
            if deadline is not None and time.monotonic() > deadline:
                for worker in workers:
                    if worker.poll() is None:
                        worker.kill()
            time.sleep(0.05)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
    failed = failed or next((worker.returncode for worker in workers if worker.returncode), 0)
    return failed if failed >= 0 else FAILED
