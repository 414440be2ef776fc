"""Audiences: who of many may be used, who left since, and everybody who may be contacted.

A large list is decided before the unit that writes the answer (`policies/audiences/crowds.py`); a small one in it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType

from consent import AID
from policies import TERM, Aids, AudienceAnswer, Judged, Policy, Question, people_named
from sayso.kernel import BUCKETS, Actor, Invalid, Obligation, TooLarge, Tx, Work, iso, seq_of, text
from sayso.server import audience_cursors as cursors
from sayso.server.audience_cursors import Told
from sayso.server.call import Call
from sayso.server.callers.auth import Principal
from sayso.server.calls.decisions import MOST_SUBJECTS, judged

MOST_NAMED: Final = 1_000_000
"""People in one JSON audience."""

_DECIDED_HERE: Final = 1_000
"""People up to whom an audience is decided in the unit that writes the answer."""

_AT_A_TIME: Final = 2_000
"""People decided about at a time in a stream: a few milliseconds."""

Name = Annotated[str, Meta(max_length=128)]


class AudienceTerms(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """May this caller do `action` with `category` for `purpose`, by `channel`, where a message is sent?"""

    purpose: Name
    action: Name
    category: Name
    channel: Name | None = None
    jurisdiction: Name | None = None
    supported_obligations: tuple[Name, ...] = ()

    def question(self, actor: Actor) -> Question:
        """The question, as this caller asks it."""
        return Question(
            roles=actor.roles,
            action=self.action,
            category=self.category,
            purpose=self.purpose or actor.default_purpose,
            channel=self.channel,
            jurisdiction=self.jurisdiction,
            supported=frozenset(self.supported_obligations),
        )


class AudienceQuestion(AudienceTerms, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same of each of these people. `aids`: the answer is to tell their numbers as well."""

    subjects: tuple[str, ...]
    aids: bool = False


class Audience(Struct, frozen=True):
    """Who may be used, in the order asked; how many for which reason; until when the answer may be used; and what is to
    be done with whoever may.
    """

    audience: str
    permitted: tuple[str, ...] | UnsetType
    counts: dict[str, int]
    registry_seq: str
    valid_until: str
    policy_version: str
    entry: str
    obligations: tuple[Obligation, ...] = ()
    aids: tuple[str, ...] | UnsetType = UNSET


class Revoked(Struct, frozen=True):
    """Who was permitted by an answer and is no longer: ids, and numbers of those who have no id any more.

    `cursor` goes into the next call, which tells only who left since; somebody may be told twice. `refiltered`: what
    changed is not known any more back to the cursor, so that everybody who left is named again.
    """

    audience: str
    revoked: tuple[str, ...]
    gone: tuple[str, ...]
    cursor: str
    refiltered: bool
    registry_seq: str


class Contactable(Struct, frozen=True):
    """One person in the stream; `entry` is the decision's."""

    subject: str
    aid: str
    entry: str


class Ended(Struct, frozen=True):
    """The last line: a stream without it is not whole."""

    end: bool
    considered: int
    permitted: int
    valid_until: str


async def filter_named(call: Call, wanted: AudienceQuestion) -> Audience:
    """Who of these people may be used, with one entry for all. Raises `TooLarge`, `Invalid`."""
    if not wanted.subjects:
        raise Invalid("empty-audience", "An audience has at least one person.")
    if len(wanted.subjects) > MOST_NAMED:
        raise TooLarge("too-many-subjects", f"A JSON audience has {MOST_NAMED} people at most.", limit=MOST_NAMED)
    if len(wanted.subjects) <= _DECIDED_HERE:
        subjects = tuple(dict.fromkeys(wanted.subjects))
        people = people_named(subjects)

        def unit(tx: Tx) -> Work[tuple[AudienceAnswer, np.ndarray]]:
            question, policy = _question(call, wanted), call.configuration.policy
            found, numbers = yield from call.services.crowds.judge_here(tx, policy, question, people)
            return (yield from call.services.audiences.answer(tx, found)), numbers

        answer, numbers = await call.run(unit)
        return _told(subjects, numbers, answer, wanted)
    subjects, people = await asyncio.to_thread(_read, wanted)
    policy, question = await _asked(call, wanted)
    crowds = call.services.crowds
    numbers = await crowds.numbers(call.context, policy, people)
    known = np.sort(numbers[numbers > 0])
    unknown = len(people) - known.size
    answer = await write(call, await crowds.judge(call.context, policy, question, known, unknown=unknown))
    return await asyncio.to_thread(_told, subjects, numbers, answer, wanted)


async def filter_aids(call: Call, wanted: AudienceTerms, aids: Aids) -> AudienceAnswer:
    """Who of the people with these numbers may be used, with one entry for all."""
    policy, question = await _asked(call, wanted)
    return await write(call, await call.services.crowds.judge(call.context, policy, question, aids))


async def write(call: Call, found: Judged) -> AudienceAnswer:
    """The answer, once its entry is durable."""
    return await call.run(lambda tx: call.services.audiences.answer(tx, found))


async def aids_of(call: Call, name: str) -> Aids:
    """The people of a kept list, or those whom an earlier answer permitted (`aud_…`). Raises `NoAudience`."""
    services, actor, any_owner = call.services, call.principal.actor, oversees(call.principal)

    def unit(tx: Tx) -> Work[Aids]:
        if name.startswith("aud_"):
            found = yield from services.audiences.answered(tx, name, actor, any_owner=any_owner)
            return (yield from services.audiences.permitted(tx, name, found))
        named = yield from services.kept.find(tx, name, actor, any_owner=any_owner)
        return (yield from services.kept.aids(tx, named.kept))

    return await call.look(unit)


def summary(answer: AudienceAnswer) -> Audience:
    """What an answer says beside who is permitted."""
    return Audience(
        answer.audience,
        UNSET,
        answer.counts,
        seq_of(answer.position),
        iso(answer.until),
        answer.policy,
        answer.entry,
        answer.obligations,
    )


def headers(answer: AudienceAnswer) -> dict[str, str]:
    """The same as headers of a binary answer."""
    return {
        "sayso-audience": answer.audience,
        "sayso-counts": ", ".join(f"{reason}={count}" for reason, count in sorted(answer.counts.items())),
        "sayso-entry": answer.entry,
        "sayso-obligations": ", ".join(each.id for each in answer.obligations),
        "sayso-policy-version": answer.policy,
        "sayso-registry-seq": seq_of(answer.position),
        "sayso-valid-until": iso(answer.until),
    }


def oversees(principal: Principal) -> bool:
    """Whether the caller may look after the audiences of others."""
    return not principal.actor.roles.isdisjoint({"officer", "admin"})


# who left since


_READY: Final[OrderedDict[tuple[str, str], Aids]] = OrderedDict()
"""Who was permitted, of the answers that were asked about last. An answer never changes."""

_MOST_READY: Final = 4_000_000


async def revoked(call: Call, audience: str, after: str | None) -> tuple[Aids, Told, bool]:
    """Who of those whom an answer permitted is no longer, told since the cursor; up to where that is told; and whether
    that is everybody who left. No entry: it takes back part of an answer that has one, and permits nothing.
    """
    services, tenant = call.services, call.tenant
    cursor = cursors.read(services.keyring, tenant, after) if after is not None else None
    answered = await call.look(
        lambda tx: services.audiences.answered(tx, audience, call.principal.actor, any_owner=oversees(call.principal))
    )
    aids = _READY.get((tenant, audience))
    if aids is None:
        aids = await call.look(lambda tx: services.audiences.permitted(tx, audience, answered))
    _keep(tenant, audience, aids)
    configuration = call.configuration
    caller, clients = judged(services, configuration, call.principal.actor)
    asker = caller if answered.owner == caller.id else clients(answered.client)
    roles = asker.roles if asker is not None else frozenset[str]()
    policy = configuration.policy
    found = await services.crowds.judge(
        call.context, policy, answered.question(roles), aids, but=bytes.fromhex(audience.removeprefix("aud_"))
    )
    left = ~found.allowed
    # What decided besides the people: these rules, this catalogue, and whether a node that lags still trusts its own.
    lapsed = 0 < policy.good_until <= found.at
    under = f"{audience}/{policy.version}/{configuration.version}/{lapsed}"
    told = Told(found.position, found.at, under)
    if cursor is None or not cursor.under(under):
        return aids[left], told, cursor is not None
    # Time alone makes and unmakes a `later`, and no row changes by it: those are named each time.
    waits = np.array([each.reason == "later" for each in found.table], np.bool_)[found.codes]
    changed = waits | await services.crowds.changed(found, tenant, cursor.position, cursor.at)
    return aids[left & changed], told, bool(changed.all())


async def named_of(call: Call, aids: Aids) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of people by their numbers, and the numbers that are nobody's any more."""
    subjects: list[str] = []
    gone: list[str] = []
    for first in range(0, len(aids), MOST_SUBJECTS):
        part = aids[first : first + MOST_SUBJECTS].tolist()

        def unit(tx: Tx, part: list[int] = part) -> Work[list[tuple[bytes] | None]]:
            (rows,) = yield (tx.get_each(AID, [aid.to_bytes(8, "big") for aid in part]),)
            return rows  # type: ignore[no-any-return]

        for aid, row in zip(part, await call.look(unit), strict=True):
            if row is None:
                gone.append(str(aid))
            else:
                subjects.append(text("sub", bytes(row[0])))
    return tuple(subjects), tuple(gone)


def _keep(tenant: str, audience: str, aids: Aids) -> None:
    _READY[tenant, audience] = aids
    _READY.move_to_end((tenant, audience))
    while sum(each.size for each in _READY.values()) > _MOST_READY:
        _READY.popitem(last=False)


# everybody


async def contactable(call: Call, wanted: AudienceTerms) -> AsyncIterator[bytes]:
    """Everybody who is permitted, a line each, in no order; and a last line. Each part of the stream is written down
    before its first byte leaves.
    """
    services = call.services
    considered = permitted = 0
    until = call.context.at + TERM
    first, span = 0, 1
    while first < BUCKETS:
        last = min(BUCKETS, first + span)
        part = call.later()

        def unit(tx: Tx, first: int = first, last: int = last) -> Work[tuple[Judged, dict[int, bytes]]]:
            question, policy = _question(call, wanted), call.configuration.policy
            return (yield from services.crowds.judge_span(tx, policy, question, first, last))

        found, subjects = await part.look(unit)
        first, span = last, max(1, min(2 * span, span * _AT_A_TIME // max(1, len(subjects))))
        if not subjects:
            continue
        answer = await write(part, found)
        considered, permitted = considered + len(subjects), permitted + answer.permitted.size
        until = min(until, answer.until)
        yield b"".join(
            _encode(Contactable(text("sub", subjects[aid]), str(aid), answer.entry)) + b"\n"
            for aid in answer.permitted.tolist()
        )
    yield _encode(Ended(True, considered, permitted, iso(until))) + b"\n"


async def _asked(call: Call, wanted: AudienceTerms) -> tuple[Policy, Question]:
    """The rules and the question, as new as the call: what another node changed is loaded by the look."""

    def unit(_: Tx) -> Work[tuple[Policy, Question]]:
        yield ()
        return call.configuration.policy, _question(call, wanted)

    return await call.look(unit)


def _question(call: Call, wanted: AudienceTerms) -> Question:
    actor, _ = judged(call.services, call.configuration, call.principal.actor)
    return wanted.question(actor)


def _read(wanted: AudienceQuestion) -> tuple[tuple[str, ...], list[bytes | None]]:
    subjects = tuple(dict.fromkeys(wanted.subjects))
    return subjects, people_named(subjects)


def _told(subjects: Sequence[str], numbers: Aids, answer: AudienceAnswer, wanted: AudienceQuestion) -> Audience:
    """The answer in the order asked."""
    permitted = answer.permitted
    places = np.minimum(np.searchsorted(permitted, numbers), max(permitted.size - 1, 0))
    allowed = permitted[places] == numbers if permitted.size else np.zeros(len(subjects), np.bool_)
    chosen = np.flatnonzero(allowed).tolist()
    told = summary(answer)
    return msgspec.structs.replace(
        told,
        permitted=tuple([subjects[place] for place in chosen]),
        aids=tuple([str(aid) for aid in numbers[allowed].tolist()]) if wanted.aids else UNSET,
    )


_encode: Final = msgspec.json.Encoder().encode
