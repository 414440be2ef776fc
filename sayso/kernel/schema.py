"""The one metadata, and the two shapes a table may have.

Rules (a test walks the metadata): every key leads with the tenant, after the bucket where there is one; nothing is
numbered by the database; columns are of four plain types, so that the same bytes lie in SQLite and PostgreSQL.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, PrimaryKeyConstraint, SmallInteger, Table, Text

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s",
    }
)


def column(
    name: str, kind: type[SmallInteger] | type[BigInteger] | type[LargeBinary] | type[Text], *, nullable: bool = False
) -> Column[Any]:
    """A column of one of the four plain types, not null unless said."""
    return Column(name, kind, nullable=nullable)


def subject_table(
    name: str,
    *columns: Column[Any],
    owner: str = "subject",
    key: Sequence[str] = ("subject",),
    indexes: Sequence[Sequence[str]] = (),
    append_only: bool = False,
) -> Table:
    """A table whose rows belong to a person, or to a blind tag that leads to one.

    Columns begin with `bucket` and `tenant`; the primary key is (bucket, tenant, *key). `owner` names the column whose
    bytes give the bucket: what an engine may shard on. `indexes` lists further ones, without their first two columns.
    """
    lead = (column("bucket", SmallInteger), column("tenant", Text))
    return _table(name, lead, columns, key, indexes, {"owner": owner, "append_only": append_only})


def tenant_table(
    name: str,
    *columns: Column[Any],
    key: Sequence[str],
    indexes: Sequence[Sequence[str]] = (),
    append_only: bool = False,
) -> Table:
    """A small table of one tenant's own things (configuration, keys, the log). Primary key (tenant, *key)."""
    return _table(name, (column("tenant", Text),), columns, key, indexes, {"owner": None, "append_only": append_only})


def _table(
    name: str,
    lead: tuple[Column[Any], ...],
    columns: tuple[Column[Any], ...],
    key: Sequence[str],
    indexes: Sequence[Sequence[str]],
    info: dict[str, object],
) -> Table:
    leading = [part.name for part in lead]
    return Table(
        name,
        metadata,
        *lead,
        *columns,
        PrimaryKeyConstraint(*leading, *key),
        *(Index(f"{name}_{'_'.join(index)}", *leading, *index) for index in indexes),
        info=info,
    )


feed_head = tenant_table(
    "feed_head",
    column("shard", SmallInteger),
    column("position", BigInteger),
    column("config", BigInteger),
    key=("shard",),
)
"""Where a tenant's changes stand. Raised as the last statement of a flush, so positions follow the commits."""

feed = tenant_table(
    "feed",
    column("shard", SmallInteger),
    column("position", BigInteger),
    column("kind", Text),
    column("subject", LargeBinary),
    column("ref", LargeBinary),
    column("at", BigInteger),
    key=("shard", "position"),
)
"""What changed, in commit order, for those who keep copies. Kept for seven days."""

job = tenant_table(
    "job",
    column("name", Text),
    column("version", BigInteger),
    column("fence", BigInteger),
    column("holder", Text),
    column("cursor", LargeBinary),
    column("share", BigInteger),
    column("done", BigInteger),
    column("failures", BigInteger),
    column("error", Text),
    column("due_at", BigInteger),
    column("started_at", BigInteger),
    column("finished_at", BigInteger),
    key=("name",),
)
"""Work in small steps, and who is at it. `fence` counts takings, `version` every step; see `jobs.py`."""
