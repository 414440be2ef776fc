"""Whether it is the person who asks: with as little trouble for them as the kind allows, and no way round.

A code is sent to a channel that was known before the request, and comes back. Everything here does the same for an id
that nobody has: the same answers, the same work, the same counts. Codes and wrong tries are counted per person over
all of their requests, so a second request, or one opened anew, gives nobody more tries; and what verifies one request
verifies no other.
"""

from typing import Final

from msgspec.structs import replace

from audit import AuditLog
from consent import CodeUnusable, Wrong
from rights import codes, events, store
from rights.codes import Sent
from rights.model import Challenge, ImpossibleStep, Kind, State, Verify
from rights.steps import Opened, Steps
from rights.store import CHECK
from rights.view import RequestView
from sayso.kernel import DAY, SECOND, TooMany, Tx, Values, Work

CODES_A_DAY: Final = 5
WRONG_A_DAY: Final = 15
"""How many codes may be sent about one person in a day, and how many wrong ones may come."""

LIGHT: Final[frozenset[Kind]] = frozenset(
    {"restriction", "objection", "withdraw_all", "opt_out_sale", "limit_sensitive"}
)
"""What harms nobody who did not ask for it: whoever is signed in on their page needs no code (11 CCR 7026(d), 7027(e)).

Everything else shows data, changes it or destroys it.
"""


class TooManyCodes(TooMany):
    """As many codes were sent, or as many wrong ones came, as one person has in a day."""


class Identity:
    """Sends codes and takes them back. Its methods are units of work."""

    def __init__(self, audit: AuditLog, steps: Steps) -> None:
        self._audit = audit
        self._steps = steps

    def challenge(self, tx: Tx, request: str) -> Work[tuple[RequestView, Sent]]:
        """A code for the request; one sent before is void. The caller sends it, after the answer.

        Raises `TooManyCodes`, `ImpossibleStep` once it is known who asks.
        """
        opened = yield from self._steps.load(tx, request)
        found = opened.found.request
        if found.subject is None:
            raise ImpossibleStep(found.state, Challenge())
        (row,) = yield (tx.get(CHECK, found.subject),)
        since, sent, wrong = _today(row, tx.context.at)
        if sent >= CODES_A_DAY or wrong >= WRONG_A_DAY:
            raise _enough(since, tx.context.at)
        _count(tx, found.subject, row, (since, sent + 1, wrong))
        key = opened.key or self._steps.tenants_key(tx)
        issued, check = codes.issue(key, found.id, tx.context.at)
        private = replace(opened.private, check=check)
        return self._steps.step(tx, opened, Challenge(), events.challenged, private=private), issued

    def confirm(self, tx: Tx, request: str, digits: str) -> Work[RequestView | Wrong]:
        """The digits, as the person typed them. A wrong try is a value, because its count must be committed.

        Raises `CodeUnusable` for a code that was not asked for, has ended, is spent or was tried too often,
        `TooManyCodes`, and `ImpossibleStep` for a request that is closed or verified.
        """
        opened = yield from self._steps.load(tx, request)
        found = opened.found.request
        if found.state is State.IN_PROGRESS or found.state.closed:
            raise ImpossibleStep(found.state, Verify("code"))
        if found.subject is None:
            raise CodeUnusable
        (row,) = yield (tx.get(CHECK, found.subject),)
        since, sent, wrong = _today(row, tx.context.at)
        if wrong >= WRONG_A_DAY:
            raise _enough(since, tx.context.at)
        key, before = opened.key or self._steps.tenants_key(tx), opened.private.check
        right, check = codes.tried(before, key, found.id, digits, tx.context.at)
        private = replace(opened.private, check=check)
        # Digits that were never sent to anybody prove nothing, whoever guessed them.
        if right and opened.key is not None:
            return self._steps.step(tx, opened, Verify("code"), events.verified, private=private)
        if check == before or before is None:
            raise CodeUnusable
        return self._refused(tx, opened, check, row, (since, sent, wrong + 1))

    def signed_in(self, tx: Tx, request: str) -> Work[RequestView]:
        """The person asked on their own page. Enough for what is `LIGHT`; anything else stays as it is."""
        opened = yield from self._steps.load(tx, request)
        return self._steps.step(tx, opened, Verify("session"), events.verified)

    def tidy(self, tx: Tx) -> None:
        """Forget the counts of days that are over. Cold."""
        tx.execute(store.old_checks(tx.context.at - DAY))

    def _refused(
        self, tx: Tx, opened: Opened, check: codes.Check, row: Values | None, counts: tuple[int, int, int]
    ) -> Wrong:
        found = opened.found.request
        assert found.subject is not None
        _count(tx, found.subject, row, counts)
        entry = self._audit.append(tx, events.code_refused(found), opened.key)
        self._steps.keep(tx, opened, replace(found, entry=entry), replace(opened.private, check=check))
        return Wrong(check.left)


def _today(row: Values | None, at: int) -> tuple[int, int, int]:
    """Since when is counted, codes sent, wrong tries."""
    if row is None or row[1] <= at - DAY:
        return at, 0, 0
    return row[1], row[2], row[3]


def _count(tx: Tx, subject: bytes, row: Values | None, counts: tuple[int, int, int]) -> None:
    tx.put(CHECK, (subject,), (1 if row is None else row[0] + 1, *counts), was=row)


def _enough(since: int, at: int) -> TooManyCodes:
    wait = (since + DAY - at) // SECOND + 1
    return TooManyCodes("too-many-codes", "No more codes for this person today.", retry_after=wait)
