"""Which process a run belongs to, and whether it still lives.

A process number alone is reused by the system, so the time the process started is kept beside it. A process on
another machine cannot be asked; there the heartbeat decides.

Source: proc(5) for the fields of /proc/PID/stat.
Checked by: a living child, a killed one, a zombie, a reused number, another host.
"""

import os
import platform
from pathlib import Path
from typing import Any, Mapping

HEARTBEAT_SECONDS = 10.0  # how often a run says that it lives
LOST_SECONDS = 60.0  # silence after which a run on another machine counts as lost


def this_process() -> dict[str, Any]:
    """Return what `is_alive` needs to find this process again: host, pid and start time."""
    return {"host": platform.node(), "pid": os.getpid(), "started": _start_time(os.getpid())}


def is_alive(process: Mapping[str, Any], silence: float) -> bool:
    """Whether the process that `this_process` described still runs.

    Args:
        process: host, pid and start time.
        silence: seconds since its last heartbeat; decides only where the process cannot be looked up.
    """
    if process.get("host") != platform.node() or os.name == "nt":  # on Windows, os.kill(pid, 0) is not a question
        return silence < LOST_SECONDS
    pid = process.get("pid")
    if type(pid) is not int or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:  # it lives and is another user's
        pass
    except (ProcessLookupError, OverflowError):
        return False
    started = _start_time(pid)
    if started is None and process.get("started") is not None:  # this /proc hides other users' processes
        return silence < LOST_SECONDS
    return started == process.get("started") and started != _ENDED


_ENDED = "ended"


def _start_time(pid: int) -> str | None:
    """Clock ticks from boot to the start of `pid`; None where there is no /proc; "ended" for a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name in brackets may hold spaces and brackets itself
    return _ENDED if fields[0] in "ZX" else fields[19]  # fields 3 (state) and 22 (starttime)
