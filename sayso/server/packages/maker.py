"""Makes access packages: a job that collects a page at a time, seals it, and in the end joins it to one zip.

Each step is one commit, so a killed worker's package goes on where it stood. What is collected lies under the person's
own key from the first page on; an erasure in between leaves nothing to go on with.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from audit import AuditEvent
from consent import NoSubject
from policies import AccessDenied, Answer, rights_question
from rights import RequestView
from sayso.kernel import (
    DAY,
    LOG,
    Conflict,
    Done,
    Job,
    Key,
    NotFound,
    Permit,
    Try,
    Tx,
    Values,
    Work,
    abreast,
    iso,
    parse_instant,
    raw,
    text,
)
from sayso.server import events
from sayso.server.call import Call
from sayso.server.callers.auth import Principal
from sayso.server.callers.rights_codes import ON_DUTY
from sayso.server.packages import store
from sayso.server.packages.content import FORMAT, Part, Told, encode, part, zipped
from sayso.server.packages.store import PACKAGE, PART, PIECES
from sayso.server.pages.package import ending, history_rows, opening, use_rows
from sayso.server.views.person_data import held_values
from sayso.server.views.person_uses import uses_of

if TYPE_CHECKING:
    from sayso.server.wiring import Services

_TURNED_DOWN: Final = ("denied", "revoked", "expired")
PACKAGED: Final = frozenset({"access", "portability"})
"""Kinds whose answer is a package."""

KEPT: Final = 14 * DAY
PAGE: Final = 200
PIECE: Final = 1 << 20
_COLLECTION: Final = "server_package"
_HOPELESS: Final = 5


class PackageNotReady(Conflict):
    """The package is being made, or could not be."""

    def __init__(self, state: str, share: float) -> None:
        super().__init__("package-not-ready", "The package is not ready.", state=state, progress=share)


class NoPackage(NotFound):
    """No package was made for this request, or its time is over."""

    def __init__(self) -> None:
        super().__init__("no-package", "There is no package for this request, or not any more.")


class PackageState(Struct, frozen=True, omit_defaults=True):
    """How a package stands: `making`, `ready` or `failed`. `progress` is between 0 and 1, in steps and not in time.
    `withheld` are stored values (`collection.field`) that are not in it: they need a second person.
    """

    request: str
    state: str
    progress: float
    expires_at: str = ""
    withheld: tuple[str, ...] = ()


class _Progress(Struct, frozen=True, array_like=True):
    phase: str = "base"
    cursor: str | None = None
    parts: int = 0
    approved: bool = False
    withheld: tuple[str, ...] = ()


class Maker:
    """Packages of all tenants; `job` goes to the kernel's jobs."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self.job = Job("packages", 1.0, self._pending, self._step, rest=1)

    def want(self, tx: Tx, request: RequestView, locale: str, *, approved: bool = False) -> Work[PackageState]:
        """A package is to be made for a verified request; one that is there stays. Raises `NoPackage` for a kind whose
        answer is none or that was turned down, `Conflict` before it is known who asks.

        `approved`: a second person agreed to what is guarded, so it is made anew with that in it.
        """
        if request.kind not in PACKAGED or not request.subject or request.status in _TURNED_DOWN:
            raise NoPackage
        if not request.verified_at:
            raise Conflict("not-verified", "Who asks has not been verified yet.")
        (row,) = yield (tx.get(PACKAGE, raw(request.request)),)
        # What other systems found came after this one was made: it is made anew.
        closed_at = parse_instant(request.closed_at) if request.systems and request.closed_at else 0
        behind = row is not None and closed_at > row[5]
        if row is not None and row[2] != "failed" and not behind and not approved:
            return _state(request.request, row)
        at = tx.context.at
        version, progress = 1 if row is None else row[0] + 1, _Progress(approved=approved)
        first = (version, raw(request.subject, "sub"), "making", locale, msgspec.msgpack.encode(progress), at)
        fresh = (*first, at + KEPT)
        tx.execute(store.all_parts(raw(request.request)))
        tx.put(PACKAGE, (raw(request.request),), fresh, was=row)
        return _state(request.request, fresh)

    def state(self, tx: Tx, request: str) -> Work[PackageState]:
        """How the package of a request stands. Raises `NoPackage`."""
        (row,) = yield (tx.get(PACKAGE, raw(request, "rrq")),)
        if row is None or row[6] <= tx.context.at:
            raise NoPackage
        return _state(request, row)

    def states(self, tx: Tx, requests: list[str]) -> Work[dict[str, str]]:
        """The state of each package that there is."""
        rows = yield tuple(tx.get(PACKAGE, raw(each)) for each in requests)
        at = tx.context.at
        return {each: row[2] for each, row in zip(requests, rows, strict=True) if row is not None and row[6] > at}

    def fetch(self, tx: Tx, request: str) -> Work[bytes | Answer]:
        """The zip, with an entry that it was fetched and by whom; an `Answer` is the rules' refusal. Cold.

        Raises `NoPackage`, `PackageNotReady`.
        """
        raw_id = raw(request, "rrq")
        (row,) = yield (tx.get(PACKAGE, raw_id),)
        if row is None or row[6] <= tx.context.at:
            raise NoPackage
        if row[2] != "ready":
            raise PackageNotReady(row[2], _state(request, row).progress)
        if (yield from self._services.desk.request(tx, request)).status in _TURNED_DOWN:
            raise NoPackage
        subject = bytes(row[1])
        live = self._services.configurations.of(tx.context.tenant)
        action = "read" if tx.context.actor.kind == "person" else "export"
        asked = rights_question(tx.context.actor, subject, action)
        answer = yield from self._services.engine.evaluate(tx, live.policy, asked)
        if answer.permit is None:
            return answer
        key = yield from self._key(tx, subject)
        if key is None:
            raise NoPackage
        (pieces,) = yield (tx.select(store.parts(raw_id, pieces=True)),)
        found = b"".join(key.open(_COLLECTION, f"{request}/{number}", bytes(sealed)) for number, sealed in pieces)
        event = AuditEvent(events.PACKAGE_FETCHED, "ok", {"request": request}, subject)
        self._services.audit.append(tx, event, key)
        return found

    def tidy(self, tx: Tx) -> Work[None]:
        """Forget packages whose time is over. Cold."""
        (rows,) = yield (tx.select(store.ended(tx.context.at)),)
        for (request,) in rows:
            self._drop(tx, bytes(request))

    def forget(self, tx: Tx, subject: bytes) -> Work[None]:
        """Forget the packages of a person. Cold."""
        (rows,) = yield (tx.query(store.OF_PERSON, subject=subject),)
        for (request,) in rows:
            self._drop(tx, bytes(request))

    # the job

    def _pending(self, tx: Tx, _cursor: bytes) -> Work[bool]:
        (rows,) = yield (tx.select(store.making(1)),)
        return bool(rows)

    def _step(self, tx: Tx, attempt: Try) -> Work[Done]:
        (rows,) = yield (tx.select(store.making(1)),)
        if not rows:
            return Done(b"")
        raw_id = bytes(rows[0][0])
        (row,) = yield (tx.get(PACKAGE, raw_id),)
        assert row is not None
        subject, key = bytes(row[1]), (yield from self._key(tx, bytes(row[1])))
        if key is None:
            self._drop(tx, raw_id)
            return Done(b"", 1, more=True)
        if attempt.failures >= _HOPELESS:
            self._put(tx, raw_id, row, "failed", _Progress())
            return Done(b"", 1, more=True)
        progress = msgspec.msgpack.decode(row[4], type=_Progress)
        call = Call(self._services, Principal(tx.context.tenant, ON_DUTY), "job", "rights.package")
        request = text("rrq", raw_id)
        try:
            done, after = yield from self._collect(call, tx, subject, request, row[3], progress)
        except (NoSubject, AccessDenied):
            self._put(tx, raw_id, row, "failed", progress)
            return Done(b"", 1, more=True)
        if done is not None:
            self._insert(tx, raw_id, key, progress.parts, part(done))
            self._put(tx, raw_id, row, "making", replace(after, parts=progress.parts + 1))
        else:
            yield from self._join(tx, raw_id, key, subject, row)
        return Done(b"", 1, share=_share(after), more=True)

    def _collect(
        self, call: Call, tx: Tx, subject: bytes, request: str, locale: str, progress: _Progress
    ) -> Work[tuple[Part | None, _Progress]]:
        """The next part, and where the one after it begins; None when all is there."""
        if progress.phase == "base":
            told = yield from self._base(call, tx, subject, request, approved=progress.approved)
            titles = {
                name: str(each.title.get(locale, each.title.get("en", name)))
                for name, each in call.configuration.purposes.items()
            }
            called = {name: each.called(locale) for name, each in call.configuration.systems.items()}
            return Part(told=msgspec.to_builtins(told), html=opening(locale, told, titles, called)), replace(
                progress, phase="history", withheld=told.withheld
            )
        if progress.phase == "history":
            return (yield from self._history(call, tx, subject, locale, progress))
        if progress.phase == "uses":
            found, older = yield from uses_of(call, tx, subject, locale, progress.cursor, PAGE)
            lines = [replace(each, purpose=str(each.purpose)) for each in found]
            made = Part(
                uses=tuple(msgspec.Raw(encode(each)) for each in lines),
                html=use_rows(locale, lines, first=not progress.cursor),
            )
            return made, replace(progress, phase="uses" if older else "join", cursor=older)
        return None, progress

    def _base(self, call: Call, tx: Tx, subject: bytes, request: str, *, approved: bool) -> Work[Told]:
        registry, live = self._services.registry, call.configuration
        catalogue = live.catalogue
        key = yield from self._key(tx, subject)
        values: dict[str, str] = {}
        withheld: set[str] = set()
        for each in (yield from registry.ids(tx, subject)) or (subject,):
            permit = yield from self._permit(call, tx, each, "export", written=True)
            vault = self._services.vault
            opened = yield from vault.values(tx, live.collections, each, permit, approved=approved)
            values |= {
                f"{name}.{field}": value for name, held in opened.values.items() for field, value in held.items()
            }
            withheld.update(opened.withheld)
        return Told(
            format=FORMAT,
            made_at=iso(tx.context.at),
            controller=live.controller,
            subject=text("sub", subject),
            request=request,
            state=(yield from registry.state(tx, catalogue, subject)),
            preferences=(yield from registry.preferences.read(tx, catalogue, live.questionnaire, subject)),
            identifiers=(yield from registry.identities.identifiers(tx, subject)),
            facts=(yield from registry.facts.read(tx, catalogue, subject)),
            stored=(yield from held_values(call, tx, subject)),
            values=values,
            withheld=tuple(sorted(withheld)),
            requests=(yield from self._services.desk.requests_of(tx, subject)),
            systems=(yield from self._services.desk.tasks.results(tx, request, key)) if key is not None else {},
        )

    def _history(
        self, call: Call, tx: Tx, subject: bytes, locale: str, progress: _Progress
    ) -> Work[tuple[Part, _Progress]]:
        """A page of records, each with its receipt, and with its proof once the log has it."""
        permit = yield from self._permit(call, tx, subject, "read")
        page = yield from self._services.registry.history(tx, subject, permit, cursor=progress.cursor, limit=PAGE)
        receipt = self._services.registry.receipt
        receipts = yield from abreast([receipt(tx, raw(item.record)) for item in page.items])
        proofs = yield from self._services.audit.tlog_proofs(tx, [item.entry for item in page.items])
        files: dict[str, str] = {}
        for item, written in zip(page.items, receipts, strict=True):
            files[f"receipts/{item.record}.jws"] = written
            if item.entry in proofs:
                files[f"receipts/{item.record}.proof.txt"] = proofs[item.entry].decode()
        made = Part(
            history=tuple(msgspec.Raw(encode(each)) for each in page.items),
            html=history_rows(locale, page.items),
            files=files,
        )
        return made, replace(progress, phase="history" if page.next else "uses", cursor=page.next)

    def _join(self, tx: Tx, raw_id: bytes, key: Key, subject: bytes, row: Values) -> Work[None]:
        request = text("rrq", raw_id)
        (rows,) = yield (tx.select(store.parts(raw_id, pieces=False)),)
        parts = [key.open(_COLLECTION, f"{request}/{number}", bytes(sealed)) for number, sealed in rows]
        view = yield from self._services.desk.request(tx, request)
        made = zipped(parts, "", ending(), readable=view.kind == "access")
        tx.execute(store.collected(raw_id))
        for nth, start in enumerate(range(0, len(made), PIECE)):
            self._insert(tx, raw_id, key, PIECES + nth, made[start : start + PIECE])
        event = AuditEvent(events.PACKAGE_MADE, "ok", {"request": request}, subject)
        self._services.audit.append(tx, event, key)
        progress = msgspec.msgpack.decode(row[4], type=_Progress)
        self._put(tx, raw_id, row, "ready", replace(progress, phase="ready"), tx.context.at + KEPT)

    def _permit(self, call: Call, tx: Tx, subject: bytes, action: str, *, written: bool = False) -> Work[Permit]:
        """The officers' shipped rule, on whose ground the program answers for them. Raises `AccessDenied`."""
        access = rights_question(ON_DUTY, subject, action)
        engine, policy = self._services.engine, call.configuration.policy
        ask: Any = engine.evaluate if written else engine.judge
        answer: Answer = yield from ask(tx, policy, access)
        if answer.permit is None:
            raise AccessDenied(answer.reason)
        return answer.permit

    def _key(self, tx: Tx, subject: bytes) -> Work[Key | None]:
        (row,) = yield (self._services.keyring.read(tx, subject),)
        return self._services.keyring.unwrap(tx.context.tenant, subject, LOG, row)

    def _insert(self, tx: Tx, raw_id: bytes, key: Key, number: int, content: bytes) -> None:
        sealed = key.seal(_COLLECTION, f"{text('rrq', raw_id)}/{number}", content)
        tx.insert(PART, raw_id, number, 1, sealed)

    def _put(self, tx: Tx, raw_id: bytes, row: Values, state: str, progress: _Progress, until: int = 0) -> None:
        kept = (row[0] + 1, row[1], state, row[3], msgspec.msgpack.encode(progress), row[5], until or row[6])
        tx.put(PACKAGE, (raw_id,), kept, was=row)

    def _drop(self, tx: Tx, raw_id: bytes) -> None:
        tx.delete(PACKAGE, raw_id)
        tx.execute(store.all_parts(raw_id))


_SHARES: Final = {"base": 0.0, "history": 0.1, "uses": 0.4, "join": 0.9, "ready": 1.0}
_NEXT: Final = dict(zip(_SHARES, [*list(_SHARES.values())[1:], 1.0], strict=True))


def _share(progress: _Progress) -> float:
    """How far a package is. How many pages there are is known at the end: each takes a tenth of what is left."""
    start, end = _SHARES[progress.phase], _NEXT[progress.phase]
    grown = 1 - 0.9**progress.parts if progress.phase in ("history", "uses") else 0.0
    return round(start + (end - start) * grown, 3)


def _state(request: str, row: Values) -> PackageState:
    progress = msgspec.msgpack.decode(row[4], type=_Progress)
    ready = row[2] == "ready"
    until = iso(row[6]) if ready else ""
    return PackageState(request, row[2], _share(progress), until, progress.withheld)
