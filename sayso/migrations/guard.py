"""`op.guard(table)`: what the database itself holds us to, beyond the columns.

- Append-only tables refuse UPDATE and DELETE (and TRUNCATE), by trigger on both engines and by grant on PostgreSQL.
- On PostgreSQL the role `sayso_app` (no login) gets what the program needs and not more, and row-level security shows
  it only the rows of the tenant named in the setting `sayso.tenant`: the second belt behind `Tx`.
- Tables whose rows are replaced keep room on their pages (heap-only updates), and are vacuumed early; so are the
  queues that are filled and emptied all day.

Old revisions call this too: a change here must leave what they did as it was.
"""

from typing import Any, Self

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from sqlalchemy import Table

APP_ROLE = "sayso_app"
_QUEUES = ("audit_outbox", "feed", "feed_head")
_EARLY_VACUUM = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000"


@Operations.register_operation("guard")
class GuardOp(MigrateOperation):
    """Guard one table. `append_only`: rows never change. `replaced`: rows are changed in place, or come and go."""

    def __init__(self, table: str, *, append_only: bool = False, replaced: bool = False) -> None:
        self.table = table
        self.append_only = append_only
        self.replaced = replaced

    @classmethod
    def guard(cls, operations: Operations, table: str, *, append_only: bool = False, replaced: bool = False) -> None:
        """What a revision writes as `op.guard("consent_record", append_only=True)`."""
        operations.invoke(cls(table, append_only=append_only, replaced=replaced))

    @classmethod
    def of(cls, table: Table) -> Self:
        """The guard that a table of the metadata asks for."""
        append_only = bool(table.info.get("append_only"))
        replaced = not append_only and ("version" in table.c or table.name in _QUEUES)
        return cls(table.name, append_only=append_only, replaced=replaced)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """How the operation shows in Alembic's lists."""
        return ("guard", self.table)


@Operations.implementation_for(GuardOp)
def _guard(operations: Operations, wanted: GuardOp) -> None:
    if operations.get_bind().dialect.name == "sqlite":
        statements = _sqlite(wanted)
    else:
        statements = _postgres(wanted)
    for statement in statements:
        operations.execute(statement)


@renderers.dispatch_for(GuardOp)
def _render(_: AutogenContext, wanted: GuardOp) -> str:
    flags = [name for name in ("append_only", "replaced") if getattr(wanted, name)]
    return f"op.guard({', '.join([repr(wanted.table), *(f'{flag}=True' for flag in flags)])})"


def _sqlite(wanted: GuardOp) -> list[str]:
    if not wanted.append_only:
        return []
    return [
        f"CREATE TRIGGER {wanted.table}_no_{verb.lower()} BEFORE {verb} ON {wanted.table} "
        f"BEGIN SELECT RAISE(ABORT, '{wanted.table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _postgres(wanted: GuardOp) -> list[str]:
    table = wanted.table
    verbs = "SELECT, INSERT" if wanted.append_only else "SELECT, INSERT, UPDATE, DELETE"
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own_tenant ON {table} TO {APP_ROLE} USING (tenant = current_setting('sayso.tenant', true))",
        f"GRANT {verbs} ON {table} TO {APP_ROLE}",
    ]
    if wanted.append_only:
        statements += [
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION sayso_refuse()",
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION sayso_refuse()",
        ]
    if wanted.replaced:
        statements.append(f"ALTER TABLE {table} SET (fillfactor = 85, {_EARLY_VACUUM})")
    return statements


def prepare(operations: Operations) -> None:
    """What guards stand on: the role and the refusing function. Called once, by the first revision."""
    if operations.get_bind().dialect.name == "sqlite":
        return
    for statement in _PREPARATION:
        operations.execute(statement)


_PREPARATION = (
    # Roles belong to the whole server: another database of it may have brought this one.
    f"""
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN CREATE ROLE {APP_ROLE} NOLOGIN; END IF;
    END $$
    """,
    f"GRANT {APP_ROLE} TO CURRENT_USER",
    f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
    f"GRANT SELECT ON alembic_version TO {APP_ROLE}",
    """
    CREATE FUNCTION sayso_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
    """,
)
