"""Legal holds: what must not be destroyed while a matter is open, placed and lifted by two officers.

One proposes, another approves; the same for the release. A hold that is placed stands as a fact with each person, so
that erasing, purging and the end of data stop for them at once; it covers categories of their data, or all. Over
somebody who was erased it keeps the proof capsule. What a hold says (matter, people, words) is sealed.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final, Literal

from msgspec import Struct, msgpack
from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import ConsentRegistry, NoSubject
from rights import events
from rights.retention import store
from rights.retention.calendar import CLOCKS_APART
from sayso.kernel import (
    TENANT_OWNER,
    Conflict,
    Denied,
    Done,
    Invalid,
    Job,
    Key,
    NotFound,
    Sealer,
    Try,
    Tx,
    Work,
    iso,
    nearest,
    new_id,
    raw,
    text,
)

PEOPLE_LIMIT: Final = 500
"""People in one hold. A matter about more of them has several."""

WORDS_LIMIT: Final = 4_000
MATTER_LIMIT: Final = 200
COLLECTION: Final = "rights_hold"

HoldStatus = Literal["proposed", "live", "releasing", "released", "declined"]
"""`releasing`: it stands, and its release is proposed."""


class UnknownHold(NotFound):
    """No hold of that id in this tenant."""

    def __init__(self) -> None:
        super().__init__("not-found", "There is no such hold.")


class HoldMoved(Conflict):
    """A hold in this state cannot take that step."""

    def __init__(self, state: str) -> None:
        super().__init__("impossible-step", "A hold in this state cannot take that step.", state=state)


class FourEyes(Denied):
    """Who proposed it cannot be who approves it."""

    def __init__(self) -> None:
        super().__init__("four-eyes", "Another officer than the one who proposed this must approve it.")


class UnknownCategory(Invalid):
    """A category that the manifest does not declare."""

    def __init__(self, near: str | None) -> None:
        super().__init__("unknown-category", "This category is not declared.", nearest=near)


class HoldWanted(Struct, frozen=True, kw_only=True):
    """A hold as it is proposed. People are 16 raw bytes each; no categories means all; `until` 0 is open."""

    matter: str
    people: tuple[bytes, ...]
    categories: tuple[str, ...] = ()
    until: int = 0
    reason: str = ""


class Step(Struct, frozen=True, array_like=True):
    """Who did what to a hold, and when."""

    step: str
    actor: str
    at: int
    said: str = ""
    person: str = ""
    """Who the actor counts as where two people are needed; a step from before has none."""


class _Body(Struct, frozen=True, array_like=True):
    """What is sealed."""

    matter: str
    people: tuple[bytes, ...]
    categories: tuple[str, ...]
    steps: tuple[Step, ...]


class StepView(Struct, frozen=True, omit_defaults=True):
    """One step: `actor` is the id of the client or person who took it."""

    step: str
    actor: str
    at: str
    said: str = ""


class HoldView(Struct, frozen=True, kw_only=True):
    """A hold as officers see it."""

    hold: str
    state: HoldStatus
    matter: str
    people: list[str]
    categories: tuple[str, ...]
    until: str | None
    steps: list[StepView]
    entry: str | None = None


class _Stored(Struct, frozen=True):
    id: str
    state: HoldStatus
    until: int
    body: _Body
    was: tuple[Any, ...]


_encode = msgpack.Encoder().encode
_decode = msgpack.Decoder(_Body).decode


class HoldDesk:
    """Legal holds of all tenants."""

    def __init__(self, audit: AuditLog, sealer: Sealer, consent: ConsentRegistry) -> None:
        self._audit = audit
        self._sealer = sealer
        self._consent = consent
        self.job = Job("holds", 60.0, self._pending, self._lapse)

    def propose(self, tx: Tx, declared: Collection[str], wanted: HoldWanted, person: str = "") -> Work[HoldView]:
        """Propose a hold; nothing is held yet. `declared` are all categories, `person` is who the caller counts as
        where two people are needed. Cold.

        Somebody erased is named for the proof that is left of them, which is then kept past its term. Raises `Invalid`
        (`invalid-hold`, `invalid-term`), `UnknownCategory`, `NoSubject` for somebody who is not known or left nothing.
        """
        _check(declared, wanted, tx.context.at)
        people = tuple(dict.fromkeys(wanted.people))
        for subject in people:
            state = yield from self._consent.person(tx, subject)
            if state is None or (state.erased_at and not (yield from self._consent.remains.stands(tx, subject))):
                raise NoSubject
        hold, key = new_id("hld"), self._key(tx)
        step = Step("proposed", tx.context.actor.id, tx.context.at, wanted.reason.strip(), person)
        body = _Body(wanted.matter.strip(), people, tuple(sorted(set(wanted.categories))), (step,))
        entry = self._enter(tx, events.HOLD_PROPOSED, hold, body)
        tx.insert(store.HOLD, raw(hold), 1, "proposed", wanted.until, key.seal(COLLECTION, hold, _encode(body), 1))
        return _view(hold, "proposed", wanted.until, body, entry)

    def approve(self, tx: Tx, hold: str, person: str = "") -> Work[HoldView]:
        """Place what was proposed, or release what was proposed to be released. Cold.

        Raises `FourEyes` to whoever proposed it, `HoldMoved`, `UnknownHold`.
        """
        found = yield from self._load(tx, hold)
        if found.state not in ("proposed", "releasing"):
            raise HoldMoved(found.state)
        proposed = found.body.steps[-1]
        if {proposed.actor, proposed.person or proposed.actor} & {tx.context.actor.id, person}:
            # A key that the proposer made for themselves is the proposer.
            raise FourEyes
        if found.state == "proposed":
            if found.until and found.until <= tx.context.at:
                raise Invalid("invalid-term", "The hold's term is over already.")
            found, people = yield from self._place(tx, found)
            return self._step(tx, found, "live", "approved", events.HOLD_PLACED, people=people, person=person)
        people = yield from self._lift(tx, found)
        return self._step(tx, found, "released", "approved", events.HOLD_RELEASED, people=people, person=person)

    def release(self, tx: Tx, hold: str, reason: str, person: str = "") -> Work[HoldView]:
        """Propose that a hold ends. It stands until another officer approves. Raises `HoldMoved`, `UnknownHold`."""
        found = yield from self._load(tx, hold)
        if found.state != "live":
            raise HoldMoved(found.state)
        said, event = _said(reason), events.HOLD_RELEASE_PROPOSED
        return self._step(tx, found, "releasing", "release proposed", event, said=said, person=person)

    def decline(self, tx: Tx, hold: str, reason: str) -> Work[HoldView]:
        """Turn down what was proposed, or take it back. Cold. Raises `HoldMoved`, `UnknownHold`."""
        found = yield from self._load(tx, hold)
        if found.state not in ("proposed", "releasing"):
            raise HoldMoved(found.state)
        state: HoldStatus = "declined" if found.state == "proposed" else "live"
        return self._step(tx, found, state, "declined", events.HOLD_DECLINED, said=_said(reason))

    def hold(self, tx: Tx, hold: str) -> Work[HoldView]:
        """One hold. Raises `UnknownHold`, `Invalid` (`malformed-id`)."""
        found = yield from self._load(tx, hold)
        return _view(found.id, found.state, found.until, found.body)

    def holds(self, tx: Tx) -> Work[list[HoldView]]:
        """All holds, oldest first. Cold."""
        (rows,) = yield (store.holds(tx),)
        found = [self._stored(tx, bytes(row[0]), tuple(row[1:])) for row in rows]
        return [_view(each.id, each.state, each.until, each.body) for each in found]

    # the term

    def _pending(self, tx: Tx, _cursor: bytes) -> Work[bool]:
        return bool((yield from self._over(tx)))

    def _lapse(self, tx: Tx, _attempt: Try) -> Work[Done]:
        """Lift the first hold whose term is over. Its end was approved with it."""
        over = yield from self._over(tx)
        if not over:
            return Done(b"")
        found = yield from self._load(tx, over[0])
        people = yield from self._lift(tx, found)
        self._step(tx, found, "released", "lapsed", events.HOLD_LAPSED, people=people)
        return Done(b"", 1, 1 / len(over), more=len(over) > 1)

    def _over(self, tx: Tx) -> Work[list[str]]:
        (rows,) = yield (store.holds(tx),)
        at = tx.context.at - CLOCKS_APART
        return [text("hld", bytes(row[0])) for row in rows if row[2] in ("live", "releasing") and 0 < row[3] <= at]

    # one hold

    def _place(self, tx: Tx, found: _Stored) -> Work[tuple[_Stored, int]]:
        """Hold every one of the people who is still there, under every id that is theirs now; tells how many.

        From then on the hold names all of those ids: should a merge be undone, it covers both.
        """
        count = 0
        covered: dict[bytes, None] = {}
        for subject in found.body.people:
            if subject in covered:
                continue
            ids = yield from self._count(tx, subject, on=True)
            for each in ids:
                tx.insert(store.HOLD_OF, each, raw(found.id), "\n".join(found.body.categories))
            covered.update(dict.fromkeys(ids))
            count += bool(ids)
        people = tuple(dict.fromkeys((*found.body.people, *covered)))
        return replace(found, body=replace(found.body, people=people)), count

    def _lift(self, tx: Tx, found: _Stored) -> Work[int]:
        people = found.body.people
        rows = yield tuple(tx.get(store.HOLD_OF, subject, raw(found.id)) for subject in people)
        held = [subject for subject, row in zip(people, rows, strict=True) if row is not None]
        count = 0
        lifted: set[bytes] = set()
        for subject in held:
            tx.delete(store.HOLD_OF, subject, raw(found.id))
            if subject not in lifted:
                # Ids that are one person by now are changed at once, and only by what this hold had counted.
                ids = yield from self._count(tx, subject, on=False, ids=held)
                lifted.update(ids)
                count += bool(ids)
        return count

    def _count(
        self, tx: Tx, subject: bytes, *, on: bool, ids: Collection[bytes] | None = None
    ) -> Work[tuple[bytes, ...]]:
        """One hold more or less over a person, or over the proof that an erasure left of one; the ids that it was
        counted for.
        """
        try:
            return (yield from self._consent.hold(tx, subject, on=on, ids=ids))
        except NoSubject:
            found = yield from self._consent.remains.hold(tx, subject, on=on)
            return (subject,) if found else ()

    def _load(self, tx: Tx, hold: str) -> Work[_Stored]:
        raw_id = raw(hold, "hld")
        (row,) = yield (tx.get(store.HOLD, raw_id),)
        if row is None:
            raise UnknownHold
        return self._stored(tx, raw_id, row)

    def _stored(self, tx: Tx, raw_id: bytes, row: tuple[Any, ...]) -> _Stored:
        version, state, until, sealed = row
        hold = text("hld", raw_id)
        body = _decode(self._key(tx).open(COLLECTION, hold, bytes(sealed), version))
        return _Stored(hold, state, until, body, row)

    def _step(
        self,
        tx: Tx,
        found: _Stored,
        state: HoldStatus,
        step: str,
        event: str,
        *,
        said: str = "",
        people: int = -1,
        person: str = "",
    ) -> HoldView:
        taken = Step(step, tx.context.actor.id, tx.context.at, said, person)
        body = replace(found.body, steps=(*found.body.steps, taken))
        entry = self._enter(tx, event, found.id, body, people)
        version = found.was[0] + 1
        sealed = self._key(tx).seal(COLLECTION, found.id, _encode(body), version)
        tx.put(store.HOLD, (raw(found.id),), (version, state, found.until, sealed), was=found.was)
        return _view(found.id, state, found.until, body, entry)

    def _enter(self, tx: Tx, event: str, hold: str, body: _Body, people: int = -1) -> str:
        res = {"hold": hold} | ({"people": str(people)} if people >= 0 else {})
        detail: dict[str, object] = {"matter": body.matter, "categories": list(body.categories)}
        if body.steps[-1].said:
            detail["said"] = body.steps[-1].said
        return self._audit.append(tx, AuditEvent(event, "ok", res, None, detail))

    def _key(self, tx: Tx) -> Key:
        return self._sealer.standing(tx.context.tenant, TENANT_OWNER)


def _check(declared: Collection[str], wanted: HoldWanted, at: int) -> None:
    if not 0 < len(wanted.matter.strip()) <= MATTER_LIMIT:
        raise Invalid("invalid-hold", f"A matter is named in 1 to {MATTER_LIMIT} characters.", limit=MATTER_LIMIT)
    if not 0 < len(wanted.people) <= PEOPLE_LIMIT:
        raise Invalid("invalid-hold", f"A hold names 1 to {PEOPLE_LIMIT} people.", limit=PEOPLE_LIMIT)
    if wanted.until and wanted.until <= at:
        raise Invalid("invalid-term", "A hold ends in the future, or when it is released.")
    for category in wanted.categories:
        if category not in declared:
            raise UnknownCategory(nearest(category, declared))
    _said(wanted.reason)


def _said(words: str) -> str:
    said = words.strip()
    if len(said) > WORDS_LIMIT:
        raise Invalid("invalid-hold", f"A reason has up to {WORDS_LIMIT} characters.", limit=WORDS_LIMIT)
    return said


def _view(hold: str, state: HoldStatus, until: int, body: _Body, entry: str | None = None) -> HoldView:
    return HoldView(
        hold=hold,
        state=state,
        matter=body.matter,
        people=_named(body.people),
        categories=body.categories,
        until=iso(until) if until else None,
        steps=[StepView(each.step, each.actor, iso(each.at), each.said) for each in body.steps],
        entry=entry,
    )


def _named(people: Sequence[bytes]) -> list[str]:
    return [text("sub", subject) for subject in people]
