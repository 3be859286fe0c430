"""Losses: what "good" means. One loss a file."""

from typing import TYPE_CHECKING, Any

from fourfold.core.registry import Entry, Table, lazy_exports

if TYPE_CHECKING:
    from fourfold.losses.cross_entropy import CrossEntropy as CrossEntropy
    from fourfold.losses.cross_entropy import cross_entropy as cross_entropy

LOSSES = Table(
    "loss",
    {
        "cross_entropy": Entry(
            "fourfold.losses.cross_entropy:CrossEntropyConfig", "classes; hard, soft or smoothed labels"
        ),
    },
)

_EXPORTS = {
    "CrossEntropy": "fourfold.losses.cross_entropy",
    "cross_entropy": "fourfold.losses.cross_entropy",
}


def __getattr__(name: str) -> Any:
    return lazy_exports(__name__, _EXPORTS, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
