"""The command line. `main` is the entry point; what a command needs is imported when the command runs."""

import atexit
import gc
import sys
from collections.abc import Sequence

COLLECT_AFTER = 10_000  # objects; importing torch makes half a million, to stay, and Python would look at 700 a time


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 bad input, 3 diverged, 130 interrupted."""
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])  # an eighth of the time that torch takes to import
    from fourfold.cli.app import execute

    atexit.register(_leave_garbage)
    return execute(list(sys.argv[1:] if arguments is None else arguments))


def _leave_garbage() -> None:
    """Spare the end of a command half a second, in which Python would look for garbage among all of torch's objects.

    Where triton was imported, to compile or to count FLOPs, its bindings would tell the user of each object left.
    """
    if "triton" not in sys.modules:
        gc.freeze()
