"""The tables of the index. A change here needs a migration beside it; a test compares the two.

Checked by: alembic's own comparison of these tables with what the migrations make, on SQLite and PostgreSQL.
"""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

HEAD = "0002"  # the newest migration; lets a process that needs none start without importing alembic
VERSION_TABLE = "fourfold_version"  # not alembic's default name, which other programs in the same database use

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("run_id", Text, nullable=False),
    Column("folder", Text, nullable=False),  # absolute, on the machine in `host`
    Column("host", Text, nullable=False),
    Column("recipe", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("created", String(40), nullable=False),  # UTC, ISO 8601
    Column("ended", String(40)),
    Column("steps", BigInteger),
    Column("metrics", Text, nullable=False),  # {"test": {"accuracy": 0.97}} as strict JSON
    Column("headline", Text),  # the metric that a list shows
    Column("process", Text, nullable=False),  # what is_alive asks, as JSON
    Column("signature", Text, nullable=False),  # the state of the files that the row was read from
    Index("ix_runs_created", "created"),
)

METRICS = Table(
    "metrics",
    METADATA,
    Column("run", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("value", Float(53)),  # null is NaN, which SQLite has no other way to keep
    Column("time", Float(53), nullable=False),
    sqlite_with_rowid=False,
)

HEARTBEATS = Table(
    "heartbeats",
    METADATA,
    Column("run", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("time", Float(53), nullable=False),  # seconds since 1970 by the database's clock
)
