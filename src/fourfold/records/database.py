"""Connecting to the index's database and making its tables, safely with many processes starting at once.

The tables are made by alembic in one transaction under a lock: a file lock for SQLite, an advisory lock for
PostgreSQL. SQLite runs in WAL mode, where readers never wait for the writer.

Source: sqlite.org/wal.html and sqlite.org/lang_transaction.html; PostgreSQL manual, section 13.3.5, advisory locks.
Checked by: ten processes on a fresh workspace, a migration stopped halfway, a damaged file, a newer one.
"""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from fourfold.core.errors import InputError, RecordError
from fourfold.records.location import FILE, VARIABLE, database_address
from fourfold.records.schema import HEAD, VERSION_TABLE

WAIT_SECONDS = 30
_LOCK_KEY = 0x666F7572  # any number that all Fourfolds agree on
_WRITES = "fourfold_writes"
log = logging.getLogger("fourfold.records")


def connect(workspace: Path) -> Engine:
    """Return an engine on the workspace's database, its tables made or brought up to date.

    A SQLite file that is damaged is put aside with a notice: all it said is in the run folders.

    Raises:
        InputError: `FOURFOLD_DB` is not usable, or the database was made by a newer Fourfold.
        RecordError: the database cannot be reached or written.
    """
    address = database_address()
    try:
        if address is None:
            return _connect_sqlite(workspace / FILE)
        url = make_url(address)
        if url.get_backend_name() == "sqlite":
            return _connect_sqlite(Path(url.database or FILE))
        engine = create_engine(url, connect_args={"connect_timeout": 10}, pool_pre_ping=True)
        with _disposing_on_failure(engine):
            if _revision(engine) != HEAD:
                _migrate(engine)
        return engine
    except DBAPIError as error:
        raise explained(error, VARIABLE if address else str(workspace / FILE)) from None
    except ArgumentError:
        raise InputError(f"{VARIABLE}: expected postgresql+psycopg://USER@HOST/NAME or sqlite:///FILE") from None
    except OSError as error:
        raise RecordError(f"{workspace / FILE}: {(error.strerror or str(error)).lower()}") from None


def import_driver() -> None:
    """Import the module that speaks to the database in `FOURFOLD_DB`, as connecting would, with the same errors."""
    address = database_address()
    if address is not None:
        make_url(address).get_dialect().import_dbapi()


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes; it commits at the end, or leaves no trace."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


def is_damage(error: BaseException) -> bool:
    """Whether the database says that its own file is damaged."""
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def explained(error: DBAPIError, name: str) -> RecordError:
    """Return what the database said in one line, without its address, which may hold a password."""
    return RecordError(f"{name}: {' '.join(str(error.orig).split())}")


def sqlite_file(engine: Engine) -> Path | None:
    """Return the file of a SQLite engine, None for a server."""
    return engine.get_execution_options().get("fourfold_file")


def replace_damaged(engine: Engine) -> None:
    """Put a damaged SQLite file aside and make an empty one in its place, unless another process just did.

    Raises:
        OSError, RecordError: it cannot be replaced.
    """
    file = sqlite_file(engine)
    assert file is not None
    engine.dispose()
    with FileLock(f"{file}.lock"):
        if not _is_sound(engine):
            engine.dispose()
            aside = file.with_name(f"{file.name}.damaged")
            log.warning("%s was damaged; it is rebuilt from the run folders, the old file is %s", file, aside.name)
            os.replace(file, aside)
            for ending in ("-wal", "-shm"):  # of the old file: a new one must not take them for its own
                Path(f"{file}{ending}").unlink(missing_ok=True)
        _prepare_sqlite(engine)


def _connect_sqlite(file: Path) -> Engine:
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        "sqlite://",  # a URL would give `?` and `%` in the path a meaning; the function takes the path as it is
        creator=lambda: sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False),
        poolclass=QueuePool,
        execution_options={"fourfold_file": file},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")  # safe in WAL mode
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Taking the write lock at once makes SQLite wait its turn; a reader that turns writer would be refused.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")

    with _disposing_on_failure(engine):
        try:
            if not file.exists() or _revision(engine) != HEAD:
                with FileLock(f"{file}.lock"):
                    _prepare_sqlite(engine)
        except DBAPIError as error:
            if not is_damage(error):
                raise
            replace_damaged(engine)
    return engine


@contextlib.contextmanager
def _disposing_on_failure(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def _prepare_sqlite(engine: Engine) -> None:
    with contextlib.closing(engine.raw_connection()) as connection:
        connection.execute("PRAGMA journal_mode=WAL")  # kept in the file; refused, harmlessly, where WAL cannot work
    if _revision(engine) != HEAD:
        _migrate(engine)


def _is_sound(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            return connection.execute(text("PRAGMA quick_check(1)")).scalar() == "ok"
    except DBAPIError as error:
        if not is_damage(error):
            raise
        return False


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def _migrate(engine: Engine) -> None:
    from alembic import command  # 100 ms, and only the first run in a workspace needs it
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "fourfold.records:migrations")
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise InputError(f"the index was made by a newer Fourfold, or not by Fourfold: {error}") from None
