"""Rules over the metadata that keep an existing distributed engine within reach (docs/decisions, docs/architecture.md).

They are those of design: bucket and tenant first in every key, ids and numbers made by the program, plain column types.
"""

import pytest
from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Table, Text, UniqueConstraint

from sayso.kernel.rows import Rows
from sayso.migrations import every_table

TABLES = sorted(every_table().tables.values(), key=lambda table: table.name)
PLAIN_TYPES = (SmallInteger, BigInteger, LargeBinary, Text)
PACKAGES = ("audit", "consent", "feed", "job", "policies", "reports", "rights", "server", "vault")

every_one = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def lead(table: Table) -> list[str]:
    """What every key of the table begins with."""
    return ["bucket", "tenant"] if "bucket" in table.c else ["tenant"]


def keys(table: Table) -> list[list[str]]:
    """Column names of the primary key, of all indexes and of all unique constraints."""
    unique = [item for item in table.constraints if isinstance(item, UniqueConstraint)]
    return [[column.name for column in item.columns] for item in (table.primary_key, *table.indexes, *unique)]


def read_by_key(table: Table) -> bool:
    """Whether the key's columns stand first, as `Rows` wants them."""
    key = [column.name for column in table.primary_key]
    return [column.name for column in table.columns][: len(key)] == key


def test_there_are_tables() -> None:
    assert len(TABLES) > 20


@every_one
def test_every_key_leads_with_bucket_and_tenant(table: Table) -> None:
    for key in keys(table):
        assert key[: len(lead(table))] == lead(table)


@every_one
def test_bucket_and_tenant_are_never_null(table: Table) -> None:
    assert not any(table.c[name].nullable for name in lead(table))


@every_one
def test_a_persons_table_names_the_column_that_gives_its_bucket(table: Table) -> None:
    owner = table.info.get("owner")
    if "bucket" in table.c:
        assert owner in table.c
        assert isinstance(table.c[owner].type, LargeBinary)
    else:
        assert owner is None
        assert "subject" not in table.primary_key.columns, "a person's rows belong in a bucket"


@every_one
def test_columns_are_of_the_four_plain_types(table: Table) -> None:
    for column in table.columns:
        assert type(column.type) in PLAIN_TYPES, column


@every_one
def test_the_database_numbers_and_fills_in_nothing(table: Table) -> None:
    for column in table.columns:
        assert column.autoincrement in (False, "auto"), column
        assert column.default is None, column
        assert column.server_default is None, column
        assert column.identity is None, column
    assert table._autoincrement_column is None


@every_one
def test_no_table_hangs_on_another(table: Table) -> None:
    # A foreign key ties what must be storable apart; a unit of work writes both sides in one commit instead.
    assert not table.foreign_keys


@pytest.mark.parametrize("table", [*filter(read_by_key, TABLES)], ids=lambda table: table.name)
def test_hot_statements_carry_an_equality_on_every_key_column(table: Table) -> None:
    key = [column.name for column in table.primary_key]
    rows = Rows(table)
    for name in key:
        assert f"t.{name} = u.column" in rows.sqlite.each(2)
        for statement in (rows.sqlite.replace, rows.sqlite.delete):
            assert f"{name} = ?" in statement
        for statement in (rows.postgres.select, rows.postgres.replace(1), rows.postgres.delete):
            assert f"t.{name} = u.{name}" in statement


@every_one
def test_a_table_bears_the_name_of_its_package(table: Table) -> None:
    assert table.name.partition("_")[0] in PACKAGES
