"""Errors a person can act on, and the exit codes the command line gives them."""

from difflib import get_close_matches
from typing import Iterable

DONE, BAD_INPUT, DIVERGED, FAILED, INTERRUPTED = 0, 2, 3, 1, 130
LOST = 75  # of one process among several: another one failed, and knows why


class FourfoldError(Exception):
    """Any error Fourfold raises on purpose; `str()` is one line that names the file, field or value.

    Only that of a `ListedError` has more lines.
    """

    exit_code = FAILED


class InputError(FourfoldError, ValueError):
    """The user gave something that cannot be used; nothing was created."""

    exit_code = BAD_INPUT


class UnknownPartError(InputError):
    """No part has the name that was given."""


class ListedError(InputError):
    """Several things the user gave that cannot be used, told at once.

    Attributes:
        lines: what `str()` joins: what they have in common, and then one line each.
    """

    def __init__(self, summary: str, each: Iterable[str]) -> None:
        self.lines = [summary, *(f"  {line}" for line in each)]
        super().__init__("\n".join(self.lines))


class DivergedError(FourfoldError, ArithmeticError):
    """A loss, gradient or parameter stopped being finite; the update was not made, or its result not saved.

    Attributes:
        step: the refused update, counted from 0; None where who raises it does not know.
    """

    exit_code = DIVERGED

    def __init__(self, message: str, step: int | None = None) -> None:
        super().__init__(message)
        self.step = step


class CheckpointError(FourfoldError, OSError):
    """A checkpoint could not be written or is damaged; the message names the file."""

    exit_code = BAD_INPUT


class RecordError(FourfoldError, OSError):
    """A run's folder could not be written: disk full, no permission; nothing is claimed as saved."""

    exit_code = FAILED


class LostProcessError(FourfoldError):
    """Another process of this run ended or cannot be reached."""

    exit_code = LOST


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return `"; did you mean 'widths'?"` when a choice is near `name`, else `"; one of a, b, c"`."""
    known = sorted(choices)
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    if not known:
        return ""
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"; one of {shown}"
