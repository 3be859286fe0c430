"""Test-only algorithms in the part tables, for the length of one test."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

import adversarial
import environment
import pytest

from fourfold.core.registry import Entry
from fourfold.run.parts import TABLES


@contextmanager
def registered(module: ModuleType) -> Iterator[None]:
    """Have the tables hold a module's `PARTS`, and afterwards what they held before."""
    parts: Mapping[str, Mapping[str, type]] = module.PARTS
    added = [(kind, name) for kind, named in parts.items() for name in named]
    for kind, name in added:
        TABLES[kind].add(name, Entry(f"{module.__name__}:{parts[kind][name].__name__}", "for tests"))
    yield
    for kind, name in added:
        del TABLES[kind]._entries[name]


@pytest.fixture
def adversarial_parts() -> Iterator[None]:
    with registered(adversarial):
        yield


@pytest.fixture
def environment_parts() -> Iterator[None]:
    with registered(environment):
        yield
