"""What a comparison asks: arms, each a set of overrides of one recipe, and spaces to tune in.

An arm differs from the others in what was varied and in nothing else. Every arm runs at the same seeds, and every
random stream is derived from the seed, so the arms of one seed see the same split, order and initial draws.

Nothing here imports torch: a mistake in a command line is told at once.

Checked by: values of each kind by hand; every mistake in one line.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fourfold.core.document import parse_yaml
from fourfold.core.errors import InputError

AS_IT_IS = "as it is"  # the arm of a recipe that nothing is varied of
MAX_ARMS = 1000
MAX_SEEDS = 10_000
RANDOM_TRIALS = 10  # with which a search begins


class Arm(NamedTuple):
    """One of the things compared.

    Attributes:
        name: what tells it apart, such as `adam` or `adam, widths=[64]`.
        overrides: dotted keys to values.
    """

    name: str
    overrides: Mapping[str, Any]


class Space(NamedTuple):
    """Where a number is looked for.

    Attributes:
        key: the dotted key that is tuned.
        low: smallest value, included.
        high: largest value, included.
        log: whether 0.001 to 0.01 weighs as much as 0.1 to 1.
        whole: whether only whole numbers count.
    """

    key: str
    low: float
    high: float
    log: bool
    whole: bool

    def __str__(self) -> str:
        marks = (":log" if self.log else "") + (":int" if self.whole else "")
        return f"{self.key}={_digits(self.low)}:{_digits(self.high)}{marks}"


def parse_vary(arguments: Iterable[str]) -> dict[str, list[Any]]:
    """Read `KEY=A,B,C`; a value is YAML: a part's name, a number, a list, or a map such as `{name: adam, lr: 0.01}`.

    Raises:
        InputError: no `=`, a value that is no YAML, fewer than one value, or a key or value given twice.
    """
    varied: dict[str, list[Any]] = {}
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if not equals or not key.strip("."):
            raise InputError(f"--vary '{argument}': expected KEY=A,B, for example algorithm.optimizer=sgd,adam")
        if key in varied:
            raise InputError(f"--vary {key}: given twice; name all its values in one")
        values = parse_yaml(f"[{text}]", f"--vary {key}")
        if not isinstance(values, list) or not values:
            raise InputError(f"--vary {key}: no values; for example {key}=A,B")
        varied[key] = values
    return varied


def arms_of(varied: Mapping[str, Sequence[Any]]) -> list[Arm]:
    """Return the cross product of the values; the first arm has the first value of each.

    Where nothing is varied there is one arm, the recipe as it is.

    Raises:
        InputError: two arms are the same, or there are too many.
    """
    if not varied:
        return [Arm(AS_IT_IS, {})]
    if math.prod(len(values) for values in varied.values()) > MAX_ARMS:
        raise InputError(f"--vary: more than {MAX_ARMS:,} arms")
    names = _short_names(list(varied))
    arms = []
    for values in itertools.product(*varied.values()):
        chosen = dict(zip(varied, values, strict=True))
        arms.append(Arm(", ".join(_label(names[key], value, len(varied)) for key, value in chosen.items()), chosen))
    seen: set[str] = set()
    for arm in arms:
        if arm.name in seen:
            raise InputError(f"--vary: the arm '{arm.name}' is given twice")
        seen.add(arm.name)
    return arms


def parse_space(argument: str) -> Space:
    """Read `KEY=low:high`, with `:log` and `:int` after it where they are meant.

    Raises:
        InputError: not of that form, or an empty or impossible range.
    """
    key, equals, text = argument.partition("=")
    low, *rest = text.split(":")
    if not equals or not key.strip(".") or not rest or any(mark not in ("log", "int") for mark in rest[1:]):
        raise InputError(
            f"--tune '{argument}': expected KEY=low:high, KEY=low:high:log or KEY=low:high:int, "
            "for example algorithm.optimizer.lr=1e-4:1:log"
        )
    try:
        bottom, top = float(low), float(rest[0])
    except ValueError:
        raise InputError(f"--tune {key}: '{low}' and '{rest[0]}' must be numbers") from None
    log, whole = "log" in rest[1:], "int" in rest[1:]
    if not (math.isfinite(bottom) and math.isfinite(top) and bottom < top):
        raise InputError(f"--tune {key}: the low end {low} must be below the high end {rest[0]}")
    if log and bottom <= 0:
        raise InputError(f"--tune {key}: a log range begins above 0, and not at {low}")
    if whole and not (bottom.is_integer() and top.is_integer()):
        raise InputError(f"--tune {key}: an int range has whole ends, and not {low} and {rest[0]}")
    return Space(key, bottom, top, log, whole)


def parse_seeds(count: int) -> list[int]:
    """Return the seeds of a study: 0 to count - 1.

    Raises:
        InputError: fewer than one, or more than anybody can wait for.
    """
    if count < 1:
        raise InputError(f"--seeds: at least 1, and not {count}")
    if count > MAX_SEEDS:
        raise InputError(f"--seeds: at most {MAX_SEEDS:,}, and not {count:,}")
    return list(range(count))


def _short_names(keys: list[str]) -> dict[str, str]:
    """Return the shortest ending of each dotted key that no other has: `lr`, or `optimizer.lr` beside `schedule.lr`."""
    short = {}
    for key in keys:
        parts = ending = key.removesuffix(".name").split(".")
        for length in range(1, len(parts) + 1):
            ending = parts[-length:]
            if not any(other.removesuffix(".name").split(".")[-length:] == ending for other in keys if other != key):
                break
        short[key] = ".".join(ending)
    return short


def _label(name: str, value: Any, keys: int) -> str:
    """Return how a value is called: a part by its name and what it sets, a number by its key."""
    if isinstance(value, dict):
        fields = " ".join(f"{field}={_text(each)}" for field, each in value.items() if field != "name")
        return f"{value.get('name', name)} {fields}".strip()
    if isinstance(value, str) and keys <= 2:
        return value
    return f"{name}={_text(value)}"


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(each) for each in value) + "]"
    return _digits(value) if isinstance(value, float) else str(value)


def _digits(value: float) -> str:
    """Return the fewest digits that read back as this very number: two that differ are never called the same."""
    return repr(value).removesuffix(".0")
