"""Everything that is wrong with a user's pictures, told at once.

Checked by: a folder with every fault planted.
"""

from collections.abc import Sequence
from typing import NamedTuple

from fourfold.core.errors import ListedError

MOST_LINES = 200
MOST_NAMES = 3  # that stand for many


class Problem(NamedTuple):
    """Something wrong, at a path inside the folder that was given."""

    name: str
    text: str

    def __str__(self) -> str:
        return f"{shown(self.name)}: {self.text}"


class ProblemsError(ListedError):
    """Pictures that cannot be used.

    Attributes:
        problems: all of them, also where the text has not room for all.
    """

    def __init__(self, place: str, problems: Sequence[Problem], advice: str) -> None:
        self.problems = sorted(set(problems))
        if len(self.problems) == 1:
            super().__init__(f"{place}/{self.problems[0]}; {advice}", [])
            return
        lines = [str(problem) for problem in self.problems[:MOST_LINES]]
        left = len(self.problems) - len(lines)
        lines += [f"and {left:,} more"] if left else []
        super().__init__(f"{place}: {len(self.problems):,} problems; {advice}", lines)


def shown(name: str) -> str:
    """Return a file's name as one line that can be printed, also where it is not UTF-8."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def about_many(what: str, names: Sequence[str], noun: str = "picture") -> str:
    """Return one line that says the same of several pictures, or of several of what `noun` says."""
    few = ", ".join(shown(name) for name in names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
    many = "" if len(names) == 1 else "es" if noun.endswith("s") else "s"
    return f"{len(names):,} {noun}{many}: {what} ({few})"
