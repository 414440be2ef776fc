"""`guard("table")` in a revision: what the database itself holds us to, beyond the columns.

- Append-only tables refuse UPDATE and DELETE (and TRUNCATE), by trigger on both engines and by grant on PostgreSQL.
- On PostgreSQL the role `sayso_app` (no login) gets what the program needs and not more, and row-level security shows
  it only the rows of the tenant named in the setting `sayso.tenant`: the second belt behind `Tx`.
- Tables whose rows are replaced keep room on their pages (heap-only updates), and are vacuumed early; so are the
  queues that are filled and emptied all day.

Old revisions call this too: a change here must leave what they did as it was.
"""

from typing import Any, Self

from alembic import op
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation
from sqlalchemy import Table

APP_ROLE = "sayso_app"
_QUEUES = ("audit_outbox", "feed", "feed_head")
_UNCOMPRESSED = {"audit_outbox": "entries", "audit_bundle": "entries", "audit_tile": "hashes"}
"""Columns of hashes and ciphertext: trying to compress them costs time and saves nothing."""
_EARLY_VACUUM = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000"


def guard(table: str, *, append_only: bool = False, replaced: bool = False) -> None:
    """Guard one table. `append_only`: rows never change. `replaced`: rows are changed in place, or come and go."""
    if op.get_bind().dialect.name == "sqlite":
        statements = _sqlite(table) if append_only else []
    else:
        statements = _postgres(table, append_only=append_only, replaced=replaced)
    for statement in statements:
        op.execute(statement)


def prepare() -> None:
    """What guards stand on: the role and the refusing function. Called once, by the first revision."""
    if op.get_bind().dialect.name != "sqlite":
        for statement in _PREPARATION:
            op.execute(statement)


class GuardOp(MigrateOperation):
    """The call of `guard` in a revision that Alembic drafts."""

    def __init__(self, table: str, *, append_only: bool, replaced: bool) -> None:
        self.table = table
        self.flags = {"append_only": append_only, "replaced": replaced}

    @classmethod
    def of(cls, table: Table) -> Self:
        """The guard that a table of the metadata asks for."""
        append_only = bool(table.info.get("append_only"))
        replaced = not append_only and ("version" in table.c or table.name in _QUEUES)
        return cls(table.name, append_only=append_only, replaced=replaced)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """How the operation shows in Alembic's lists."""
        return ("guard", self.table)


@renderers.dispatch_for(GuardOp)
def _render(_: AutogenContext, wanted: GuardOp) -> str:
    flags = "".join(f", {name}=True" for name, on in wanted.flags.items() if on)
    return f"guard({wanted.table!r}{flags})"


def _sqlite(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _postgres(table: str, *, append_only: bool, replaced: bool) -> list[str]:
    verbs = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY own_tenant ON {table} TO {APP_ROLE} USING (tenant = current_setting('sayso.tenant', true))",
        f"GRANT {verbs} ON {table} TO {APP_ROLE}",
    ]
    if append_only:
        statements += [
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION sayso_refuse()",
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION sayso_refuse()",
        ]
    if table in _UNCOMPRESSED:
        statements.append(f"ALTER TABLE {table} ALTER COLUMN {_UNCOMPRESSED[table]} SET STORAGE EXTERNAL")
    if replaced:
        statements.append(f"ALTER TABLE {table} SET (fillfactor = 85, {_EARLY_VACUUM})")
    return statements


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
    # Ends a flush that replaced fewer rows than it decided about: another node was faster, and nothing is kept.
    """
    CREATE FUNCTION sayso_expect(changed bigint, wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
        IF changed <> wanted THEN RAISE EXCEPTION 'lost a race' USING ERRCODE = 'serialization_failure'; END IF;
        RETURN changed;
    END $$
    """,
)
