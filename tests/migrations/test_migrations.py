"""The migrated database is the one the packages describe, and it refuses what it should, on both engines."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sayso.migrations import current, every_table, newest, upgrade
from sayso.migrations.runner import TABLES_IN, with_connection
from tests.builders.postgres import PostgresServer
from tests.source import python_files

APPEND_ONLY = sorted(name for name, table in every_table().tables.items() if table.info.get("append_only"))


def a_row(table: sa.Table, tenant: str = "default") -> dict[str, object]:
    """Any row that the table takes."""
    values = {sa.SmallInteger: 1, sa.BigInteger: 1, sa.Text: "x"}
    # No two bytes alike: some tables refuse one person in two places.
    row = {column.name: values.get(type(column.type), column.name.encode()) for column in table.columns}
    return {**row, "tenant": tenant}


def test_the_migrated_database_equals_the_metadata(database_url: str) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), every_table())

    assert with_connection(database_url, differences) == []
    assert current(database_url) == newest()


def test_upgrading_again_changes_nothing(database_url: str) -> None:
    upgrade(database_url)
    assert current(database_url) == newest()


def test_a_database_that_was_never_migrated_says_so(tmp_path) -> None:
    assert current(f"sqlite:///{tmp_path / 'fresh.db'}") is None


def test_records_and_log_are_append_only() -> None:
    assert {"consent_record", "server_manifest"} <= set(APPEND_ONLY)


@pytest.mark.parametrize("statement", ["UPDATE {} SET tenant = 'other'", "DELETE FROM {}"])
def test_append_only_tables_refuse_changes_even_to_their_owner(database_url: str, statement: str) -> None:
    def attempt(connection: sa.Connection) -> None:
        for name in APPEND_ONLY:
            table = every_table().tables[name]
            connection.execute(table.insert().values(a_row(table)))
            connection.commit()
            with pytest.raises(sa.exc.DBAPIError, match="append-only"):
                connection.execute(sa.text(statement.format(name)))
            connection.rollback()

    with_connection(database_url, attempt)


def test_the_programs_role_sees_one_tenant_and_nothing_without_one(postgres_url: str) -> None:
    def look(connection: sa.Connection) -> None:
        for table in every_table().sorted_tables:
            for tenant in ("one", "two"):
                connection.execute(table.insert().values(a_row(table, tenant)))
        connection.commit()
        connection.execute(sa.text("SET ROLE sayso_app"))
        for tenant, expected in (("one", {"one"}), ("two", {"two"}), ("", set())):
            connection.execute(sa.text("SELECT set_config('sayso.tenant', :tenant, false)"), {"tenant": tenant})
            for table in every_table().sorted_tables:
                assert set(connection.scalars(sa.select(table.c.tenant))) == expected, table.name

    with_connection(postgres_url, look)


def test_the_programs_role_cannot_write_for_another_tenant(postgres_url: str) -> None:
    def attempt(connection: sa.Connection) -> None:
        connection.execute(sa.text("SET ROLE sayso_app"))
        connection.execute(sa.text("SET sayso.tenant = 'one'"))
        connection.commit()
        for table in every_table().sorted_tables:
            with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
                connection.execute(table.insert().values(a_row(table, "two")))
            connection.rollback()

    with_connection(postgres_url, attempt)


def test_the_programs_role_may_change_only_what_is_not_append_only(postgres_url: str) -> None:
    def attempt(connection: sa.Connection) -> None:
        connection.execute(sa.text("SET ROLE sayso_app"))
        connection.commit()
        for table in every_table().sorted_tables:
            if table.name in APPEND_ONLY:
                with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
                    connection.execute(table.delete())
                connection.rollback()
            else:
                connection.execute(table.delete())

    with_connection(postgres_url, attempt)


def test_an_upgrade_gives_up_instead_of_queueing_requests_behind_it(sqlite_url: str) -> None:
    def hold(connection: sa.Connection) -> None:
        connection.execute(sa.text("SELECT 1"))  # opens a writing transaction
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            upgrade(sqlite_url, patience_s=0)

    with_connection(sqlite_url, hold)


def test_nodes_that_upgrade_at_once_do_so_one_after_the_other(postgres_server: PostgresServer) -> None:
    url = postgres_server.create("upgraded_twice")
    with ThreadPoolExecutor(2) as nodes:
        list(nodes.map(upgrade, [url, url]))
    assert current(url) == newest()


def test_every_tables_file_is_known_to_the_migrations() -> None:
    files = {".".join(path.with_suffix("").parts) for path in python_files() if path.name == "tables.py"}
    assert files == set(TABLES_IN)
