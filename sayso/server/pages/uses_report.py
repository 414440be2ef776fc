"""The officer's report on uses of data, laid out for paper."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from reports import UseRow, UsesTable
from sayso.kernel import Attachment, Document, Section

from .locales import isolated, moment, translate
from .plain_words import category

MOST_ON_PAPER: Final = 2_000
"""Rows that are printed; the file inside the document holds all."""


def uses_document(table: UsesTable, locale: str, rows: bytes) -> Document:
    """The document of one report; `rows` is the same as CSV, which is inside it as a file, with the checkpoint."""

    def _(text: str) -> str:
        return translate(locale, text)

    printed = table.rows[:MOST_ON_PAPER]
    told = ", ".join(f"{name} {value}" for name, value in table.filter.items()) or "-"
    proof = (
        *(line for head in table.logs for line in ((_("Log"), head.log), (_("Entries in the log"), str(head.size)))),
        (_("Entries counted"), str(table.entries)),
        (_("Filter"), told),
        (_("Export"), table.export),
    )
    more = len(table.rows) > len(printed)
    days = groupby(printed, key=lambda row: (row.day, row.service or row.actor_class))
    return Document(
        title=_("Who used which data"),
        lead=moment(table.made_at, locale),
        locale=locale,
        at=table.made_at,
        sections=(
            *(_section(f"{day} · {who}", list(rows), locale) for (day, who), rows in days),
            Section(
                _("Proof"),
                tuple((what, isolated(says, locale)) for what, says in proof),
                _("All rows and the signed checkpoint are inside this document as files.")
                + (" " + _("Only the first rows are printed.") if more else ""),
            ),
        ),
        footer=table.export,
        attachments=(
            Attachment("report.csv", "text/csv", rows, _("All rows")),
            *_checkpoints(table, _("Signed checkpoint")),
        ),
    )


def _checkpoints(table: UsesTable, what: str) -> Iterator[Attachment]:
    """One for each log; of several each is named after its own."""
    for head in table.logs:
        name = "checkpoint" if len(table.logs) == 1 else f"checkpoint.{head.log.rpartition('/')[2]}"
        yield Attachment(name, "text/plain", head.checkpoint.encode(), what)


def _section(heading: str, rows: list[UseRow], locale: str) -> Section:
    def _(text: str) -> str:
        return translate(locale, text)

    lines = [
        (
            " · ".join(part for part in (category(row.category, locale), row.purpose, row.action) if part.strip("-")),
            f"{row.permitted} {_('permitted')}, {row.refused} {_('refused')}",
        )
        for row in rows
    ]
    return Section(heading, tuple(lines))
