"""Run folders and databases for the tests of records."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fourfold.records.folder import RunFolder

RECIPE = {"data": {"name": "digits"}, "model": {"name": "mlp", "widths": [8]}, "seed": 3}
ENVIRONMENT = {"python": "3.11.7", "device": "cpu"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "내 실험 100% runs?"  # Hangul, spaces and what URLs give a meaning, in every test's path


@pytest.fixture
def make(workspace: Path) -> Callable[..., RunFolder]:
    def make_run(name: str = "digits-mlp", where: Path = workspace) -> RunFolder:
        return RunFolder.create(where, name, RECIPE, ENVIRONMENT)

    return make_run


@pytest.fixture(autouse=True)
def no_shared_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FOURFOLD_DB", raising=False)  # the developer's own is none of the tests' business


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, no_shared_database: None
) -> Iterator[str]:
    """Run the test on a fresh database of each kind; `FOURFOLD_DB` says so to child processes too."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    server = os.environ.get("FOURFOLD_TEST_POSTGRES")
    if not server:
        pytest.skip("FOURFOLD_TEST_POSTGRES is not set: .ci/postgres.sh starts a server")
    from sqlalchemy import create_engine, make_url, text

    name = f"fourfold_{secrets.token_hex(6)}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    monkeypatch.setenv("FOURFOLD_DB", make_url(server).set(database=name).render_as_string(hide_password=False))
    yield "postgresql"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
