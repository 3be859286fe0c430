"""Named random streams.

Every draw belongs to a stream, and every stream is derived from the run's seed and its own name. So two arms of a
comparison see the same data order whatever else they draw, and a stream that is keyed by the step can be sought
to any step without replaying it.
"""

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from fourfold.core.config import Config, validate

Seed = Annotated[int, Field(ge=0, lt=2**31)]

Stream = Literal[
    "split",
    "order",
    "augment",
    "init",
    "dropout",
    "noise",
    "environment",
    "sample",
    "bootstrap",
    "member",
    "generation",
]


class _Seeded(Config):
    seed: Seed


def check_seed(seed: int) -> None:
    """Refuse a seed that no run could have.

    Raises:
        InputError: it is out of range, in the words that a recipe's seed is refused with.
    """
    validate(_Seeded, {"seed": seed}, "")


def stream_seed(seed: int, stream: Stream, *key: int) -> int:
    """Return a 63-bit seed for `stream`, optionally at a position such as an epoch or a step.

    Distinct (seed, stream, key) give independent seeds; the mapping is SHA-256, so it is the same on every machine.
    """
    text = "/".join([str(seed), stream, *map(str, key)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
