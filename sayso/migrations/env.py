"""Alembic loads this file for every command. The connection is handed over by `runner.py`; there is no offline mode."""

from alembic import context
from alembic.operations.ops import CreateTableOp, MigrationScript, OpContainer
from alembic.runtime.migration import MigrationContext

from sayso.migrations.guard import GuardOp

attributes = context.config.attributes


def _guard_new_tables(_: MigrationContext, __: object, scripts: list[MigrationScript]) -> None:
    """Put a `guard` behind every table that a generated revision creates."""
    for script in scripts:
        for operations in script.upgrade_ops_list:
            operations.ops = [each for one in operations.ops for each in (one, *_guards(one))]


def _guards(operation: object) -> list[GuardOp]:
    if isinstance(operation, OpContainer) or not isinstance(operation, CreateTableOp):
        return []
    guard = GuardOp.of(operation.to_table())
    operation.info = {}  # has served its purpose; the database knows no such thing
    return [guard]


context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["target"],
    transaction_per_migration=True,
    compare_type=True,
    process_revision_directives=_guard_new_tables,
)
with context.begin_transaction():
    context.run_migrations()
