"""How much memory this machine has.

Checked by: the limit of a control group, in a file that a test writes.
"""

import contextlib
import os
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")  # of a container; "max" where there is no limit
UNKNOWN = 8 << 30


def machine_memory() -> int:
    """Return the bytes of memory that this machine, or the container it looks like, has."""
    total = UNKNOWN
    with contextlib.suppress(ValueError, OSError, AttributeError):
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(ValueError, OSError):
        total = min(total, int(CONTROL_GROUP.read_text(encoding="ascii")))
    return total
