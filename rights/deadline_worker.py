"""Tells of deadlines: a job that writes down, once each, that a receipt was not acknowledged, that a deadline is near,
that one has passed. Each is an entry in the log and a change in the feed, so that webhooks bring it to whoever answers.
"""

from typing import Final

from msgspec.structs import replace

from audit import AuditLog
from rights import events, register, reminders
from rights.steps import Steps
from sayso.kernel import Done, Job, Try, Tx, Work, raw

EVERY_S: Final = 30.0
_A_STEP: Final = 20


class DeadlineWorker:
    """The job of one process. `job` is given to the kernel's jobs."""

    def __init__(self, audit: AuditLog, steps: Steps) -> None:
        self._audit = audit
        self._steps = steps
        self.job = Job("deadlines", EVERY_S, self._pending, self._step)

    def _pending(self, tx: Tx, _cursor: bytes) -> Work[bool]:
        return bool((yield from register.falling_due(tx, tx.context.at, 1)))

    def _step(self, tx: Tx, attempt: Try) -> Work[Done]:
        most = 1 if attempt.failures else _A_STEP
        found = yield from register.falling_due(tx, tx.context.at, most)
        for request in found:
            yield from self._tell(tx, request)
        return Done(b"", len(found), more=len(found) == most)

    def _tell(self, tx: Tx, request: str) -> Work[None]:
        opened = yield from self._steps.load(tx, request)
        before, at = opened.found.request, tx.context.at
        after = reminders.told(before, at)
        for notice in reminders.falling(before, at):
            entry = self._audit.append(tx, events.falls_due(before, notice), opened.key)
            # Everybody who reads the feed learns of it, so it does not say whose request it is.
            tx.publish(events.DUE, b"", raw(request))
            after = replace(after, entry=entry)
        self._steps.keep(tx, opened, after, opened.private)
