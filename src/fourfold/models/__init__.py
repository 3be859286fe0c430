"""Models: how inputs become outputs. One paper a file, each a plain `nn.Module`."""

from typing import TYPE_CHECKING, Any

from fourfold.core.registry import Entry, Table, lazy_exports

if TYPE_CHECKING:
    from fourfold.models.mlp import MLP as MLP

MODELS = Table(
    "model",
    {
        "mlp": Entry("fourfold.models.mlp:MLPConfig", "affine maps and a nonlinearity, any widths (1986)"),
    },
)

_EXPORTS = {
    "MLP": "fourfold.models.mlp",
}


def __getattr__(name: str) -> Any:
    return lazy_exports(__name__, _EXPORTS, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
