"""`AsyncSayso`: the client for programs with an event loop (asyncio). One object for all tasks."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Literal, TypeVar

import httpx

from sayso_client import calls, feed, plans, structs
from sayso_client.decisions import Decision
from sayso_client.errors import SaysoError
from sayso_client.obligations import Handlers
from sayso_client.secret import Bearer, options
from sayso_client.talk import Call, Do, Patience, Pause, Reply, Send, converse, resting

T = TypeVar("T")


class AsyncSayso:
    """Ask before you use, and record what people say.

    `name` is the name of the key: it is you who ask. `handlers` fulfil obligations (`sayso_client.obligations`).
    `timeout` and `decide_within` are seconds for a whole call and for a decision, with all tries; `retries` says how
    often a call is tried again.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        name: str,
        handlers: Handlers | None = None,
        timeout: float = 5.0,
        decide_within: float = 1.0,
        retries: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        auth = Bearer(key)
        # From here on a traceback with local variables does not show it.
        del key
        self._http = httpx.AsyncClient(**options(url, auth, transport=transport))
        self._session = calls.Session(name, handlers)
        self._patience = Patience(timeout, decide_within, retries)

    def __repr__(self) -> str:
        return f"<AsyncSayso at {self._http.base_url.host}>" if hasattr(self, "_http") else "<AsyncSayso>"

    async def __aenter__(self) -> AsyncSayso:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give the connections back. No call works after it."""
        await self._http.aclose()

    async def may(
        self,
        action: str,
        category: str,
        subject: str,
        purpose: str | None = None,
        *,
        channel: str | None = None,
        jurisdiction: str | None = None,
        relation: str | None = None,
        case: str | None = None,
        caller: str | None = None,
    ) -> Decision:
        """May I do that with this data of this person, for that purpose, now? No answer in time is a denial.

        `caller` is another client's name, for a key in the role `pep`.
        """
        return await self.evaluate(
            self.question(
                action,
                category,
                subject,
                purpose,
                channel=channel,
                jurisdiction=jurisdiction,
                relation=relation,
                case=case,
                caller=caller,
            )
        )

    def question(
        self,
        action: str,
        category: str,
        subject: str,
        purpose: str | None = None,
        *,
        channel: str | None = None,
        jurisdiction: str | None = None,
        relation: str | None = None,
        case: str | None = None,
        caller: str | None = None,
    ) -> structs.Evaluation:
        """What `may` asks, in AuthZEN's words: for `evaluate` and `evaluations`."""
        context = structs.RequestContext(purpose, channel, jurisdiction, relation, case)
        return self._session.question(action, category, subject, context, caller)

    async def evaluate(self, question: structs.Evaluation) -> Decision:
        """The same for a question in AuthZEN's words. No answer in time is a denial, with reason `unreachable`.

        Raises `SaysoError` only where the question or the key is wrong, `UnhandledObligation` for a permit that nobody
        here can meet, and whatever a handler raises.
        """
        return await self._run(calls.evaluate(self._session, question))

    async def evaluations(
        self, questions: Sequence[structs.Evaluation], *, semantic: structs.Semantic = "execute_all"
    ) -> list[Decision]:
        """Several questions at once; decisions in their order."""
        return await self._run(calls.evaluations(self._session, questions, semantic))

    @asynccontextmanager
    async def requires(
        self,
        action: str,
        category: str,
        subject: str,
        purpose: str | None = None,
        *,
        channel: str | None = None,
        jurisdiction: str | None = None,
        relation: str | None = None,
        case: str | None = None,
        caller: str | None = None,
    ) -> AsyncIterator[Decision]:
        """`async with say.requires(...) as permit:` — what is inside happens only with a permit.

        Raises `NotPermitted`.
        """
        asked = await self.may(
            action,
            category,
            subject,
            purpose,
            channel=channel,
            jurisdiction=jurisdiction,
            relation=relation,
            case=case,
            caller=caller,
        )
        yield asked.demand()

    async def audience(self, question: structs.AudienceQuestion) -> structs.Audience:
        """Who of these people may be used for that. No answer in time permits nobody, with count `unreachable`."""
        return await self._run(calls.audience(self._session, question))

    async def revoked(self, audience: str, after: str | None = None) -> structs.Revoked:
        """Who of those whom this audience permitted has left; with the last `cursor`, who has left since then."""
        return await self._run(calls.revoked(self._session, audience, after))

    async def plan(
        self,
        action: str,
        category: str,
        purpose: str | None = None,
        *,
        channel: str | None = None,
        jurisdiction: str | None = None,
    ) -> plans.Plan:
        """Of which people the answer is yes. No answer in time is a plan that permits nobody.

        Masks and `Ttl` alone are declared for it; what is done for each person once is not.
        """
        return await self._run(calls.plan(self._session, action, category, purpose, channel, jurisdiction))

    async def resolve(
        self, identifier: structs.Identifier, *, create: bool = False, idempotency_key: str | None = None
    ) -> structs.Resolved:
        """The person behind an identifier. Raises `NotFound` (`no-subject`) for one nobody has, unless `create`."""
        return await self._run(calls.resolve(identifier, create, idempotency_key))

    async def record(self, consent: structs.RecordConsent, *, idempotency_key: str | None = None) -> structs.Recorded:
        """Record choices on a notice. What may not loosen is in `ignored`."""
        return await self._run(calls.record(consent, idempotency_key))

    async def withdraw(
        self,
        subject: str,
        purposes: Sequence[str] | Literal["all"] = "all",
        *,
        method: structs.Method = "api",
        assurance: structs.Assurance = "session",
        occurred_at: str | None = None,
        idempotency_key: str | None = None,
    ) -> structs.Recorded:
        """Withdraw. Once this returns, every question is denied."""
        what = calls.withdrawal(purposes, method, assurance, occurred_at)
        return await self._run(calls.withdraw(subject, what, idempotency_key))

    async def state(
        self, subject: str, *, as_of: str | None = None, known_at: str | None = None
    ) -> structs.SubjectState:
        """Where the person stands; `as_of` and `known_at` are RFC 3339."""
        return await self._run(calls.state(subject, as_of, known_at))

    async def preferences(self, subject: str, *, locale: str | None = None) -> structs.Preferences:
        """What the person told of themselves, as far as this key may know it."""
        return await self._run(calls.preferences(subject, locale))

    async def tell(self, subject: str, what: structs.Tell) -> structs.Preferences:
        """Change preferences. What would loosen what was said more surely is named in `ignored`."""
        return await self._run(calls.tell(subject, what))

    async def relate(self, subject: str, ref: str, relation: structs.Relation) -> structs.RelationState:
        """Record a contract, case or public task under a name of yours."""
        return await self._run(calls.relate(subject, ref, relation))

    async def unrelate(self, subject: str, ref: str) -> structs.RelationState:
        """End it now."""
        return await self._run(calls.unrelate(subject, ref))

    async def store(
        self,
        subject: str,
        collection: str,
        fields: Mapping[str, str],
        *,
        audience: str = "any",
        idempotency_key: str | None = None,
    ) -> structs.StoredRecord:
        """Put values into the vault; a token for each field."""
        return await self._run(calls.store(subject, collection, fields, audience, idempotency_key))

    async def reveal(
        self,
        items: Iterable[str | structs.RevealItem],
        purpose: str,
        reason: str,
        *,
        context: structs.RevealContext | None = None,
        decision: Decision | None = None,
        grant: str | None = None,
        break_glass: structs.BrokenGlass | None = None,
    ) -> list[structs.RevealResult]:
        """Open tokens. Each result has a `value`, or the `code` `unresolvable`. Raises `SaysoError` without an answer.

        `decision` is a permit that was asked for before, so that what it obliges to counts as done. `grant` is what a
        second person approved; `break_glass` says why there is none.
        """
        return await self._run(
            calls.reveal(self._session, items, purpose, reason, context, decision, grant, break_glass)
        )

    async def unused(self, entry: str, subjects: Iterable[str] = ()) -> int:
        """Nothing was sent after all: for how many people the message no longer counts. `entry` is the decision's."""
        return await self._run(calls.unused(entry, subjects))

    async def changes(
        self,
        after: str | None = None,
        *,
        types: Iterable[str] = (),
        purposes: Iterable[str] = (),
        limit: int = 100,
        wait: int = 0,
    ) -> feed.Changes:
        """A page of committed changes. `after`: the last cursor, or `latest`. Raises `Gone` (`cursor-too-old`)."""
        return await self._run(calls.changes(self._session, after, types, purposes, limit, wait))

    async def follow(
        self,
        after: str | None = None,
        *,
        types: Sequence[str] = (),
        purposes: Sequence[str] = (),
        limit: int = 100,
        wait: int = 25,
    ) -> AsyncIterator[feed.Changes]:
        """Page after page, for ever, the empty ones too: keep each page's cursor once you have done what it asks.

        A Sayso that does not answer is asked again, more and more slowly. Raises as `changes` does for all else.
        """
        failed = 0
        while True:
            try:
                page = await self.changes(after, types=types, purposes=purposes, limit=limit, wait=wait)
            except SaysoError as error:
                await asyncio.sleep(resting(error, failed))
                failed += 1
                continue
            failed, after = 0, page.cursor
            yield page

    async def aliases(self, subjects: Iterable[str]) -> dict[str, str]:
        """By which name each of these people appears to this client in `changes`."""
        return await self._run(calls.aliases(subjects))

    async def _run(self, call: Call[T]) -> T:
        talk = converse(call, self._patience, self._session.saw)
        reply: Reply | None = None
        try:
            step = next(talk)
            while True:
                match step:
                    case Send():
                        reply = await self._send(step)
                    case Pause():
                        await asyncio.sleep(step.seconds)
                    case Do():
                        await _done(step)
                step = talk.send(reply)
        except StopIteration as stop:
            answer: T = stop.value
            return answer

    async def _send(self, step: Send) -> Reply | None:
        """What came back within the time."""
        try:
            return await asyncio.wait_for(self._sent(step), step.within)
        except (httpx.RequestError, asyncio.TimeoutError, TimeoutError):
            # Not chained: what the network's library knows of a request is more than a log should.
            return None

    async def _sent(self, step: Send) -> Reply:
        answer = await self._http.request(
            step.method,
            step.path,
            params=step.query or None,
            headers=step.headers,
            content=step.body,
        )
        return Reply(answer.status_code, dict(answer.headers), answer.content)


async def _done(step: Do) -> None:
    done = step.act()
    if inspect.isawaitable(done):
        await done
