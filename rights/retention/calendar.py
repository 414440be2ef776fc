"""`Calendar`: when somebody is to be looked at next, kept in step with everything that changes about people.

It follows the feed, which every change of a person leaves a row in, and looks at nobody else; so the hot path does
nothing for it, and a round costs as much as has changed. When what decides has changed (purposes, collections, terms),
or rows of the feed are gone that it had not read, it surveys everybody once, a page at a time.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from consent import (
    PERSON,
    ConsentRegistry,
    PersonState,
    ids_of,
    terms_of,
    touched_at,
    unpack,
)
from rights.retention import reckoning, store
from rights.retention.reckoning import KEPT, NEVER, Entry, Facts, Holding, Place, Rules
from sayso.kernel import BUCKETS, DAY, JOB, SECOND, Done, Job, Try, Tx, Values, Work, add_duration, text
from vault import Vault

RulesOf = Callable[[str], Rules]
"""What decides for a tenant, as it is now. Called inside a unit."""

UNSEEN: Final = 30 * DAY
"""Nobody of whom something is stored is left alone for longer, whatever the feed says."""

CLOCKS_APART: Final = 10 * SECOND
"""What fell due so lately is left alone: by another node's clock it may not have yet."""

_ROWS: Final = 12
_PAGE: Final = 12
_BUCKETS: Final = 16
"""What one step takes upon itself. On the embedded database everybody waits while it runs, so that is milliseconds."""

_HOPELESS: Final = 3
_STORING: Final = ("vault.", "consent.preferences.")
"""Changes of what is stored, by the beginning of their kinds."""

_LOOSENING: Final = (
    "consent.choice.recorded",
    "consent.choice.undone",
    "consent.objection.withdrawn",
    "consent.relation.recorded",
)
"""Changes that may give a purpose its life back."""


class _Cursor(Struct, frozen=True, array_like=True):
    """Where the calendar stands: in the feed, and in the survey under the rules of `mark`."""

    position: int = 0
    mark: str = ""
    bucket: int = BUCKETS
    after: bytes = b""

    @property
    def surveyed(self) -> bool:
        return self.bucket >= BUCKETS


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Cursor).decode


class Calendar:
    """Writes `rights_due`."""

    def __init__(self, consent: ConsentRegistry, vault: Vault, rules_of: RulesOf) -> None:
        self._consent = consent
        self._vault = vault
        self._rules_of = rules_of
        self.job = Job("calendar", 1.0, self._pending, self._step)

    def _pending(self, tx: Tx, cursor: bytes) -> Work[bool]:
        yield ()
        held = _read(cursor)
        return tx.head.position > held.position or not held.surveyed or held.mark != self._rules_of(_tenant(tx)).mark

    def _step(self, tx: Tx, attempt: Try) -> Work[Done]:
        held, rules = _read(attempt.cursor), self._rules_of(_tenant(tx))
        if held.mark != rules.mark:
            held = replace(held, mark=rules.mark, bucket=0, after=b"")
        if tx.head.position > held.position:
            return (yield from self._follow(tx, rules, held, attempt.failures))
        if not held.surveyed:
            return (yield from self._survey(tx, rules, held, attempt.failures))
        return Done(_encode(held))

    def _follow(self, tx: Tx, rules: Rules, held: _Cursor, failures: int) -> Work[Done]:
        """Look at those about whom the next rows of the feed tell."""
        (rows,) = yield (store.changes(tx, held.position, 1 if failures else _ROWS),)
        if not rows or rows[0][0] != held.position + 1:
            # Positions have no gaps: rows were forgotten before they were read here. Everybody may have changed.
            return Done(_encode(replace(held, position=tx.head.position, bucket=0, after=b"")), more=True, share=0)
        changed: dict[bytes, list[str]] = {}
        for _, kind, subject in rows:
            if subject:
                changed.setdefault(bytes(subject), []).append(kind)
        # What cannot be looked at is left to the next change, or to the survey; it must not keep the others waiting.
        if failures < _HOPELESS:
            yield from self._look(tx, rules, changed)
        position = int(rows[-1][0])
        moved = replace(held, position=position)
        behind = position < tx.head.position
        share = position / max(tx.head.position, 1) if moved.surveyed else moved.bucket / BUCKETS
        return Done(_encode(moved), len(rows), share, more=behind or not moved.surveyed)

    def _survey(self, tx: Tx, rules: Rules, held: _Cursor, failures: int) -> Work[Done]:
        """Look at the next page of everybody."""
        most = 1 if failures else _PAGE
        # Buckets are small or they are not: several are read at once until one of them fills a page.
        buckets = range(held.bucket, held.bucket + 1 if held.after else min(held.bucket + _BUCKETS, BUCKETS))
        page: list[bytes] = []
        for bucket, found in (yield from self._consent.census.pages(tx, buckets, held.after, most)):
            page += found
            full = len(found) == most
            held = (
                replace(held, bucket=bucket, after=found[-1]) if full else replace(held, bucket=bucket + 1, after=b"")
            )
            if len(page) >= most:
                break
        if failures < _HOPELESS:
            yield from self._look(tx, rules, dict.fromkeys(page, ()))
        return Done(_encode(held), len(page), held.bucket / BUCKETS, more=not held.surveyed)

    def _look(self, tx: Tx, rules: Rules, changed: Mapping[bytes, "list[str] | tuple[()]"]) -> Work[None]:
        if not changed:
            return
        subjects = list(changed)
        people, entries = yield (tx.get_each(PERSON, subjects), tx.get_each(store.DUE, subjects))
        for subject, person, row in zip(subjects, people, entries, strict=True):
            state = unpack(person[3]) if person is not None else None
            if state is None or state.erased_at:
                if row is not None:
                    tx.delete(store.DUE, subject)
                continue
            kinds = changed[subject]
            facts = reckoning.unpack(row[3]) if row is not None else Facts()
            if not kinds or any(kind.startswith(_STORING) for kind in kinds):
                facts = replace(facts, places=(yield from self.places(tx, rules, subject, facts.places)))
            holds = yield from self.holds(tx, subject, state)
            anew = len(kinds) > 1 and not set(kinds).isdisjoint(_LOOSENING)
            ends = reckoning.reckon(rules, state, facts.places, facts.ends, holds, tx.context.at, anew=anew)
            facts = replace(facts, ends=ends)
            put_entry(tx, rules, subject, state, facts, row, lazily=True)

    def places(self, tx: Tx, rules: Rules, subject: bytes, before: tuple[Place, ...]) -> Work[tuple[Place, ...]]:
        """What is stored of a person now: values in the vault, and answers to questions."""
        held = yield from self._vault.held(tx, subject)
        answers = yield from self._consent.preferences.serving(tx, subject)
        return reckoning.places_of(held, answers, rules.collections, before)

    def share(self, tx: Tx) -> Work[float]:
        """How much of what has changed was looked at: 1 when nothing waits."""
        (row,) = yield (tx.get(JOB, self.job.name),)
        held = _read(bytes(row[3]) if row is not None else b"")
        if held.mark != self._rules_of(_tenant(tx)).mark:
            return 0.0
        read = held.position / tx.head.position if tx.head.position else 1.0
        return min(read, 1.0) * min(held.bucket / BUCKETS, 1.0)

    def holds(self, tx: Tx, subject: bytes, state: PersonState) -> Work[tuple[Holding, ...]]:
        """The legal holds over a person, whichever id of theirs they name. One that is counted in the state and
        described nowhere covers everything.
        """
        if not state.held:
            return ()
        pages = yield tuple(store.holds_of(tx, each) for each in ids_of(subject, state))
        found = tuple(
            Holding(text("hld", bytes(raw)), frozenset(names.split())) for rows in pages for raw, names in rows
        )
        return found if len(found) >= state.held else (*found, Holding("not described"))


def put_entry(
    tx: Tx,
    rules: Rules,
    subject: bytes,
    state: PersonState,
    facts: Facts,
    row: Values | None,
    *,
    lazily: bool = False,
) -> None:
    """The person's place in the calendar. `lazily`: a later date is left to be found when the earlier one comes."""
    entry = entry_of(rules, subject, state, facts, tx.context.at)
    packed = reckoning.pack(entry.facts)
    if row is None:
        tx.put(store.DUE, (subject,), (1, entry.due, entry.ends, packed), was=None)
        return
    version, due, ends, blob = row
    if lazily and due <= entry.due and ends == entry.ends and bytes(blob) == packed:
        return
    # What was visited and could not be done, such as forgetting somebody who has a request open, is tried tomorrow.
    undone = not lazily and entry.due <= tx.context.at - CLOCKS_APART
    next_due = tx.context.at + DAY if undone else entry.due
    tx.put(store.DUE, (subject,), (version + 1, next_due, entry.ends, packed), was=row)


def entry_of(rules: Rules, subject: bytes, state: PersonState, facts: Facts, at: int) -> Entry:
    """When the person is to be looked at next: the first of all that will fall due."""
    told, ends = facts.told, reckoning.first_end(facts, rules.terms.grace)
    dates = [ends if ends < KEPT else NEVER, *(end for purpose, end in terms_of(state) if end > told.get(purpose, 0))]
    if facts.places:
        dates.append(at + UNSEEN)
    elif not facts.known:
        dates.append(anonymous_until(rules, subject, state))
    return Entry(min(dates, default=NEVER), ends, facts)


def anonymous_until(rules: Rules, subject: bytes, state: PersonState) -> int:
    """When somebody who is known by a device alone is forgotten."""
    return add_duration(touched_at(subject, state), rules.terms.anonymous_after)


def left(facts: Facts, places: tuple[Place, ...]) -> Facts:
    """The facts with these places alone."""
    categories = {each.category for each in places}
    kept = {category: end for category, end in facts.ends.items() if category in categories}
    return replace(facts, places=places, ends=kept)


def _read(cursor: bytes) -> _Cursor:
    return _decode(cursor) if cursor else _Cursor()


def _tenant(tx: Tx) -> str:
    return tx.context.tenant
