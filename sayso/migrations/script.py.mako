"""${message}"""

import sqlalchemy as sa
from alembic import op
% if down_revision is None:

from sayso.migrations.guard import prepare
% endif

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
% if down_revision is None:
    prepare(op)
% endif
    ${upgrades if upgrades else "pass"}
