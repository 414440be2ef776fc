"""The console's report on uses of data, as tests and the gallery of pictures show it."""

from typing import Any

from sayso.server.pages.console_uses import ConsoleUsesPage, MadeReport, ShownHead, ShownReport, UsesLine

from .console_samples import an_operator
from .samples import AT, a_frame

EXPORT = "exp_" + "5e" * 16


def a_report_page(locale: str = "en", **changes: Any) -> ConsoleUsesPage:
    line = {
        "day": "2026-11-20",
        "purpose": "marketing.email",
        "action": "use",
        "first_index": 812,
        "last_index": 40_961,
    }
    return ConsoleUsesPage(
        **{
            "frame": a_frame(locale, path="/console/uses"),
            "operator": an_operator(),
            "reports": (
                MadeReport(export=EXPORT, at=AT, state="done", share=1.0, span="2026-11-01 – 2026-12-01"),
                MadeReport(export=EXPORT, at=AT, state="running", share=0.4, span=""),
                MadeReport(export=EXPORT, at=AT, state="expired", share=1.0, span=""),
            ),
            "shown": ShownReport(
                export=EXPORT,
                rows=(
                    UsesLine(actor="mailer", category="contact", permitted=12_040, refused=311, entries=40, **line),
                    UsesLine(actor="crm", category="", permitted=0, refused=3, entries=3, **line),
                ),
                count=612,
                heads=(ShownHead(entries=40_211, size=81_204, root="xUq1kF2j3ZbYwS0dQv7n9pLrT4hE6gAcM8oKiBfNtV0="),),
            ),
        }
        | changes
    )
