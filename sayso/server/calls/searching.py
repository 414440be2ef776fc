"""AuthZEN searches: from a body's bytes to a page of people, callers or actions.

Whoever is looked for, the answer is what single questions would be answered. People are found in two steps, so that no
hot call waits for a walk over many: beside the flushes, a few hundred at a time, those of whom the answer seems yes;
then the page alone is decided anew in the flush that writes its entry. Nothing found here counts towards a limit that
somebody set: a search finds, and each use is asked for.
"""

import asyncio

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from consent import Mark, walk
from policies import (
    ACTIONS,
    Access,
    Action,
    ActionSearch,
    ActionSearchAnswer,
    Behind,
    Crowd,
    Entity,
    Named,
    NamedAction,
    PageAnswer,
    Question,
    Reading,
    ResourceSearch,
    SearchAnswer,
    SearchContext,
    SubjectSearch,
    begun,
    find,
    read_action_search,
    read_resource_search,
    read_subject_search,
    sealed_token,
)
from sayso.kernel import TENANT_OWNER, Key, Tx, Unit, Work, text
from sayso.server.call import Call
from sayso.server.calls.decisions import judged, locator
from sayso.server.idempotency import Answer
from sayso.server.manifests.configuration import Configuration

MOST_LOOKED_AT = 10_000
"""People that one page looks through. If fewer are found among them than asked for, the page is short."""

AT_ONCE = 250
"""People that are looked at before other calls have their turn."""

CALLERS_AT_ONCE = 200
"""Callers that one page looks through."""

SERVICE = "service"
"""The one type of callers there is."""

SEE_ALL = frozenset({"pep", "officer", "admin"})
"""Who is told of other callers than itself: whoever asks for others, and who answers for the rules."""

_encode = msgspec.json.Encoder().encode


class _Walked(Struct, frozen=True):
    """How far a walk came, and whom it found."""

    found: list[bytes]
    mark: Mark | None


async def subjects(call: Call, body: bytes) -> Answer:
    """`POST /access/v1/search/subject`, from the body's bytes to the answer's."""
    search = read_subject_search(body)
    return Answer(200, _encode(await call.run(callers(call, search))))


async def actions(call: Call, body: bytes) -> Answer:
    """`POST /access/v1/search/action`, likewise."""
    search = read_action_search(body)
    return Answer(200, _encode(await call.run(possible(call, search))))


async def resources(call: Call, body: bytes) -> Answer:
    """`POST /access/v1/search/resource`, likewise."""
    search = read_resource_search(body)
    behind = await call.look(_begin(call, search))
    found: list[bytes] = []
    mark: Mark | None = behind.mark
    for _ in range(0, MOST_LOOKED_AT, AT_ONCE):
        if mark is None or len(found) >= behind.limit:
            break
        walked = await call.look(_walk(call, search, mark, behind.limit - len(found)))
        found += walked.found
        mark = walked.mark
        await asyncio.sleep(0)

    def unit(tx: Tx) -> Work[SearchAnswer]:
        configuration = call.configuration
        question, client = _asked(call, configuration, search)
        crowd = Crowd(question, found, client, search.context.at_least_seq or "", counts=False)
        answer = yield from call.services.engine.evaluate_crowd(tx, configuration.policy, crowd)
        named = [
            Named(search.resource.type, text("sub", subject))
            for subject, decision in zip(found, answer.decisions, strict=True)
            if decision.allowed
        ]
        # If the rules were changed on the way, the token of the old ones tells the caller to begin again.
        ended = mark is None and answer.policy == behind.policy
        token = "" if ended else sealed_token(replace(behind, mark=mark or Mark()), _key(call))
        context = SearchContext(answer.policy, answer.seq, answer.entry)
        return SearchAnswer(PageAnswer(token, len(named)), context, named)

    return Answer(200, _encode(await call.run(unit)))


def callers(call: Call, search: SubjectSearch) -> Unit[SearchAnswer]:
    """The unit that finds which callers may do something with one person's data, by name."""

    def unit(tx: Tx) -> Work[SearchAnswer]:
        configuration, actor = call.configuration, call.principal.actor
        behind = begun(search, actor.id, configuration.policy.version, _key(call))
        _, clients = judged(call.services, configuration, actor)
        seen = configuration.registered if SEE_ALL & actor.roles else (actor.name,)
        names = sorted(name for name in seen if name > behind.name) if search.subject.type == SERVICE else []
        accesses: dict[str, Access] = {}
        for name in names[:CALLERS_AT_ONCE]:
            caller = clients(name)
            if caller is not None:
                # Each as it would ask itself: its own roles, its own default purpose.
                reading = Reading(caller, clients)
                access = reading.access(Entity(SERVICE, name), search.action, search.resource, search.context)
                accesses[name] = access if name == actor.name else replace(access, client=name)
        found, page, context = yield from _page(call, tx, behind, accesses, len(names) > CALLERS_AT_ONCE)
        return SearchAnswer(page, context, [Named(SERVICE, name) for name in found])

    return unit


def possible(call: Call, search: ActionSearch) -> Unit[ActionSearchAnswer]:
    """The unit that finds what a caller may do with one person's data, in the order of the closed list."""

    def unit(tx: Tx) -> Work[ActionSearchAnswer]:
        configuration, actor = call.configuration, call.principal.actor
        behind = begun(search, actor.id, configuration.policy.version, _key(call))
        reading = Reading(*judged(call.services, configuration, actor))
        left = ACTIONS[ACTIONS.index(behind.name) + 1 :] if behind.name else ACTIONS
        accesses = {
            name: reading.access(search.subject, Action(name), search.resource, search.context) for name in left
        }
        found, page, context = yield from _page(call, tx, behind, accesses, more=False)
        return ActionSearchAnswer(page, context, [NamedAction(name) for name in found])

    return unit


def _page(
    call: Call, tx: Tx, behind: Behind, accesses: dict[str, Access], more: bool
) -> Work[tuple[list[str], PageAnswer, SearchContext]]:
    """The names whose question is answered with yes, up to the page's limit, with one entry for all that were asked.
    `more`: there are names behind these.
    """
    configuration, engine = call.configuration, call.services.engine
    policy, locate = configuration.policy, locator(call.services, configuration)
    answers = yield from engine.evaluate_many(tx, policy, list(accesses.values()), locate, counts=False)
    permitted = [name for name, answer in zip(accesses, answers, strict=True) if answer.decision.allowed]
    found = permitted[: behind.limit]
    if len(found) < len(permitted):
        last, more = found[-1] if found else behind.name, True
    else:
        last = next(reversed(accesses), behind.name)
    token = sealed_token(replace(behind, name=last), _key(call)) if more else ""
    context = SearchContext(policy.version, tx.head.seq, answers[0].entry if answers else "")
    return found, PageAnswer(token, len(found)), context


def _begin(call: Call, search: ResourceSearch) -> Unit[Behind]:
    def unit(_tx: Tx) -> Work[Behind]:
        yield ()
        return begun(search, call.principal.actor.id, call.configuration.policy.version, _key(call))

    return unit


def _walk(call: Call, search: ResourceSearch, mark: Mark, most: int) -> Unit[_Walked]:
    """The unit that looks at the next people. Where the rules alone say no to everybody, the walk is at its end."""

    def unit(tx: Tx) -> Work[_Walked]:
        configuration = call.configuration
        question, _ = _asked(call, configuration, search)
        inquiry = configuration.policy.inquiry(question)
        if inquiry.decide(None, tx.context.at).reason != "no_subject":
            return _Walked([], None)
        met, end = yield from walk(tx, mark, AT_ONCE)
        found, stopped = find(inquiry, met, tx.context.at, most)
        return _Walked(found, stopped or end)

    return unit


def _asked(call: Call, configuration: Configuration, search: ResourceSearch) -> tuple[Question, str]:
    reading = Reading(*judged(call.services, configuration, call.principal.actor))
    return reading.question(search.subject, search.action, search.resource.type, search.context)


def _key(call: Call) -> Key:
    """The key that page tokens are sealed under."""
    return call.services.keyring.standing(call.tenant, TENANT_OWNER)
