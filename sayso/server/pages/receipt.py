"""A receipt for reading: the document that is printed, and the same as plain text, in the person's language."""

from collections.abc import Callable

from consent import ReadPurpose, ReceiptReading
from sayso.kernel import Attachment, Document, Section

from .locales import LOCALES, duration, isolated, joined, moment, negotiate, translate

Says = Callable[[str], str]
"""An interface text in the reader's language."""


def receipt_document(reading: ReceiptReading, jws: str, key: str, locale: str) -> Document:
    """The document of one receipt; the signed receipt is inside it as a file. `key` is the key's id."""

    def _(text: str) -> str:
        return translate(locale, text)

    notice = f"{reading.notice} {reading.notice_version}".strip() if reading.notice else ""
    proof = [
        (_("Record"), reading.record),
        (_("Log entry"), reading.entry),
        (_("Notice shown"), notice),
        (_("Fingerprint of the notice (SHA-256)"), reading.notice_hash),
        (_("You are named as"), reading.subject),
        (_("Signed with key"), key),
        (_("Issued by"), reading.issuer),
    ]
    withdraw = reading.purposes[0].withdraw_at if reading.purposes else reading.issuer
    return Document(
        title=_("Receipt for your choices"),
        lead=f"{isolated(reading.controller, locale)} · {isolated(moment(reading.issued_at, locale), locale)}",
        locale=locale,
        at=reading.issued_at,
        sections=(
            *(_purpose(each, locale) for each in reading.purposes),
            Section(
                _("Your rights"),
                (
                    (_("Who answers for it"), isolated(reading.controller, locale)),
                    (_("How to reach them"), joined(reading.reached, locale)),
                    (_("See, change or withdraw"), isolated(withdraw, locale)),
                ),
                _("You can change your mind at any time, as easily as you decided."),
            ),
            Section(
                _("Proof"),
                tuple((what, isolated(says, locale)) for what, says in proof if says),
                _("The signed receipt is inside this document as a file. It can be checked without us."),
            ),
        ),
        footer=reading.record,
        attachments=(
            Attachment(
                f"receipt-{reading.record}.jws",
                "application/jose",
                jws.encode(),
                _("Signed receipt"),
            ),
        ),
    )


def plain(document: Document) -> str:
    """The document as plain text."""
    lines = [document.title, document.lead]
    for section in document.sections:
        lines += ["", section.heading]
        lines += [f"  {what}: {says}" for what, says in section.rows if says]
        if section.note:
            lines.append(f"  {section.note}")
    return "\n".join([*lines, ""])


def reading_language(reading: ReceiptReading, accept_language: str | None) -> str:
    """The language in which the choice was made, if we speak it, else the one that the reader asks for."""
    shown = reading.locale.partition("-")[0].lower()
    if any(shown == each.partition("-")[0].lower() for each in LOCALES):
        return negotiate(None, reading.locale)
    return negotiate(None, accept_language)


def _purpose(purpose: ReadPurpose, locale: str) -> Section:
    def _(text: str) -> str:
        return translate(locale, text)

    rows = [
        (_("What you chose"), _choice(purpose.state, _)),
        (_("When"), moment(purpose.at, locale)),
        (_("Until"), moment(purpose.ends, locale) if purpose.ends else ""),
        (_("Data"), joined(purpose.data, locale)),
        (_("Shared with"), joined(purpose.recipients, locale)),
        (_("Kept for"), duration(purpose.retention, locale) if purpose.retention else ""),
    ]
    return Section(_title(purpose, _), tuple(row for row in rows if row[1]), _why(purpose.ignored, _))


def _title(purpose: ReadPurpose, _: Says) -> str:
    opt_outs = {
        "directive:gpc": _("Sale and sharing of your data, targeted advertising (signal of your browser)"),
        "directive:opt_out": _("Sale and sharing of your data, targeted advertising"),
        "directive:limit_sensitive": _("Use of your sensitive data"),
    }
    return opt_outs.get(purpose.title, purpose.title)


def _choice(state: str, _: Says) -> str:
    return {
        "granted": _("You agreed"),
        "renewed": _("You agreed again"),
        "requested": _("You agreed; to be confirmed by you"),
        "refused": _("You refused"),
        "withdrawn": _("You withdrew your consent"),
        "objected": _("You objected"),
        "reconsidered": _("You took your objection back"),
        "undone": _("You took your no back"),
        "expired": _("Your consent has ended"),
        "ignored": _("Recorded, without effect"),
        "directive": _("You opted out"),
    }[state]


def _why(ignored: str, _: Says) -> str:
    return {
        "": "",
        "late": _("You had said no after the time given for this yes."),
        "weaker": _("Who you are was less certain than when you made the choice that this would have changed."),
        "suppressed": _("Your data were erased, and only you can lift what keeps them so."),
        "signal": _("The opt-out signal of your browser stands against it."),
    }[ignored]
