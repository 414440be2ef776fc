"""And after that an index."""

from alembic import op

revision = "later_2"
down_revision = "later_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("later_name", "later", ["name"])
