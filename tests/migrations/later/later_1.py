"""What a later release may bring: a table, and a column of one that holds rows."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from sayso.migrations import runner
from sayso.migrations.guard import guard

revision = "later_1"
down_revision = max(path.stem[:4] for path in Path(runner.__file__).with_name("versions").glob("0*.py"))
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "later",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("later_pk")),
    )
    guard("later", append_only=True)
    op.add_column("server_tenant", sa.Column("motto", sa.Text(), nullable=False, server_default=""))
