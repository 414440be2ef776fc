"""SQLAlchemy statements as the drivers want them: text and a tuple of values."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Delete, Executable, Select, Table, Update, bindparam, literal_column
from sqlalchemy.engine import Dialect

from sayso.kernel.ids import BUCKETS
from sayso.kernel.rows import Values

PARTS: Final = 4
"""Work over all buckets asks for them in so many groups. An index leads with the bucket: each costs one look."""

_TENANT = "sayso_tenant"


def in_part(table: Table, part: int) -> ColumnElement[bool]:
    """The rows in one of the `PARTS` of the buckets."""
    size = BUCKETS // PARTS
    buckets: list[Any] = [literal_column(str(bucket)) for bucket in range(part * size, (part + 1) * size)]
    return table.c.bucket.in_(buckets)


class Prepared:
    """A statement over the tenant's own rows, written once and compiled once for each engine.

    Its parameters are `bindparam`s; `tx.query(PREPARED, name=value)` and `tx.execute(PREPARED, name=value)` run it. For
    what runs many times a second: building and compiling a statement costs more than the database needs for it. Only
    short ones are prepared: while a cold unit of the embedded database asks so, nobody else is served.
    """

    __slots__ = ("_compiled", "_statement")

    def __init__(self, statement: Select[Any] | Update | Delete) -> None:
        tables = tables_of(statement) if isinstance(statement, Select) else [statement.table]
        for table in tables:
            statement = statement.where(table.c.tenant == bindparam(_TENANT))
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    def text(self, dialect: Dialect, tenant: str, values: dict[str, Any]) -> tuple[str, Values]:
        """The statement for `dialect`, and the values in its order."""
        known = self._compiled.get(dialect.name)
        if known is None:
            compiled: Any = self._statement.compile(dialect=dialect)
            known = self._compiled[dialect.name] = (str(compiled), tuple(compiled.positiontup or ()), compiled.params)
        text, names, written = known
        values = {**written, **values, _TENANT: tenant}
        return text, tuple([values[name] for name in names])


def written(
    statement: Executable | Prepared, dialect: Dialect, tenant: str, values: dict[str, Any] | None
) -> tuple[str, Values]:
    """A statement and its values for a driver. `tenant` and `values` are those of one that was prepared."""
    if isinstance(statement, Prepared):
        return statement.text(dialect, tenant, values or {})
    return compiled(statement, dialect)


def compiled(statement: Executable, dialect: Dialect) -> tuple[str, Values]:
    """Any statement, compiled now."""
    built: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    values = built.construct_params()
    return str(built), tuple(values[name] for name in built.positiontup or ())


def tables_of(statement: Select[Any]) -> list[Any]:
    """The tables that a SELECT reads and that have a tenant."""
    found: list[Any] = []
    for source in statement.get_final_froms():
        _collect(source, found)
    return found


def _collect(source: Any, found: list[Any]) -> None:
    if hasattr(source, "left"):
        _collect(source.left, found)
        _collect(source.right, found)
    elif "tenant" in source.c:
        found.append(source)
