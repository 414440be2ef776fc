"""What the preference page and the console show of one person: where they stand, and their newest records."""

from typing import Any

from audit import EntryPruned
from consent import HistoryItem, HistoryPage, Notice, Purpose, SubjectState
from sayso.kernel import Tx, Work, parse_instant, raw
from sayso.server.brand.texts import worded
from sayso.server.call import Call
from sayso.server.manifests.configuration import Configuration
from sayso.server.pages import (
    Brand,
    Frame,
    HonouredDirective,
    Less,
    Party,
    PreferencesPage,
    PurposeCard,
    Reaching,
    RecordLine,
    category,
    country,
)
from sayso.server.pages import HistoryPage as HistoryView
from sayso.server.pages.reaching import CAPS
from sayso.server.views.told import questions, reaching

SHOWN_RECORDS = 20

_STATUS_OF_ACT = {"reconsidered": "unasked", "undone": "unasked"}


def preferences_page(
    call: Call, tx: Tx, subject: bytes, frame: Frame, brand: Brand, unfit: str = ""
) -> Work[PreferencesPage]:
    """The whole page, in one cold unit: reading one's own history is an entry."""
    services, configuration = call.services, call.configuration
    catalogue, locale = configuration.catalogue, frame.locale
    notice = _notice(configuration)
    state = yield from services.registry.state(tx, catalogue, subject)
    person = yield from services.registry.person(tx, subject)
    told = yield from services.registry.preferences.read(tx, catalogue, configuration.questionnaire, subject)
    reached = reaching(configuration, told, state, locale)
    undo, undo_until = yield from _undoable(call, tx, subject, state)
    return PreferencesPage(
        frame=frame,
        brand=brand,
        notice=notice.name if notice is not None else "",
        notice_version=notice.version if notice is not None else 0,
        notice_text=worded(notice.text, locale, "") if notice is not None else "",
        purposes=purpose_cards(configuration, state, notice, locale, reached),
        suppressed=person is not None and person.suppressed_until > tx.context.at,
        undo=undo,
        undo_until=undo_until,
        told_version=told.version,
        reaching=reached,
        questions=questions(configuration, told, locale, unfit),
        unfit=unfit,
        directives=_directives(configuration, state, locale),
    )


def history_page(
    call: Call, tx: Tx, subject: bytes, frame: Frame, brand: Brand, before: str | None
) -> Work[HistoryView]:
    """A page of what the person said, in one cold unit: reading one's own history is an entry."""
    page = yield from call.services.registry.history(tx, subject, cursor=before, limit=SHOWN_RECORDS)
    lines = yield from record_lines(call, tx, page, frame.locale)
    return HistoryView(frame=frame, brand=brand, records=lines, older=page.next or "")


def purpose_cards(
    configuration: Configuration,
    state: SubjectState,
    notice: Notice | None,
    locale: str,
    reached: Reaching | None = None,
) -> tuple[PurposeCard, ...]:
    """A card per declared purpose, in the reader's language."""
    catalogue = configuration.catalogue
    cards = []
    for name, standing in state.purposes.items():
        purpose = catalogue.purposes[name]
        if purpose.implied:
            continue
        basis: Any = standing.legal_basis
        granted = standing.status == "granted"
        cards.append(
            PurposeCard(
                name=name,
                title=worded(purpose.title, locale, name),
                description=worded(purpose.description, locale, ""),
                categories=tuple(category(each, locale) for each in purpose.categories),
                basis=basis,
                status=standing.status,
                since=parse_instant(standing.since) if standing.since else None,
                expires_at=parse_instant(standing.expires_at) if standing.expires_at else None,
                keeps=purpose.expires_after,
                can_refuse=catalogue.blockable(name),
                asked_in_notice=notice is not None and name in notice.purposes,
                sources=tuple(sorted(set(purpose.sources.values()))),
                parties=_parties(configuration, purpose, locale),
                places=tuple(country(each, locale) for each in purpose.storage_locations),
                retention=purpose.retention,
                reason=worded(purpose.justification, locale, ""),
                marketing=purpose.direct_marketing,
                stored_here=purpose.device_storage == "consent",
                asked_again_after=purpose.refusal_valid_for,
                less=_less(name, reached) if granted and reached is not None else (),
            )
        )
    return tuple(cards)


def _parties(configuration: Configuration, purpose: Purpose, locale: str) -> tuple[Party, ...]:
    """Who else gets the data, each with what a transfer to them rests on."""
    known = configuration.catalogue.recipients
    grounds = {each.recipient: each.mechanism for each in purpose.transfers}
    return tuple(
        Party(
            title=worded(known[name].title, locale, name),
            role=known[name].role,
            country=country(known[name].country, locale),
            ground=grounds.get(name, ""),
        )
        for name in purpose.recipients
        if name in known
    )


def _less(purpose: str, reached: Reaching) -> tuple[Less, ...]:
    """The channels on which this purpose comes, each with the caps that make it come less often than now."""
    return tuple(
        Less(
            channel=channel.name, cap=channel.cap, caps=CAPS[CAPS.index(channel.cap) + 1 :] if channel.cap else CAPS[1:]
        )
        for channel in reached.channels
        for cell in channel.cells
        if cell.purpose == purpose and cell.state == "on" and (not channel.cap or channel.cap in CAPS)
    )


def _undoable(call: Call, tx: Tx, subject: bytes, state: SubjectState) -> Work[tuple[str, int]]:
    """The newest withdrawal, if it can still be taken back, and until when."""
    said = [each for each in state.purposes.values() if each.status in ("withdrawn", "objected") and each.record]
    newest = max(said, key=lambda each: each.since or "", default=None)
    if newest is None or newest.record is None:
        return "", 0
    until = yield from call.services.registry.undoing.open_until(tx, subject, raw(newest.record, "cns"))
    return (newest.record, until) if until else ("", 0)


def record_lines(call: Call, tx: Tx, page: HistoryPage, locale: str) -> Work[tuple[RecordLine, ...]]:
    """The person's records with where their entries stand in the log."""
    lines = []
    for item in page.items:
        try:
            index = (yield from call.services.audit.entry(tx, item.entry)).index
        except EntryPruned:
            index = None
        lines.append(_line(call.configuration, item, index, locale))
    return tuple(lines)


def _line(configuration: Configuration, item: HistoryItem, index: int | None, locale: str) -> RecordLine:
    def title(name: str) -> str:
        purpose = configuration.catalogue.purposes.get(name)
        return worded(purpose.title, locale, name) if purpose is not None else name

    ignored: Any = item.ignored or {}
    purposes = configuration.catalogue.purposes
    # What only stands for those below it has no words of its own.
    told = {name: act for name, act in item.choices.items() if name not in purposes or not purposes[name].implied}
    choices: Any = tuple((title(name), _STATUS_OF_ACT.get(act, act)) for name, act in (told or item.choices).items())
    return RecordLine(
        record=item.record,
        entry=item.entry,
        at=parse_instant(item.at),
        method=item.method,
        notice=item.notice or "",
        notice_version=item.notice_version or 0,
        locale=item.locale or "",
        choices=choices,
        ignored=tuple((title(name), why) for name, why in ignored.items()),
        directives=tuple(item.directives or ()),
        index=index,
        told=_told(configuration, item),
    )


def _told(configuration: Configuration, item: HistoryItem) -> str:
    """The text of the notice that was shown then, in the language in which it was."""
    notice = configuration.catalogue.older(item.notice or "", item.notice_version or 0)
    return notice.text.get(item.locale or "", "") if notice is not None else ""


def _directives(configuration: Configuration, state: SubjectState, locale: str) -> tuple[HonouredDirective, ...]:
    purposes = configuration.catalogue.purposes

    def titles(names: list[str]) -> tuple[str, ...]:
        return tuple(worded(purposes[name].title, locale, name) for name in names)

    return tuple(
        HonouredDirective(
            kind=each.kind,
            since=parse_instant(each.given_at),
            purposes=titles(each.purposes),
            lifted=titles(each.lifted),
        )
        for each in state.directives or ()
    )


def _notice(configuration: Configuration) -> Notice | None:
    """The notice of the page: the one that asks for the most."""
    return max(configuration.catalogue.notices.values(), key=lambda notice: len(notice.purposes), default=None)
