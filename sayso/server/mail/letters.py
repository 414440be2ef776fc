"""What stands in a letter: plain text and the same as simple HTML, in the person's language.

The words stand in `letters.toml`. A confirmation may carry no advertising (BGH, I ZR 218/07), so a letter has nothing
but its purpose: no picture, no style that a brand could fill, no link but the one it is about.
"""

import tomllib
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from msgspec import Struct

from sayso.kernel import to_datetime
from sayso.server.pages.locales import best, direction

KINDS: Final = ("preference_link", "code", "double_opt_in")

_FILE: Final = Path(__file__).with_name("letters.toml")
_FALLBACK: Final = "en"


class Letter(Struct, frozen=True):
    """A letter: of which kind, to which address, in which language, and what its words are filled with."""

    kind: str
    to: str
    locale: str
    values: dict[str, str]

    def __repr__(self) -> str:
        return f"Letter(kind={self.kind!r})"


def compose(letter: Letter, brand: str, sender: str, at: int) -> EmailMessage:
    """The letter as a message (RFC 5322) that programs do not answer (RFC 3834)."""
    locale, words = _words(letter.kind, letter.locale)
    values = {**letter.values, "brand": brand}
    text = Template(words["text"]).substitute(values)
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    # A subject is one line, whatever a controller's name has in it.
    message["Subject"] = " ".join(Template(words["subject"]).substitute(values).split())
    message["Date"] = format_datetime(to_datetime(at))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip(" >") or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(_html(text, locale, values), subtype="html")
    # After the parts: what describes content would else go to the first of them.
    message["Content-Language"] = locale
    return message


def _html(text: str, locale: str, values: dict[str, str]) -> str:
    paragraphs = "\n".join(_paragraph(part, values) for part in text.strip().split("\n\n"))
    return (
        f'<!doctype html>\n<html lang="{escape(locale)}" dir="{direction(locale)}"><meta charset="utf-8">\n'
        f'<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em">\n{paragraphs}\n</body></html>\n'
    )


def _paragraph(part: str, values: dict[str, str]) -> str:
    if part == values.get("url"):
        return f'<p dir="ltr"><a href="{escape(part)}">{escape(part)}</a></p>'
    if part == values.get("code"):
        return f'<p dir="ltr" style="font-size: 1.6em; letter-spacing: 0.1em"><b>{escape(part)}</b></p>'
    return "<p>" + escape(part).replace("\n", "<br>\n") + "</p>"


def _words(kind: str, locale: str) -> tuple[str, dict[str, str]]:
    """The words of a kind in the language nearest to the one wanted."""
    known = _letters()[kind]
    found = best(locale, tuple(known)) or _FALLBACK
    return found, known[found]


@cache
def _letters() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(_FILE.read_text("utf-8"))
