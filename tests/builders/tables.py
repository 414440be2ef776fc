"""Interim, gone once versions/0001_initial.py stands: lays the tables of every package that can be imported."""

from importlib import import_module

from alembic.migration import MigrationContext
from alembic.operations import Operations

from sayso.kernel.schema import metadata
from sayso.migrations import newest
from sayso.migrations import upgrade as migrate
from sayso.migrations.guard import GuardOp, prepare
from sayso.migrations.runner import _TABLES_IN, with_connection


def upgrade(url: str) -> None:
    """Migrate, or before there is a migration, create everything from the metadata."""
    if newest() is not None:
        return migrate(url)
    for package in _TABLES_IN:
        try:
            import_module(package)
        except Exception as error:
            print(f"tables of {package} are missing: {error!r}")

    def lay(connection):
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        metadata.create_all(connection)
        operations = Operations(MigrationContext.configure(connection))
        prepare(operations)
        for table in metadata.sorted_tables:
            operations.invoke(GuardOp.of(table))
        connection.commit()

    with_connection(url, lay)
