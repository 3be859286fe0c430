"""Run by alembic: migrate over the connection that `database.prepare` opened, in its transaction."""

from alembic import context

from fourfold.records.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
