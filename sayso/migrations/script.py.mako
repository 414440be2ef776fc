"""${message}"""

import sqlalchemy as sa
from alembic import op

from sayso.migrations.guard import guard${", prepare" if down_revision is None else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
% if down_revision is None:
    prepare()
% endif
    ${upgrades if upgrades else "pass"}
