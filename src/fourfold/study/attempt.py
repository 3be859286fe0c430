"""What a worker does with the cells that it is given, wherever it is.

Checked by: a part that raises, on this machine and on a cluster; peaks of memory, one cell after another.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fourfold.core.errors import FourfoldError, InputError
from fourfold.study.cells import Cell, run_together


class Problem(NamedTuple):
    """Why cells have no result.

    Attributes:
        says: one line.
        is_input: whether it is a mistake in what was asked, which no other attempt would mend.
    """

    says: str
    is_input: bool


def attempt(cells: Sequence[Cell], workspace: Path, use: Sequence[Path]) -> Problem | None:
    """Run a cell, or a stack of them, and return what went wrong.

    Args:
        cells: what to run; their results are in their folders.
        workspace: where these are.
        use: the user's own files whose parts the cells may name; read once a process.
    """
    from fourfold.run.parts import use_file, used_files

    _forget_peak_memory()
    try:
        for file in use:
            if file.resolve() not in used_files():
                use_file(file)
        run_together(cells, workspace)
    except InputError as error:
        return Problem(str(error), True)
    except FourfoldError as error:
        return Problem(str(error), False)
    except Exception as error:  # a bug, ours or that of a part
        first = str(error).strip().splitlines()[:1] or ["no further details"]
        return Problem(f"{type(error).__name__}: {first[0]}", False)
    return None


def _forget_peak_memory() -> None:
    """Let the most memory that this process has had be counted from here, where the system can: see proc(5)."""
    from fourfold.run.runtime import give_back_memory

    give_back_memory()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
