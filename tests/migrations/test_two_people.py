"""The database itself refuses a change that one person made and approved."""

import pytest
import sqlalchemy as sa

from sayso.migrations import every_table
from sayso.migrations.runner import with_connection
from tests.migrations.test_migrations import a_row


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("server_manifest", {"author": b"key_1", "approver": b"key_1"}),
        ("server_verdict", {"outcome": "approved", "author": b"key_1", "decider": b"key_1"}),
    ],
)
def test_one_person_is_not_two(database_url: str, table: str, row: dict[str, object]) -> None:
    def attempt(connection: sa.Connection) -> None:
        into = every_table().tables[table]
        with pytest.raises(sa.exc.IntegrityError, match="two_people"):
            connection.execute(into.insert().values({**a_row(into), **row}))
        connection.rollback()
        connection.execute(into.insert().values({**a_row(into), **row, "author": b"key_2"}))

    with_connection(database_url, attempt)
