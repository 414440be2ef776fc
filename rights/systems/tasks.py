"""`TaskDesk`: what other systems are to do about a request, and what they answer.

Tasks are made in the commit that does our own part, with what the person is known by in each system, sealed under a key
of the request's own. A row of the feed in the same commit is the outbox: messages and `GET /v1/changes` read tasks from
there, the pull side from the table. `answers.py` takes what comes back.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct, json, msgpack
from msgspec.structs import replace

from audit import AuditLog
from policies import Answer, Policy, PolicyEngine, rights_question
from rights import events
from rights.certificate import SystemAnswer
from rights.model import Kind, RightsRequest
from rights.progress import SystemView
from rights.steps import Steps
from rights.systems import store
from rights.systems.answers import COLLECTION, KEY_CLASS, Answers, answers_for
from rights.systems.declared import NEW, OURS, SUBJECT, System, Systems, concerned
from rights.systems.model import TASK_STATES, Task, TaskState, UnknownTask
from rights.systems.recipients import TOLD_OF, Recipient, disclosed_to, others
from rights.systems.store import Stored
from rights.systems.view import Handed, TaskPage, TaskView, answers, progress, shown
from rights.wanted import Correction
from sayso.kernel import (
    SECOND,
    Actor,
    Denied,
    Instant,
    Key,
    Sealer,
    Tx,
    Work,
    add_duration,
    iso,
    new_id,
    raw,
)
from vault import Collections, Vault

MOST: Final = 200
ERASED: Final = "The person was erased."
_TOLD: Final = msgpack.Decoder(dict[str, list[str]])

KnownAs = Callable[[str, str, bytes], str]
"""(tenant, client's name, person) to what that client calls the person."""


class Reach(Struct, frozen=True):
    """Which systems there are, where in the vault lies what they know people by, and which kinds of requests one
    officer proposes to fulfil and another one approves.
    """

    systems: Systems = {}
    collections: Collections = {}
    two_officers: frozenset[Kind] = frozenset()


NOWHERE: Final = Reach()


class Planned(Struct, frozen=True):
    """The systems to be told, each with what the person is known by there; and who else was given data."""

    told: tuple[tuple[System, dict[str, list[str]]], ...] = ()
    recipients: tuple[Recipient, ...] = ()


class Leased(Struct, frozen=True):
    """A task that was taken. `version` is the fence: it is another once anybody else has touched the task."""

    task: TaskView
    version: int


class TaskDesk:
    """Tasks of all tenants. Methods are cold units of work."""

    def __init__(
        self, audit: AuditLog, sealer: Sealer, vault: Vault, engine: PolicyEngine, steps: Steps, known_as: KnownAs
    ) -> None:
        self._audit = audit
        self._sealer = sealer
        self._vault = vault
        self._engine = engine
        self._steps = steps
        self._known_as = known_as
        self.answers = Answers(audit, sealer, steps)

    # our own part is done: the others are told

    def plan(
        self,
        tx: Tx,
        policy: Policy,
        reach: Reach,
        request: RightsRequest,
        ids: Iterable[bytes],
        purposes: tuple[str, ...],
        corrections: tuple[Correction, ...] = (),
    ) -> Work[Planned | Answer]:
        """Whom to tell of a request, and by which names. An `Answer` is the rules' refusal to hand the names out.

        `ids` are all ids of the person. To be asked before anything is erased or corrected: a system finds the person
        by what was wrong, and is told what should stand there.
        """
        people = tuple(ids)
        touched = _corrected(reach.collections, corrections) if corrections else _categories(policy, purposes)
        chosen = concerned(reach.systems, request.kind, touched)
        given: tuple[Recipient, ...] = ()
        if request.kind in TOLD_OF:
            given = yield from disclosed_to(self._audit, tx, people)
            given = others(given, {each.client for each in chosen})
        if not chosen:
            return Planned(recipients=given)
        fields = {source for each in chosen for source in each.identify.values() if source != SUBJECT}
        values: dict[str, list[str]] = {}
        for subject in people:
            answer = yield from self._engine.evaluate(tx, policy, rights_question(tx.context.actor, subject, "export"))
            if answer.permit is None:
                return answer
            found = yield from self._vault.values(tx, reach.collections, subject, answer.permit, fields)
            for name, stored in found.values.items():
                for field, value in stored.items():
                    values.setdefault(f"{name}.{field}", []).append(value)
        tenant = tx.context.tenant
        told = []
        for system in chosen:
            names = [self._known_as(tenant, system.client, subject) for subject in people]
            sources = {**values, SUBJECT: names}
            known = {key: sources[src] for key, src in system.identify.items() if src in sources}
            told.append((system, known | _new_names(system, corrections)))
        return Planned(tuple(told), given)

    def fan_out(self, tx: Tx, request: RightsRequest, planned: Planned, key: Key | None) -> list[Task]:
        """A task for each system, in this commit. `key` is the person's, None when it is gone or goes with it."""
        subject = request.subject
        if subject is None:
            return []
        self._tell_recipients(tx, request, subject, planned.recipients, key)
        if not planned.told:
            return []
        own = self._sealer.create(tx, raw(request.id), KEY_CLASS)
        made = []
        for system, names in planned.told:
            at = tx.context.at
            task = Task(
                id=new_id("tsk"),
                request=request.id,
                system=system.name,
                kind=request.kind,
                law=request.law,
                state="open",
                created_at=at,
                due_at=Instant(add_duration(at, system.acknowledge_within)),
            )
            task = replace(task, entry=self._audit.append(tx, events.task_made(task, subject), key))
            store.insert(tx, task, own.seal(COLLECTION, task.id, msgpack.encode(names)))
            tx.publish(events.TASK_CREATED, raw(task.id), raw(task.id))
            made.append(task)
        return made

    def _tell_recipients(
        self, tx: Tx, request: RightsRequest, subject: bytes, recipients: tuple[Recipient, ...], key: Key | None
    ) -> None:
        """A change of the feed for each client that was given data, which that client alone is shown."""
        if not recipients:
            return
        event = TOLD_OF[request.kind]
        self._audit.append(tx, events.recipients_told(request, event, [each.name for each in recipients]), key)
        for each in recipients:
            tx.publish(event, subject, each.client)

    def end(self, tx: Tx, request: RightsRequest) -> Work[None]:
        """The person of this request is being erased: nothing is told of them any more, and nothing found is kept."""
        (rows,) = yield (store.of_requests(tx, [request.id]),)
        for each in store.all_stored(rows):
            after = each.task
            if not after.settled:
                after = replace(after, state="waived", reason=ERASED, settled_at=tx.context.at)
                after = replace(after, entry=self._audit.append(tx, events.task_step(after, "waived", None), None))
            if after is not each.task or each.result is not None:
                store.put(tx, each, after, again=0, told=None, result=None)
        self._sealer.destroy(tx, raw(request.id), KEY_CLASS)

    # looking

    def of_requests(self, tx: Tx, requests: list[str]) -> Work[dict[str, tuple[SystemView, ...]]]:
        """How far the systems are with each of these requests."""
        found: dict[str, tuple[SystemView, ...]] = {}
        if requests:
            (rows,) = yield (store.of_requests(tx, requests),)
            for each in store.all_stored(rows):
                task = each.task
                found[task.request] = (*found.get(task.request, ()), progress(task, tx.context.at))
        return found

    def listed(
        self,
        tx: Tx,
        systems: Systems,
        *,
        system: str = "",
        state: TaskState | None = None,
        overdue: bool = False,
        cursor: str | None = None,
        limit: int = MOST,
    ) -> Work[TaskPage]:
        """Tasks in the order of their making; `overdue`: those whose answer should have come, the latest first.

        A system's client sees its own. Raises `UnknownSystem` for one that is not the caller's.
        """
        names = self._visible(tx.context.actor, systems, system)
        states: tuple[TaskState, ...] = (state,) if state else ("open", "failed") if overdue else TASK_STATES
        after = raw(cursor, "tsk") if cursor else b""
        due_by = tx.context.at if overdue else None
        (rows,) = yield (store.page(tx, names, states, due_by, after, limit + 1),)
        found = [shown(each.task, systems, tx.context.at) for each in store.all_stored(rows[:limit])]
        return TaskPage(found, found[-1].task if len(rows) > limit and not overdue else None)

    def task(self, tx: Tx, systems: Systems, task: str) -> Work[TaskView]:
        """One task; its own client is told whom it is about. Raises `UnknownTask`."""
        found = yield from store.load(tx, task)
        system = systems.get(found.task.system)
        if answers_for(tx.context.actor, system):
            return (yield from self._handed(tx, systems, found))
        if not tx.context.actor.roles & {"officer", "auditor", "admin"}:
            raise UnknownTask
        if "auditor" not in tx.context.actor.roles and system is not None and system.connector == "manual":
            return (yield from self._handed(tx, systems, found))
        return shown(found.task, systems, tx.context.at)

    def entries(self, tx: Tx, request: str) -> Work[tuple[str, ...]]:
        """The log entries of every step of every task of a request."""
        (rows,) = yield (store.of_requests(tx, [request]),)
        return tuple(entry for each in store.all_stored(rows) for entry in each.task.entries)

    def certified(self, tx: Tx, request: str) -> Work[tuple[SystemAnswer, ...]]:
        """What a certificate says of the systems of a request."""
        (rows,) = yield (store.of_requests(tx, [request]),)
        return answers([each.task for each in store.all_stored(rows)])

    def told_of(self, tx: Tx, systems: Systems, task: str) -> Work[TaskView]:
        """One task as its system is told of it, for whoever carries the message there. Raises `UnknownTask`."""
        found = yield from store.load(tx, task)
        return (yield from self._handed(tx, systems, found))

    def results(self, tx: Tx, request: str, key: Key) -> Work[dict[str, Any]]:
        """What systems found for an access request, by system. `key` is the person's log key."""
        (rows,) = yield (store.of_requests(tx, [request]),)
        found: dict[str, Any] = {}
        for each in store.all_stored(rows):
            if each.result is not None:
                found[each.task.system] = json.decode(key.open(COLLECTION, each.task.id, each.result))
        return found

    # taking

    def lease(self, tx: Tx, systems: Systems, system: str, limit: int, lease_s: int) -> Work[Handed]:
        """Open tasks of one system, for its client: nobody else is given them for `lease_s` seconds."""
        if not answers_for(tx.context.actor, systems.get(system)):
            raise UnknownSystem
        found = yield from self._taken(tx, [system], limit, lease_s)
        views = []
        for each in found:
            views.append((yield from self._handed(tx, systems, each)))
        return Handed(views, iso(Instant(tx.context.at + lease_s * SECOND)))

    def waiting(self, tx: Tx, systems: Systems) -> Work[bool]:
        """Whether there is anything to `take`."""
        ours = [each.name for each in systems.values() if each.connector in OURS]
        if not ours:
            return False
        (rows,) = yield (store.free(tx, ours, tx.context.at, 1),)
        return bool(rows)

    def take(self, tx: Tx, systems: Systems, lease_s: int) -> Work["Leased | None"]:
        """The longest waiting task of the systems that we ourselves work on, leased and its try counted."""
        ours = [each.name for each in systems.values() if each.connector in OURS]
        found = (yield from self._taken(tx, ours, 1, lease_s)) if ours else []
        if not found:
            return None
        return Leased((yield from self._handed(tx, systems, found[0])), int(found[0].was[0]) + 1)

    def holds(self, tx: Tx, leased: "Leased") -> Work[bool]:
        """Whether the task is still as it was leased: nobody else has taken, answered or closed it."""
        (row,) = yield (store.at(tx, raw(leased.task.task, "tsk")),)
        return row is not None and int(row[0]) == leased.version

    def put_off(self, tx: Tx, task: str, until: int, *, heard: bool = False) -> Work[None]:
        """The next try is not before `until`. `heard`: this one did not fail, the system is at it."""
        found = yield from store.load(tx, task)
        if found.task.state == "open":
            after = replace(found.task, attempts=1) if heard else found.task
            store.put(tx, found, after, again=until, told=found.told, result=found.result)

    def _taken(self, tx: Tx, systems: list[str], limit: int, lease_s: int) -> Work[list[Stored]]:
        at = tx.context.at
        (rows,) = yield (store.free(tx, systems, at, limit),)
        found = store.all_stored(rows)
        for each in found:
            task = replace(each.task, attempts=each.task.attempts + 1)
            store.put(tx, each, task, again=at + lease_s * SECOND, told=each.told, result=each.result)
        return [each._replace(task=replace(each.task, attempts=each.task.attempts + 1)) for each in found]

    def _handed(self, tx: Tx, systems: Systems, found: Stored) -> Work[TaskView]:
        """The task with what the person is known by, while it is open."""
        task, names = found.task, {}
        if not task.settled and found.told is not None:
            owner = raw(task.request)
            (row,) = yield (self._sealer.read(tx, owner, KEY_CLASS),)
            key = self._sealer.unwrap(tx.context.tenant, owner, KEY_CLASS, row)
            if key is not None:
                names = _TOLD.decode(key.open(COLLECTION, task.id, found.told))
        return shown(task, systems, tx.context.at, names)

    def _visible(self, actor: Actor, systems: Systems, wanted: str) -> list[str] | None:
        if actor.roles & {"officer", "auditor", "admin"}:
            return [wanted] if wanted else None
        own = [each.name for each in systems.values() if answers_for(actor, each)]
        if wanted:
            own = [name for name in own if name == wanted]
        if not own:
            raise UnknownSystem
        return own


class UnknownSystem(Denied):
    """Not a system that this caller answers for."""

    def __init__(self) -> None:
        super().__init__("unknown-system", "This key answers for no such system.")


def _new_names(system: System, corrections: tuple[Correction, ...]) -> dict[str, list[str]]:
    """What is corrected of that by which a system finds people, under the same names with `new_`."""
    values = {f"{each.collection}.{each.field}": each.value for each in corrections}
    return {f"{NEW}{key}": [values[source]] for key, source in system.identify.items() if source in values}


def _corrected(collections: Collections, corrections: tuple[Correction, ...]) -> set[str]:
    """The categories of what is corrected."""
    return {collections[each.collection].fields[each.field].category for each in corrections}


def _categories(policy: Policy, purposes: tuple[str, ...]) -> set[str] | None:
    """The categories that purposes use, those below included; None for a request that names none."""
    if not purposes:
        return None
    every = policy.catalogue.purposes
    below = [each for name, each in every.items() if any(name == one or name.startswith(one + ".") for one in purposes)]
    return {category for each in below for category in each.categories}
