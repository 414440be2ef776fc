"""`sayso import`: existing customer tables into the vault, and tokens out for the systems that held them."""

import asyncio
import csv
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import file_digest, sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from msgspec import Struct

from sayso.kernel import Invalid, nearest
from sayso.server.cli.answers import REFUSED, act, demand, show
from sayso.server.cli.options import Place, on_data
from sayso.server.cli.sheets import TableFile, opened
from vault import canonical

if TYPE_CHECKING:
    import httpx

BLOCK: Final = 500
"""Rows between two marks of how far the import is."""

AT_ONCE: Final = 64
"""People that are stored side by side."""

_WORTH_A_TRY: Final = frozenset({429, 503})


class Mark(Struct):
    """How far an import is. It belongs to one file and one way to read it."""

    file: str
    plan: str
    rows: int = 0
    stored: int = 0
    wrong: int = 0


class Plan(Struct, frozen=True):
    """What is done with each row. `fields` are the vault's field names by column."""

    collection: str
    id_type: str
    id_column: str
    fields: dict[str, str]
    audience: str

    @property
    def mark(self) -> str:
        return sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


class Wrong(Struct, frozen=True):
    """A row that was not stored: by its number, and never by what stood in it."""

    row: int
    problem: str
    field: str = ""


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--collection", required=True, help="The collection of the manifest that takes the values.")
@click.option("--id-column", required=True, help="The column that says who it is.")
@click.option("--id-type", default="customer_id", show_default=True, help="What kind of identifier that is.")
@click.option("--column", "columns", multiple=True, metavar="FIELD=COLUMN", help="A field's column of another name.")
@click.option("--audience", default="any", show_default=True, help="The client that may present the tokens.")
@click.option("--tokens", type=click.Path(path_type=Path, dir_okay=False), help="Write the tokens here, as CSV.")
@click.option("--errors", type=click.Path(path_type=Path, dir_okay=False), help="Where to [default: FILE.errors.csv].")
@click.option("--dry-run", is_flag=True, help="Check every row and store nothing.")
@click.option("--restart", is_flag=True, help="Begin anew, though an earlier import was not finished.")
@on_data()
def import_(
    place: Place,
    file: Path,
    collection: str,
    id_column: str,
    id_type: str,
    columns: tuple[str, ...],
    audience: str,
    tokens: Path | None,
    errors: Path | None,
    dry_run: bool,
    restart: bool,
) -> None:
    """Store the rows of FILE (.csv or .parquet), each under the person that its id column names.

    An import that was interrupted goes on where it stopped. Rows with a wrong value are left out whole and stand in the
    errors file by number. Exit 1: there were such rows.
    """
    errors = errors or file.with_name(file.name + ".errors.csv")

    async def work(client: "httpx.AsyncClient") -> Mark:
        declared = await _declared(client, collection)
        with opened(file) as table, ExitStack() as stack:
            plan = _plan(table, declared, collection, id_type, id_column, columns, audience)
            mark = Mark("", "") if dry_run else _begun(file, plan, restart=restart)
            sheets = _Sheets(stack, errors, None if dry_run else tokens, plan, anew=not mark.rows)
            await _go(_Import(client, plan, declared, dry_run), table, mark, sheets, file, quiet=place.as_json)
        if not dry_run:
            _mark_of(file).unlink(missing_ok=True)
        return mark

    done = act(place, work)
    if place.as_json:
        show({"rows": done.rows, "stored": done.stored, "wrong": done.wrong, "dry_run": dry_run})
    else:
        verb = "would be stored" if dry_run else "stored"
        click.echo(f"{done.rows:,} rows: {done.stored:,} {verb}, {done.wrong:,} left out.")
        if done.wrong:
            click.echo(f"Which and why: {errors}", err=True)
    if done.wrong:
        sys.exit(REFUSED)


class _Import:
    """One row after the other of the same person, many people side by side."""

    def __init__(self, client: "httpx.AsyncClient", plan: Plan, declared: dict[str, Any], dry_run: bool) -> None:
        self._client = client
        self._plan = plan
        self._declared = declared
        self._dry_run = dry_run
        self._room = asyncio.Semaphore(AT_ONCE)

    async def block(self, rows: list[tuple[int, dict[str, str]]]) -> list[tuple[int, dict[str, str] | Wrong]]:
        """The tokens of each row, or what is wrong with it, in order."""
        people: dict[str, list[tuple[int, dict[str, str]]]] = {}
        for number, row in rows:
            people.setdefault(row.get(self._plan.id_column, f"\0{number}"), []).append((number, row))
        done = await asyncio.gather(*(self._person(whose, own) for whose, own in people.items()))
        return sorted((each for person in done for each in person), key=lambda each: each[0])

    async def _person(
        self, whose: str, rows: list[tuple[int, dict[str, str]]]
    ) -> list[tuple[int, dict[str, str] | Wrong]]:
        async with self._room:
            return [(number, await self._row(number, whose, row)) for number, row in rows]

    async def _row(self, number: int, whose: str, row: dict[str, str]) -> dict[str, str] | Wrong:
        plan = self._plan
        if whose.startswith("\0"):
            return Wrong(number, "no-identifier", plan.id_column)
        values = {field: row[column] for column, field in plan.fields.items() if column in row}
        if not values:
            return Wrong(number, "empty-row")
        wrong = self._checked(number, whose, values)
        if wrong is not None or self._dry_run:
            return wrong or {}
        named = {"identifier": {"type": plan.id_type, "value": whose}, "create": True}
        found = await self._post("/v1/subjects/resolve", named)
        if not found.is_success:
            return _wrong(number, found, plan.id_column)
        body = {"subject": found.json()["subject"], "collection": plan.collection, "fields": values}
        stored = await self._post("/v1/vault/records", body | {"audience": plan.audience})
        if not stored.is_success:
            return _wrong(number, stored)
        tokens: dict[str, str] = stored.json()["tokens"]
        return tokens

    def _checked(self, number: int, whose: str, values: dict[str, str]) -> Wrong | None:
        """What is wrong with a row, as far as that can be said without storing it."""
        asked = [(self._plan.id_column, self._plan.id_type, whose, None)]
        asked += [
            (field, self._declared[field]["type"], value, self._declared[field].get("region"))
            for field, value in values.items()
        ]
        for name, kind, value, region in asked:
            try:
                canonical(kind, value, region)
            except Invalid as error:
                return Wrong(number, error.slug, name)
        return None

    async def _post(self, path: str, body: dict[str, Any]) -> "httpx.Response":
        """The answer; the same call is made again while the server is busy."""
        for wait in (0.2, 0.5, 1.0, 2.0, 5.0, 0.0):
            response = await self._client.post(path, json=body)
            if response.status_code not in _WORTH_A_TRY or not wait:
                break
            await asyncio.sleep(wait)
        if response.status_code in (401, 403) or response.status_code >= 500:
            demand(response)
        return response


class _Sheets:
    """The two files that an import writes beside the one that it reads."""

    def __init__(self, stack: ExitStack, errors: Path, tokens: Path | None, plan: Plan, *, anew: bool) -> None:
        self._id = plan.id_column
        self._fields = list(plan.fields.values())
        self._stack = stack
        self._errors = self._sheet(errors, ["row", "problem", "field"], anew=anew)
        self._tokens = None if tokens is None else self._sheet(tokens, ["row", *self._fields], anew=anew)

    def _sheet(self, path: Path, head: list[str], *, anew: bool) -> Any:
        # Who may read it is said at its birth.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        stream = self._stack.enter_context(path.open("w" if anew else "a", encoding="utf-8", newline=""))
        writer = csv.writer(stream)
        if anew:
            writer.writerow(head)
        return stream, writer

    def write(self, done: list[tuple[int, dict[str, str] | Wrong]]) -> None:
        for number, each in done:
            if isinstance(each, Wrong):
                self._errors[1].writerow([number, each.problem, each.field])
            elif self._tokens is not None:
                self._tokens[1].writerow([number, *(each.get(field, "") for field in self._fields)])
        for sheet in (self._errors, self._tokens):
            if sheet is not None:
                sheet[0].flush()


async def _go(work: _Import, table: TableFile, mark: Mark, sheets: _Sheets, file: Path, *, quiet: bool) -> None:
    rows: Iterator[tuple[int, dict[str, str]]] = enumerate(table.rows, 1)
    for _ in islice(rows, mark.rows):
        pass
    while block := list(islice(rows, BLOCK)):
        done = await work.block(block)
        wrong = sum(isinstance(each, Wrong) for _, each in done)
        mark.rows, mark.stored, mark.wrong = mark.rows + len(done), mark.stored + len(done) - wrong, mark.wrong + wrong
        sheets.write(done)
        if mark.file:
            _keep(file, mark)
        if not quiet:
            click.echo(f"{mark.rows:,} of {table.count:,} rows, {mark.wrong:,} left out", err=True)


async def _declared(client: "httpx.AsyncClient", collection: str) -> dict[str, Any]:
    """The collection's fields as the live manifest has them."""
    live = demand(await client.get("/v1/manifest"))["manifest"].get("collections", {})
    if collection not in live:
        raise Invalid("unknown-collection", _no("collection", collection, live))
    fields: dict[str, Any] = live[collection]["fields"]
    return fields


def _plan(
    table: TableFile,
    declared: dict[str, Any],
    collection: str,
    id_type: str,
    id_column: str,
    columns: tuple[str, ...],
    audience: str,
) -> Plan:
    """Which column goes where. Raises `Invalid` for a name that is none, or when nothing would be stored."""
    fields = {name: name for name in declared if name in table.columns}
    for given in columns:
        field, _, column = given.partition("=")
        if field not in declared:
            raise Invalid("unknown-field", _no("field", field, declared))
        fields = {of: name for of, name in fields.items() if name != field} | {column: field}
    for column in (id_column, *fields):
        if column not in table.columns:
            raise Invalid("unknown-column", _no("column", column, table.columns))
    if not fields:
        raise Invalid("unknown-column", "No column has the name of a field; --column FIELD=COLUMN says which is which.")
    return Plan(collection, id_type, id_column, fields, audience)


def _no(what: str, name: str, known: Any) -> str:
    near = nearest(name, known)
    return f"There is no {what} {name!r}." + (f" Did you mean {near!r}?" if near else "")


def _wrong(number: int, response: "httpx.Response", field: str = "") -> Wrong:
    problem = response.json()
    return Wrong(number, str(problem.get("type", "")).rpartition("#")[2], str(problem.get("field", field)))


def _mark_of(file: Path) -> Path:
    return file.with_name(file.name + ".progress")


def _begun(file: Path, plan: Plan, *, restart: bool) -> Mark:
    """How far an earlier import of this very file came. Raises `Invalid` when the file or the options changed."""
    with file.open("rb") as stream:
        fresh = Mark(file_digest(stream, "sha256").hexdigest(), plan.mark)
    kept = _mark_of(file)
    if restart or not kept.exists():
        return fresh
    try:
        found = msgspec.json.decode(kept.read_bytes(), type=Mark)
    except msgspec.DecodeError:
        found = Mark("", "")
    if (found.file, found.plan) != (fresh.file, fresh.plan):
        raise Invalid("import-changed", "The file or the options are others than when it began; --restart begins anew.")
    return found


def _keep(file: Path, mark: Mark) -> None:
    """Written beside and renamed: whoever pulls the plug finds the one before."""
    beside = _mark_of(file).with_suffix(".progress.new")
    beside.write_bytes(msgspec.json.encode(mark))
    beside.replace(_mark_of(file))
