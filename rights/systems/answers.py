"""What systems answer, and what officers decide about a system that does not.

Each answer stores the request anew, so of two systems that answer in one moment the second sees the first: exactly one
of them is the last, and closes the request.
"""

from typing import Any, Final

from msgspec import json
from msgspec.structs import replace

from audit import AuditLog
from rights import events
from rights.certificate import answers_hash
from rights.model import Fulfil
from rights.steps import Opened, Steps
from rights.systems import store
from rights.systems.declared import OURS, READING, System, Systems
from rights.systems.model import Task, UnknownTask, answered, asked_again
from rights.systems.store import Stored
from rights.systems.view import Answered, TaskView, answers, shown
from sayso.kernel import Actor, Denied, Invalid, Sealer, TooLarge, Tx, Work, add_duration, raw

KEY_CLASS: Final = "task"
COLLECTION: Final = "rights_task"
REASON_LIMIT: Final = 500
RESULT_TERM: Final = "P14D"
"""How long what systems found is kept after the request was closed: as long as a package that is made of it then."""

DEEPEST: Final = 64
DATA_LIMIT: Final = 256 * 1024
"""Bytes of JSON that one system may add to an access package."""


class TooMuchData(TooLarge):
    """What a system found is more than a package takes."""


class Answers:
    """Takes answers. Methods are cold units of work."""

    def __init__(self, audit: AuditLog, sealer: Sealer, steps: Steps) -> None:
        self._audit = audit
        self._sealer = sealer
        self._steps = steps

    def done(self, tx: Tx, systems: Systems, task: str, answer: Answered) -> Work[TaskView]:
        """The system did it. Twice is one answer. Raises `UnknownTask`, `TaskSettled`, `Invalid` (`wrong-request`)."""
        found = yield from self._answering(tx, systems, task, answer)
        system, reason = systems.get(found.task.system), answer.reason.strip()
        if (system is None or system.connector == "manual") and not reason:
            raise Invalid("reason-missing", "Say in a sentence what was done there.")
        after = answered(found.task, "done", tx.context.at, count=answer.count, reason=_said(reason))
        if after is None:
            return shown(found.task, systems, tx.context.at)
        return (yield from self._settle(tx, systems, found, after, answer.data))

    def failed(self, tx: Tx, systems: Systems, task: str, answer: Answered) -> Work[TaskView]:
        """The system cannot. The task stays for an officer. Raises as `done`."""
        found = yield from self._answering(tx, systems, task, answer)
        reason = _said(answer.reason)
        if not reason:
            raise Invalid("reason-missing", "Say in a few words why it cannot be done.")
        after = answered(found.task, "failed", tx.context.at, reason=reason)
        if after is None:
            return shown(found.task, systems, tx.context.at)
        return (yield from self._noted(tx, systems, found, after))

    def waive(self, tx: Tx, systems: Systems, task: str, reason: str) -> Work[TaskView]:
        """An officer closes the request's part without this system, for a reason that the certificate tells."""
        found = yield from store.load(tx, task)
        said = _said(reason)
        if not said:
            raise Invalid("reason-missing", "Say why the request is closed without this system.")
        after = answered(found.task, "waived", tx.context.at, reason=said)
        if after is None:
            return shown(found.task, systems, tx.context.at)
        return (yield from self._settle(tx, systems, found, after, None))

    def again(self, tx: Tx, systems: Systems, task: str) -> Work[TaskView]:
        """An officer has the system told once more. Raises `TaskSettled`."""
        found = yield from store.load(tx, task)
        after = asked_again(found.task, tx.context.at)
        opened = yield from self._steps.load(tx, after.request)
        subject = opened.found.request.subject
        after = replace(after, entry=self._audit.append(tx, events.task_step(after, "again", subject), opened.key))
        store.put(tx, found, after, again=tx.context.at, told=found.told, result=found.result)
        tx.publish(events.TASK_CREATED, raw(after.id), raw(after.id))
        return shown(after, systems, tx.context.at)

    def tidy(self, tx: Tx) -> None:
        """Forget what systems found once its term after the request's end is over. Cold."""
        tx.execute(store.spent_results(tx.context.at))

    def _answering(self, tx: Tx, systems: Systems, task: str, answer: Answered) -> Work[Stored]:
        """The task that is answered, by somebody who may, about the request that it is part of."""
        found = yield from store.load(tx, task)
        actor, system = tx.context.actor, systems.get(found.task.system)
        if not answers_for(actor, system):
            if not actor.roles & {"officer", "admin"}:
                raise UnknownTask
            if system is not None and system.connector != "manual":
                raise Denied("answered-by-system", "That system answers for itself; an officer closes without it.")
        if answer.request != found.task.request:
            raise Invalid("wrong-request", "The task is part of another request.")
        if answer.data is not None and found.task.kind not in READING:
            raise Invalid("data-not-taken", "Only what was asked for to be seen brings data back.")
        return found

    def _settle(self, tx: Tx, systems: Systems, found: Stored, after: Task, data: Any) -> Work[TaskView]:
        """Nothing more is awaited from this system; of the last one, the request is closed."""
        opened = yield from self._steps.load(tx, after.request)
        (rows,) = yield (store.of_requests(tx, [after.request]),)
        request = opened.found.request
        event = events.task_step(after, after.state, request.subject)
        after = replace(after, entry=self._audit.append(tx, event, opened.key))
        result = _sealed(opened, after, data)
        others = [each for each in store.all_stored(rows) if each.task.id != after.id]
        every = [after, *(each.task for each in others)]
        last = all(each.settled for each in every) and not request.state.closed
        ends = add_duration(tx.context.at, RESULT_TERM) if last else 0
        store.put(tx, found, after, again=ends if result else 0, told=None, result=result)
        if last:
            for each in others:
                if each.result is not None:
                    store.put(tx, each, each.task, again=ends, told=None, result=each.result)
            self._sealer.destroy(tx, raw(after.request), KEY_CLASS)
            self._steps.step(tx, opened, Fulfil(), lambda done, _: events.answered(done, answers_hash(answers(every))))
        else:
            self._steps.keep(tx, opened, replace(request, entry=after.entry), opened.private)
        return shown(after, systems, tx.context.at)

    def _noted(self, tx: Tx, systems: Systems, found: Stored, after: Task) -> Work[TaskView]:
        opened = yield from self._steps.load(tx, after.request)
        subject = opened.found.request.subject
        after = replace(after, entry=self._audit.append(tx, events.task_step(after, after.state, subject), opened.key))
        store.put(tx, found, after, again=0, told=found.told, result=found.result)
        return shown(after, systems, tx.context.at)


def answers_for(actor: Actor, system: System | None) -> bool:
    """Whether the caller is the client that answers for a system; the program itself does where it works itself."""
    if system is None:
        return False
    if system.connector in OURS:
        return actor.kind == "system"
    return bool(system.client) and actor.kind == "service" and actor.name == system.client


def _said(reason: str) -> str:
    said = reason.strip()
    if len(said) > REASON_LIMIT:
        raise TooLarge("statement-too-long", "That is longer than a statement may be.", limit=REASON_LIMIT)
    return said


def _sealed(opened: Opened, task: Task, data: Any) -> bytes | None:
    """What was found, under the person's key. Of somebody erased meanwhile nothing is kept."""
    if data is None or opened.key is None:
        return None
    return opened.key.seal(COLLECTION, task.id, encoded_result(data))


def encoded_result(data: Any) -> bytes:
    """What a system found, as it is kept. Raises `TooMuchData` for what a package could not take."""
    if not _flat(data, DEEPEST):
        raise TooMuchData("data-too-large", f"What a system adds is nested at most {DEEPEST} deep.", limit=DEEPEST)
    plain = json.encode(data)
    if len(plain) > DATA_LIMIT:
        raise TooMuchData("data-too-large", "A system adds at most 256 KiB to a package.", limit=DATA_LIMIT)
    return plain


def _flat(data: Any, left: int) -> bool:
    """Whether it is nested no deeper: a package holds it within more, and must not fail by what one system says."""
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list | tuple) else ()
    return all(left > 0 and _flat(each, left - 1) for each in inner)
