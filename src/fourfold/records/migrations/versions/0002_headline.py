"""The metric that a list shows of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; rows without a signature are read again from their folders, by the machine that has them."""
    op.add_column("runs", sa.Column("headline", sa.Text))
    op.execute("UPDATE runs SET signature = ''")


def downgrade() -> None:
    """Drop the column; the run folders have it."""
    op.drop_column("runs", "headline")
