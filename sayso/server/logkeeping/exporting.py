"""Ordering an export and handing it out: what the filter means here, what its reader may see, and which entries say so.

An auditor sees who acted, an officer also what lies sealed under the brand's own key. What lies under a person's key is
opened only in an export about that person, after a permit to export it for purpose `dsar`, asked anew each time.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from audit import (
    FETCHED,
    MAIN,
    ORDERED,
    AuditEvent,
    Chosen,
    Content,
    Export,
    LogHead,
    LogNotFound,
    LogPlace,
    Opener,
    Order,
    Selection,
    VerifierKey,
    declared,
    fits,
    print_trust,
)
from policies import AccessDenied, Answer, rights_question
from sayso.kernel import LOG, Denied, Invalid, Key, Tx, Work, iso, nearest, new_raw, parse_instant, raw
from sayso.server import store
from sayso.server.call import Call

T = TypeVar("T")
C = TypeVar("C", bound=Content)

OFFICERS: Final = frozenset({"officer", "admin", "operator"})
_KEY_USES: Final = ("receipt", "certificate")


class Filter(Struct, frozen=True, omit_defaults=True):
    """Which entries: names or prefixes such as `consent.*`, a client by name or `key_…`, a person, an outcome, times
    (RFC 3339; `since` included, `until` not). `noticed_at` is when the laws' clocks of a blast radius began.
    """

    type: str | None = None
    outcome: Literal["ok", "permit", "deny", "fail"] | None = None
    actor: str | None = None
    subject: str | None = None
    purpose: str | None = None
    category: str | None = None
    since: str | None = None
    until: str | None = None
    log: str = ""
    noticed_at: str | None = None


class Reading(Struct, frozen=True):
    """A finished export with the heads that it stands under, and what its reader may open of it."""

    export: Export
    heads: list[LogHead]
    keys: Mapping[bytes, Key | None]


def is_officer(call: Call) -> bool:
    """Whether ids of people may be shown to the caller."""
    return bool(call.principal.actor.roles & OFFICERS)


def selection_of(call: Call, asked: Filter, people: Sequence[bytes], types: tuple[str, ...] = ()) -> Selection:
    """What a filter means in this brand. Raises `Invalid` on a name that is not declared, with the nearest."""
    trees = call.configuration.policy.snapshot.trees
    if not (asked.type or "").startswith("external."):
        # What other systems call their own is declared nowhere.
        _demand("type", asked.type, declared())
    _demand("purpose", asked.purpose, trees.purposes)
    _demand("category", asked.category, trees.categories)
    return Selection(
        log=asked.log,
        type=asked.type,
        outcome=asked.outcome,
        actor=_actor(call, asked.actor) if asked.actor else None,
        subjects=tuple(people),
        purpose=asked.purpose,
        category=asked.category,
        since=parse_instant(asked.since) if asked.since else None,
        until=parse_instant(asked.until) if asked.until else None,
        types=types,
    )


def permitted_people(call: Call, tx: Tx, subject: str | None, action: str) -> Work[tuple[bytes, ...] | Answer]:
    """The ids a person goes by, after a permit; the refusal without one. Nobody is asked for: no ids.

    Raises `Denied` for callers who may not look at single people.
    """
    if subject is None:
        return ()
    if not is_officer(call):
        raise Denied("role-not-admitted", "Entries about one person are for officers.", admitted=["admin", "officer"])
    person = raw(subject, "sub")
    question = rights_question(tx.context.actor, person, action)
    answer = yield from call.services.engine.evaluate(tx, call.configuration.policy, question)
    if answer.permit is None:
        return answer
    return (yield from call.services.registry.ids(tx, person)) or (person,)


def order(
    call: Call, tx: Tx, what: str, form: str, asked: Filter, people: Sequence[bytes], locale: str = "en"
) -> Work[str]:
    """Take an order: a row and its entry in one commit; returns the export's id. `people` were permitted before."""
    exports = call.services.exports
    keys = yield from _keys(call, tx, people)
    told = {name: str(value) for name, value in msgspec.to_builtins(asked).items()}
    # The entry has its id before the export: the order names it, so that a bundle can say which entry announced it.
    person = people[0] if people else None
    event = AuditEvent(ORDERED, "ok", {"what": what, "format": form}, person, {"filter": told})
    # About one person it lies under that person's key, and stands among their entries.
    entry = call.services.audit.append(tx, event, keys.get(people[0]) if people else None)
    types = exports.reports[what].types
    wanted = Order(
        what=what,
        format=form,
        selection=selection_of(call, asked, people, types),
        by=tx.context.actor.id,
        entry=entry,
        people=is_officer(call),
        told=told,
        locale=locale,
        logs=(yield from _logs(call, tx, asked, types)),
    )
    return exports.order(tx, wanted)


def _logs(call: Call, tx: Tx, asked: Filter, types: tuple[str, ...]) -> Work[tuple[str, ...]]:
    """The logs that may hold what is asked for, or the one that is named. Raises `LogNotFound`."""
    if asked.log:
        if asked.log not in [each.name for each in (yield from call.services.audit.logs(tx))]:
            raise LogNotFound
        return (asked.log,)
    kinds = [each for each in declared() if fits(asked.type, each) and (not types or each in types)]
    since = parse_instant(asked.since) if asked.since else 0
    external = not types and (asked.type is None or asked.type.startswith("external."))
    found = yield from call.services.audit.holding(tx, kinds, since, external=external)
    return tuple(found) or (MAIN,)


def fetch(call: Call, tx: Tx, export: str, form: str = "") -> Work[Reading | Answer]:
    """What a reader may take with them, as ordered or in `form`. The entry that says so is durable before a byte is."""
    services = call.services
    found = yield from services.exports.finished(tx, export)
    people = yield from permitted_people(call, tx, found.order.told.get("subject"), "export")
    if isinstance(people, Answer):
        return people
    keys = yield from _keys(call, tx, people)
    officer = is_officer(call)
    parts = ("ads" if people else "ad") if officer else "a"
    seen = replace(found, order=replace(found.order, parts=parts, people=officer))
    res = {
        "export": found.id,
        "what": found.order.what,
        "format": form or found.order.format,
        "size": str(found.size),
        "entries": str(found.hits),
    }
    person = people[0] if people else None
    services.audit.append(tx, AuditEvent(FETCHED, "ok", res, person), keys.get(people[0]) if people else None)
    return Reading(seen, (yield from services.exports.heads(tx, found)), keys)


async def content(call: Call, reading: Reading) -> Content:
    """The export, ready to be written out."""
    export = reading.export
    policies = await call.look(lambda tx: _policies(tx, export)) if export.order.format == "bundle" else {}
    return await _content(Content, call, reading, policies)


async def chosen(
    call: Call, order: Order, heads: list[LogHead], places: Sequence[LogPlace], keys: Mapping[bytes, Key | None]
) -> Chosen:
    """A bundle of entries that were chosen at once, under these heads, ready to be written out."""
    at, size, hits = call.context.at, sum(head.size for head in heads), len(places)
    made = Export(new_raw(), 0, "done", order, size, b"", b"", hits, 0, "", at, at)
    found = await _content(Chosen, call, Reading(made, heads, keys), {})
    found.places = places
    return found


async def _content(kind: type[C], call: Call, reading: Reading, policies: dict[str, bytes]) -> C:
    services, export, heads = call.services, reading.export, reading.heads
    vkeys = await call.look(lambda tx: _vkeys(call, tx, heads))
    known = await call.look(services.audit.keys)
    signers = [public for use in _KEY_USES for _, public in services.keyring.published(call.tenant, use)]
    return kind(
        services.database,
        call.context,
        services.exports,
        export,
        lambda: Opener(services.keyring, call.tenant, export.order.parts, reading.keys),
        services.keyring,
        heads,
        vkeys,
        trust=print_trust(known, signers),
        policies=policies,
    )


def _vkeys(call: Call, tx: Tx, heads: Sequence[LogHead]) -> Work[dict[str, VerifierKey]]:
    """The key that each head was signed with."""
    found = {}
    for head in heads:
        found[head.log] = yield from call.services.audit.vkey_of(tx, head.note, head.log)
    return found


def demand_permit(found: T | Answer) -> T:
    """What was permitted. Raises `AccessDenied` for a refusal, which is an entry by now."""
    if isinstance(found, Answer):
        raise AccessDenied(found.reason)
    return found


def _keys(call: Call, tx: Tx, people: Sequence[bytes]) -> Work[dict[bytes, Key | None]]:
    keyring = call.services.keyring
    rows = yield tuple(keyring.read(tx, each) for each in people)
    return {each: keyring.unwrap(call.tenant, each, LOG, row) for each, row in zip(people, rows, strict=True)}


def _policies(tx: Tx, export: Export) -> Work[dict[str, bytes]]:
    """The manifests that were live in the export's time, rules and all."""
    selection = export.order.selection
    (rows,) = yield (tx.select(store.manifests_until(min(selection.until or export.made_at, export.made_at))),)
    found: dict[str, bytes] = {}
    for version, hashed, held, at in rows:
        whole = {"applied_at": iso(at), "hash": hashed, "manifest": msgspec.Raw(held), "version": version}
        found[f"manifest-{version:06d}.json"] = msgspec.json.encode(whole, order="deterministic")
        if at <= (selection.since or 0):
            break
    return found


def _actor(call: Call, name: str) -> bytes:
    """The owner of a client's entries, by name or id; clients of the past only by id. Raises `Invalid`."""
    registered = call.configuration.registered
    known = registered.get(name)
    if known is None and not name.startswith("key_"):
        hint = nearest(name, registered)
        raise Invalid(
            "unknown-client", "No client of this name is registered." + (f" Did you mean {hint}?" if hint else "")
        )
    return call.services.audit.owner_of(call.tenant, known.id if known is not None else name)


def _demand(member: str, name: str | None, known: Collection[str]) -> None:
    if name is None:
        return
    stem = name.removesuffix(".*")
    if stem in known or (stem != name and any(each.startswith(f"{stem}.") for each in known)):
        return
    hint = nearest(stem, known)
    meant = f" Did you mean {hint}?" if hint else ""
    raise Invalid("unknown-name", f"{member} names nothing that is declared.{meant}", member=member)
