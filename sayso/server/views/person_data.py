"""What is kept of a person, and the copy of it that they take home. Values behind tokens are not part of either."""

from datetime import date
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from consent import HistoryItem, IdentifierState, Preferences, SubjectFacts, SubjectState
from policies import Answer, rights_question
from rights import RequestView, Systems
from sayso.kernel import DAY, Tx, Work, iso, parse_instant
from sayso.server.call import Call
from sayso.server.callers.sessions import may_fetch
from sayso.server.pages import ASKED, AskedFor, Brand, DataPage, Frame, HeldField, Known, Use, category, country
from sayso.server.views.person_uses import uses_of

MOST_RECORDS = 200


class HeldValue(Struct, frozen=True):
    """A value that is stored: what it is, and since when. Not the value."""

    collection: str
    field: str
    category: str
    since: str


class Package(Struct, frozen=True):
    """All that Sayso knows of a person, but the values behind tokens: what they said, what they told, who they are
    known as, who used their data, what they asked for. `entry` is the log entry of this reading.
    """

    format: str
    made_at: str
    controller: str
    entry: str
    state: SubjectState
    history: list[HistoryItem]
    preferences: Preferences
    identifiers: list[IdentifierState]
    facts: SubjectFacts
    stored: list[HeldValue]
    uses: list[Use]
    requests: list[RequestView]


def data_page(call: Call, tx: Tx, subject: bytes, frame: Frame, brand: Brand) -> Work[DataPage]:
    """What there is and what was asked for, in one look."""
    services, locale, at = call.services, frame.locale, tx.context.at
    registry, catalogue = services.registry, call.configuration.catalogue
    identifiers = yield from registry.identities.identifiers(tx, subject)
    facts = yield from registry.facts.read(tx, catalogue, subject)
    stored = yield from held_values(call, tx, subject)
    requests = yield from services.desk.requests_of(tx, subject)
    packages: dict[str, str] = {}
    if may_fetch(tx.context.actor.assurance):
        packages = yield from services.packages.states(tx, [each.request for each in requests if each.verified_at])
    systems, mail = call.configuration.systems, services.outbox.configured
    open_kinds = {each.kind for each in requests if not each.closed_at}
    return DataPage(
        frame=frame,
        brand=brand,
        identifiers=tuple(Known(kind=each.type, since=parse_instant(each.linked_at)) for each in identifiers),
        held=tuple(
            HeldField(what=category(each.category, locale), at=parse_instant(each.since), place=_place(call, each))
            for each in stored
        ),
        laws=tuple(dict.fromkeys(country(each.code, locale) for each in facts.jurisdictions)),
        relations=tuple((each.kind, each.ref, parse_instant(each.start)) for each in facts.relations if each.live),
        requests=tuple(
            _asked(each, at, systems, locale, mail=mail, package=packages.get(each.request, ""))
            for each in reversed(requests)
        ),
        may_ask=tuple(each for each in ASKED if each not in open_kinds),
        erasing="erasure" in open_kinds,
    )


def package(call: Call, tx: Tx, subject: bytes, locale: str) -> Work[Package | Answer]:
    """The copy, in one cold unit that writes its entry; an `Answer` is the rules' refusal. Raises `NoSubject`."""
    services, configuration = call.services, call.configuration
    registry, catalogue = services.registry, configuration.catalogue
    asked = rights_question(tx.context.actor, subject, "read")
    answer = yield from services.engine.evaluate(tx, configuration.policy, asked)
    if answer.permit is None:
        return answer
    history: list[HistoryItem] = []
    cursor = None
    while True:
        page = yield from registry.history(tx, subject, answer.permit, cursor=cursor, limit=MOST_RECORDS)
        history += page.items
        cursor = page.next
        if cursor is None:
            break
    uses: list[Use] = []
    before: str | None = None
    while True:
        found, older = yield from uses_of(call, tx, subject, locale, before, MOST_RECORDS)
        # The copy is for machines too: a title is a mere text there.
        uses += (replace(each, purpose=str(each.purpose)) for each in found)
        if not older:
            break
        before = older
    return Package(
        format="sayso.person.v1",
        made_at=iso(tx.context.at),
        controller=configuration.controller,
        entry=answer.entry,
        state=(yield from registry.state(tx, catalogue, subject)),
        history=history,
        preferences=(yield from registry.preferences.read(tx, catalogue, configuration.questionnaire, subject)),
        identifiers=(yield from registry.identities.identifiers(tx, subject)),
        facts=(yield from registry.facts.read(tx, catalogue, subject)),
        stored=(yield from held_values(call, tx, subject)),
        uses=uses,
        requests=(yield from services.desk.requests_of(tx, subject)),
    )


def held_values(call: Call, tx: Tx, subject: bytes) -> Work[list[HeldValue]]:
    """Every value that is stored of the person and of the ids that were merged into them."""
    found: list[HeldValue] = []
    collections = call.configuration.collections
    for each in (yield from call.services.registry.ids(tx, subject)) or (subject,):
        held = yield from call.services.vault.held(tx, each)
        for value in held:
            declared = collections.get(value.collection)
            field = declared.fields.get(value.field) if declared is not None else None
            kind = field.category if field is not None else value.field
            found.append(HeldValue(value.collection, value.field, kind, iso(value.at)))
    return sorted(found, key=lambda value: (value.collection, value.field, value.since))


def _place(call: Call, held: HeldValue) -> str:
    """Where a value lies, if its field is still declared."""
    declared = call.configuration.collections.get(held.collection)
    return f"{held.collection}.{held.field}" if declared is not None and held.field in declared.fields else ""


def _asked(request: RequestView, at: int, systems: Systems, locale: str, *, mail: bool, package: str = "") -> AskedFor:
    received = parse_instant(request.received_at)
    due = (date.fromisoformat(request.due_on) - date(1970, 1, 1)).days + 1
    length: Any = due * DAY - received
    return AskedFor(
        request=request.request,
        kind=request.kind,
        received_at=received,
        due_on=request.due_on,
        status=request.status,
        share=round(min(max((at - received) / length, 0.0), 1.0), 3) if length > 0 else 1.0,
        verified=bool(request.verified_at),
        may_confirm=mail and not request.verified_at and not request.closed_at,
        code_sent=request.reason == "need_user_verification",
        package=package,  # type: ignore[arg-type]
        paused=request.paused,
        extended=request.extension is not None,
        systems=tuple((_called(systems, each.system, locale), bool(each.settled_at)) for each in request.systems),
        closed_at=parse_instant(request.closed_at) if request.closed_at else 0,
        reason=request.reason,
    )


def _called(systems: Systems, name: str, locale: str) -> str:
    """A system's title; its name where the manifest declares it no more."""
    found = systems.get(name)
    return found.called(locale) if found is not None else name
