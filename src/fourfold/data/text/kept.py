"""Keeping in the data cache what was computed from many texts, under the digest of everything it was computed from.

A file that is damaged or cannot be written costs time and nothing else.

Checked by: the same tokens with and without the cache; a damaged file; a cache that cannot be written.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from torch import Tensor

from fourfold.records.atomic import write_atomically

LARGE = 2_000_000  # letters; what is computed from fewer is computed again


def kept_text(cache: Path, of: Sequence[object], texts: Sequence[str], compute: Callable[[], str]) -> str:
    """Return `compute()`, or what it returned before for the same `of`, anything with a `repr`, and the same texts."""
    if not _large(texts):
        return compute()
    path = _path(cache, of, texts, ".json")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        found = compute()
    _keep(path, found.encode("utf-8"))
    return found


def kept_tensors(
    cache: Path, of: Sequence[object], texts: Sequence[str], compute: Callable[[], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Return `compute()`, or what it returned before for the same `of`, anything with a `repr`, and the same texts."""
    if not _large(texts):
        return compute()
    from safetensors import SafetensorError
    from safetensors.torch import load, save

    path = _path(cache, of, texts, ".safetensors")
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError):
        found = compute()
    _keep(path, save(found))
    return found


def _large(texts: Iterable[str]) -> bool:
    return sum(map(len, texts)) >= LARGE


def _path(cache: Path, of: Sequence[object], texts: Sequence[str], suffix: str) -> Path:
    from importlib.metadata import version

    digest = hashlib.sha256(repr((*of, version("tokenizers"))).encode())
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return cache / "computed" / f"{digest.hexdigest()[:40]}{suffix}"


def _keep(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    except OSError:
        pass  # it is computed again next time
