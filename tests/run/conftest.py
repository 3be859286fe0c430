"""Test-only parts in the part tables, for the length of one test."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

import adversarial
import environment
import pytest
from part_tables import tables_restored

from fourfold.core.registry import Entry
from fourfold.run.parts import TABLES


@contextmanager
def registered(module: ModuleType) -> Iterator[None]:
    """Have the tables hold a module's `PARTS`, and afterwards what they held before."""
    parts: Mapping[str, Mapping[str, type]] = module.PARTS
    with tables_restored():
        for kind, named in parts.items():
            for name, part in named.items():
                TABLES[kind].add(name, Entry(f"{module.__name__}:{part.__name__}", "for tests"))
        yield


@pytest.fixture
def added_parts() -> Iterator[None]:
    """Let a test add parts; they are gone after it."""
    with tables_restored():
        yield


@pytest.fixture
def adversarial_parts() -> Iterator[None]:
    with registered(adversarial):
        yield


@pytest.fixture
def environment_parts() -> Iterator[None]:
    with registered(environment):
        yield
