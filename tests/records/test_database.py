"""Making the index's tables: many at once, stopped halfway, damaged, newer, unreachable."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import Engine, create_engine, inspect, text

from fourfold.core.errors import InputError, RecordError
from fourfold.records import database as module
from fourfold.records.database import connect, writing
from fourfold.records.schema import HEAD, METADATA, VERSION_TABLE


@pytest.fixture
def engine(database: str, workspace: Path) -> Iterator[Engine]:
    engine = connect(workspace)
    yield engine
    engine.dispose()


def test_the_migrations_make_the_tables_of_the_schema(engine: Engine):
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == HEAD


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", "fourfold.records:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_migrations_can_be_undone(engine: Engine):
    from alembic import command

    config = Config()
    config.set_main_option("script_location", "fourfold.records:migrations")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == [VERSION_TABLE]
        command.upgrade(config, "head")


@pytest.mark.promise("R17")
def test_ten_processes_start_at_once_on_a_fresh_workspace(database: str, workspace: Path):
    script = (
        "import sys, pathlib; from fourfold.records.index import open_index; import alembic.command\n"
        "print('ready', flush=True); sys.stdin.readline(); open_index(pathlib.Path(sys.argv[1])); print('open')"
    )
    command = [sys.executable, "-X", "utf8", "-c", script, str(workspace)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    children = [subprocess.Popen(command, text=True, **pipes) for _ in range(10)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    answers = [child.communicate() for child in children]
    assert answers == [("open\n", "")] * 10


@pytest.mark.promise("R17")
def test_nobody_makes_tables_while_another_process_does(database: str, workspace: Path):
    def connect_and_leave() -> None:
        connect(workspace).dispose()

    thread = Thread(target=connect_and_leave)
    with ExitStack() as held:
        if database == "sqlite":
            workspace.mkdir()
            held.enter_context(FileLock(workspace / "fourfold.db.lock"))
        else:
            engine = create_engine(os.environ["FOURFOLD_DB"])
            held.callback(engine.dispose)
            connection = held.enter_context(engine.begin())
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": module._LOCK_KEY})
        thread.start()
        thread.join(1.0)
        assert thread.is_alive()
    thread.join()
    engine = connect(workspace)
    assert inspect(engine).has_table("runs")
    engine.dispose()


@pytest.mark.promise("R17")
def test_a_migration_stopped_halfway_leaves_nothing_behind(database: str, workspace: Path, monkeypatch):
    from alembic.operations import Operations

    real = Operations.create_table

    def stop_at_second(self: Operations, name: str, *columns: object, **options: object) -> object:
        if name == "metrics":
            raise KeyboardInterrupt
        return real(self, name, *columns, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Operations, "create_table", stop_at_second)
        with pytest.raises(KeyboardInterrupt):
            connect(workspace)
    engine = connect(workspace)
    assert set(inspect(engine).get_table_names()) == {"runs", "metrics", "heartbeats", VERSION_TABLE}
    engine.dispose()


def test_a_newer_database_is_refused(engine: Engine, workspace: Path):
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(InputError, match="made by a newer Fourfold") as caught:
        connect(workspace)
    assert "\n" not in str(caught.value)


def test_sqlite_writes_ahead_and_takes_the_path_as_it_is(workspace: Path):
    connect(workspace).dispose()
    with closing(sqlite3.connect(workspace / "fourfold.db")) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert [path.name for path in workspace.parent.iterdir()] == [workspace.name]


@pytest.mark.parametrize("damage", [b"not a database at all, but long enough to be read as one" * 50, b"\0" * 4096])
def test_a_damaged_file_is_put_aside_with_a_notice(workspace: Path, caplog, damage: bytes):
    connect(workspace).dispose()
    file = workspace / "fourfold.db"
    file.write_bytes(damage)
    engine = connect(workspace)
    assert inspect(engine).has_table("runs")
    engine.dispose()
    assert (workspace / "fourfold.db.damaged").read_bytes() == damage
    assert "is rebuilt from the run folders" in caplog.text


@pytest.mark.parametrize("start", [b"", b"x"])
def test_a_file_that_was_hardly_begun_is_a_new_database(workspace: Path, caplog, start: bytes):
    workspace.mkdir()
    (workspace / "fourfold.db").write_bytes(start)
    engine = connect(workspace)
    assert inspect(engine).has_table("runs")
    engine.dispose()
    assert caplog.text == ""


def test_a_sound_file_is_never_put_aside(workspace: Path):
    engine = connect(workspace)
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO heartbeats SELECT id, 0 FROM runs"))
    module.replace_damaged(engine)  # another process was faster
    engine.dispose()
    assert not (workspace / "fourfold.db.damaged").exists()


def test_an_unreachable_server_is_one_line_without_the_password(workspace: Path, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("FOURFOLD_DB", "postgresql+psycopg://me:s3cret@127.0.0.1:1/none")
    with pytest.raises(RecordError, match="FOURFOLD_DB: connection") as caught:
        connect(workspace)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_workspace_that_is_a_file_is_named(tmp_path: Path):
    (tmp_path / "runs").touch()
    with pytest.raises(RecordError, match="runs"):
        connect(tmp_path / "runs")


def test_sqlite_elsewhere(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/자료.db")
    connect(tmp_path / "runs").dispose()
    assert (tmp_path / "자료.db").exists()
    assert not (tmp_path / "runs").exists()
    shutil.rmtree(tmp_path)
