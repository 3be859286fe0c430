"""The part tables as they were, after a test that adds parts of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from fourfold.run import parts
from fourfold.run.parts import TABLES


@contextmanager
def tables_restored() -> Iterator[None]:
    """Forget at the end what was added meanwhile: parts, files of parts, installed packages."""
    before = {kind: dict(table) for kind, table in TABLES.items()}
    used, files = set(parts._USED), list(parts._USED_FILES)
    try:
        yield
    finally:
        parts._USED.clear()
        parts._USED.update(used)
        parts._USED_FILES[:] = files
        parts.installed_parts.cache_clear()
        for kind, table in TABLES.items():
            table._entries = before[kind]
