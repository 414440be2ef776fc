"""The clock of a request: the law's longer term, rests while the person is awaited, and the appeal after a refusal."""

from typing import Literal

from msgspec.structs import replace

from audit import AuditLog
from rights import events, store
from rights.beside import ClockRefused, PauseReason
from rights.deadlines import Calendar, NoExtension, appeal_due, due, local_date, moved
from rights.laws import row_of
from rights.model import Decide, Extend, Halt, Kind, Law, Object, Resume, RightsRequest, State
from rights.steps import Opened, Steps, said_of
from rights.store import Private
from rights.view import RequestView, view
from sayso.kernel import Invalid, Tx, Work, bucket_in, new_id_in, raw


class Clock:
    """Moves deadlines. Methods are units of work."""

    def __init__(self, audit: AuditLog, steps: Steps) -> None:
        self._audit = audit
        self._steps = steps

    def extend(self, tx: Tx, request: str, reason: str) -> Work[RequestView]:
        """Take the law's longer term: the actor states that the person was told, and why. `reason` is in words.

        Raises `NoExtension`, and `ClockRefused` when it was taken before or the first deadline has passed.
        """
        said = said_of(reason)
        if not said:
            raise Invalid("reason-missing", "An extension needs its reason, as the person was told it.")
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        until = extendable_to(before)
        if not until:
            raise NoExtension(before.law, before.kind)
        step = Extend(until, local_date(tx.context.at, before.zone).isoformat())
        return self._steps.step(tx, opened, step, events.extended, said)

    def pause(self, tx: Tx, request: str, reason: PauseReason) -> Work[RequestView]:
        """Let the clock rest until the person has answered. Raises `ClockRefused` where the law does not let it."""
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        if reason not in row_of(before.law, before.kind)[0].pauses:
            raise ClockRefused("no-pause", "The clock of this law does not rest for that.", law=before.law)
        return self._steps.step(tx, opened, Halt(reason), events.paused)

    def resume(self, tx: Tx, request: str) -> Work[RequestView]:
        """The clock runs again; the dates move by the days it rested."""
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        since = before.pauses[-1].since if before.pauses else tx.context.at
        rested = (local_date(tx.context.at, before.zone) - local_date(since, before.zone)).days
        calendar = Calendar(before.zone, before.country)
        step = Resume(
            due_on=moved(before.due_on, rested, before.law, before.kind, calendar),
            target_on=moved(before.target_on, rested, before.law, before.kind, Calendar(before.zone)),
        )
        return self._steps.step(tx, opened, step, events.resumed)

    def appeal(self, tx: Tx, request: str, words: str = "") -> Work[RequestView]:
        """The person appeals against a refusal, in `words` of theirs. Raises `AppealRefused`, `ImpossibleStep`."""
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        due_on = appeal_due(tx.context.at, before.law, Calendar(before.zone, before.country))
        return self._steps.step(tx, opened, Object(due_on), events.appealed, said_of(words))

    def decide(
        self, tx: Tx, request: str, outcome: Literal["upheld", "overturned"], statement: str
    ) -> Work[tuple[RequestView, RequestView | None]]:
        """Decide an appeal, with the reason that the person is told (e.g. Va. Code 59.1-577(C)). Overturned, the
        request is opened anew, known to be theirs as before; the refused one stays refused. Raises `AppealRefused`.
        """
        said = said_of(statement)
        if not said:
            raise Invalid("reason-missing", "The answer to an appeal gives its reason, as the person is told it.")
        opened = yield from self._steps.load(tx, request)
        done = self._steps.step(tx, opened, Decide(outcome), events.appeal_decided, said)
        return done, self._anew(tx, opened) if outcome == "overturned" else None

    def _anew(self, tx: Tx, opened: Opened) -> RequestView:
        before, at = opened.found.request, tx.context.at
        dates = due(at, before.law, before.kind, Calendar(before.zone, before.country))
        request = RightsRequest(
            id=new_id_in("rrq", bucket_in(raw(before.id))),
            subject=before.subject,
            kind=before.kind,
            law=before.law,
            state=State.IN_PROGRESS if before.verified_at else State.OPEN,
            received_at=at,
            due_on=dates.due_on,
            target_on=dates.target_on,
            granted_by_law=dates.granted_by_law,
            zone=before.zone,
            country=before.country,
            related=before.id,
            verified_at=before.verified_at,
            verified_by=before.verified_by,
            by_agent=before.by_agent,
        )
        private = Private(opened.private.purposes, agent=opened.private.agent, corrections=opened.private.corrections)
        entry = self._audit.append(tx, events.opened(request, dates.source), opened.key)
        request = replace(request, entry=entry)
        store.insert(tx, request, private, self._steps.tenants_key(tx), opened.key)
        return view(request, private)


def extendable_to(request: RightsRequest) -> str:
    """The ISO date to which the law lets the term be extended; empty where it does not."""
    return due(request.received_at, request.law, request.kind, Calendar(request.zone, request.country)).extendable_to


def may_rest(law: Law, kind: Kind) -> tuple[PauseReason, ...]:
    """For what the clock of such a request may rest."""
    return tuple(sorted(row_of(law, kind)[0].pauses, reverse=True))


def source_of(law: Law, kind: Kind) -> str:
    """Where it stands how long an answer may take."""
    return row_of(law, kind)[0].answer.source
