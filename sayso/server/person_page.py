"""What the preference page and the console show of one person: where they stand, and their newest records."""

from typing import Any

from consent import HistoryItem, HistoryPage, Notice, SubjectState
from rights import RequestView
from sayso.kernel import Tx, Work, parse_instant
from sayso.server.call import Call
from sayso.server.configuration import Configuration
from sayso.server.pages import Brand, ErasureRequest, Frame, HonouredDirective, PreferencesPage, PurposeCard, RecordLine
from sayso.server.told_page import questions, reaching

SHOWN_RECORDS = 20

_STATUS_OF_ACT = {"reconsidered": "unasked"}


def preferences_page(
    call: Call, tx: Tx, subject: bytes, frame: Frame, brand: Brand, unfit: str = ""
) -> Work[PreferencesPage]:
    """The whole page, in one cold unit: reading one's own history is an entry."""
    services, configuration = call.services, call.configuration
    catalogue, locale = configuration.catalogue, frame.locale
    notice = _notice(configuration)
    state = yield from services.registry.state(tx, catalogue, subject)
    person = yield from services.registry.person(tx, subject)
    page = yield from services.registry.history(tx, subject, limit=SHOWN_RECORDS)
    lines = yield from record_lines(call, tx, page, locale)
    requests = yield from services.desk.requests_of(tx, subject)
    book = services.registry.preferences
    told = yield from book.read(tx, catalogue, configuration.questionnaire, subject)
    return PreferencesPage(
        frame=frame,
        brand=brand,
        notice=notice.name if notice is not None else "",
        notice_version=notice.version if notice is not None else 0,
        notice_text=in_locale(notice.text, locale, "") if notice is not None else "",
        purposes=purpose_cards(configuration, state, notice, locale),
        records=lines,
        erasure=_open_erasure(requests),
        suppressed=person is not None and person.suppressed_until > tx.context.at,
        told_version=told.version,
        reaching=reaching(configuration, told, state, locale),
        questions=questions(configuration, told, locale, unfit),
        unfit=unfit,
        directives=_directives(configuration, state, locale),
    )


def purpose_cards(
    configuration: Configuration, state: SubjectState, notice: Notice | None, locale: str
) -> tuple[PurposeCard, ...]:
    """A card per declared purpose, in the reader's language."""
    catalogue = configuration.catalogue
    cards = []
    for name, standing in state.purposes.items():
        purpose = catalogue.purposes[name]
        if purpose.implied:
            continue
        basis: Any = standing.legal_basis
        cards.append(
            PurposeCard(
                name=name,
                title=in_locale(purpose.title, locale, name),
                description=in_locale(purpose.description, locale, ""),
                categories=purpose.categories,
                basis=basis,
                status=standing.status,
                since=parse_instant(standing.since) if standing.since else None,
                expires_at=parse_instant(standing.expires_at) if standing.expires_at else None,
                can_refuse=catalogue.blockable(name),
                asked_in_notice=notice is not None and name in notice.purposes,
            )
        )
    return tuple(cards)


def record_lines(call: Call, tx: Tx, page: HistoryPage, locale: str) -> Work[tuple[RecordLine, ...]]:
    """The person's records with where their entries stand in the log."""
    lines = []
    for item in page.items:
        entry = yield from call.services.audit.entry(tx, item.entry)
        lines.append(_line(call.configuration, item, entry.index, locale))
    return tuple(lines)


def in_locale(texts: dict[str, str], locale: str, otherwise: str) -> str:
    """The text in this language, else in English, else in any, else `otherwise`."""
    return texts.get(locale) or texts.get("en") or next(iter(texts.values()), otherwise)


def _line(configuration: Configuration, item: HistoryItem, index: int | None, locale: str) -> RecordLine:
    def title(name: str) -> str:
        purpose = configuration.catalogue.purposes.get(name)
        return in_locale(purpose.title, locale, name) if purpose is not None else name

    ignored: Any = item.ignored or {}
    choices: Any = tuple((title(name), _STATUS_OF_ACT.get(act, act)) for name, act in item.choices.items())
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
    )


def _directives(configuration: Configuration, state: SubjectState, locale: str) -> tuple[HonouredDirective, ...]:
    purposes = configuration.catalogue.purposes

    def titles(names: list[str]) -> tuple[str, ...]:
        return tuple(in_locale(purposes[name].title, locale, name) for name in names)

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


def _open_erasure(requests: list[RequestView]) -> ErasureRequest | None:
    for request in reversed(requests):
        if request.kind == "erasure" and not request.closed_at:
            return ErasureRequest(
                request=request.request,
                received_at=parse_instant(request.received_at),
                due_on=request.due_on,
                status=request.status,
            )
    return None
