"""Entries of other systems: what a shop or a CRM did with a person's data, in the same log as what was done here."""

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from audit import AuditEvent, is_external
from sayso.kernel import LOG, Invalid, Tx, Work, nearest, raw
from sayso.server.call import Call
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits

AnyRequest = Request[Any, Any, Any]

MOST: Final = 1_000
LONGEST_DETAIL: Final = 8_192
"""Bytes of an entry's detail, as JSON."""


class ExternalEntry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happened elsewhere. `type` begins with `external.`, as in `external.crm.exported`. `purpose`, `category` and
    `action` are declared names. All that may tell of a person goes into `detail`, which is sealed under the key of
    `subject`, or without one under the brand's; of somebody erased or unknown none of it is kept.
    """

    type: Annotated[str, Meta(max_length=96)]
    outcome: Literal["ok", "permit", "deny", "fail"] = "ok"
    subject: str | None = None
    purpose: str | None = None
    category: str | None = None
    action: str | None = None
    detail: dict[str, Any] = {}


class ExternalEntries(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to a thousand of them, written together or not at all."""

    entries: Annotated[list[ExternalEntry], Meta(min_length=1, max_length=MOST)]


class Written(Struct, frozen=True):
    """The entry, durable when this is answered."""

    entry: str


class AllWritten(Struct, frozen=True):
    """The entries, in the order in which they were sent."""

    entries: list[str]


@post("/v1/audit/entries", opt=admits("recorder", "pep"), operation_id="audit.write", tags=["Audit"])
async def write(request: AnyRequest, call: NamedDependency[Call], data: JSONBody[ExternalEntry]) -> Response[Written]:
    """Write an entry of another system. Its type begins with `external.`."""

    def unit(tx: Tx) -> Work[Written]:
        return Written((yield from _written(call, tx, [data]))[0])

    return answered(await call.create(unit, await request.body()))


@post("/v1/audit/entries/batch", opt=admits("recorder", "pep"), operation_id="audit.write_batch", tags=["Audit"])
async def write_batch(
    request: AnyRequest, call: NamedDependency[Call], data: JSONBody[ExternalEntries]
) -> Response[AllWritten]:
    """Write up to a thousand entries of other systems, all of them or none."""

    def unit(tx: Tx) -> Work[AllWritten]:
        return AllWritten((yield from _written(call, tx, data.entries)))

    return answered(await call.create(unit, await request.body()))


def _written(call: Call, tx: Tx, asked: list[ExternalEntry]) -> Work[list[str]]:
    services, tenant = call.services, tx.context.tenant
    events = [_event(call, each, place) for place, each in enumerate(asked)]
    people = list(dict.fromkeys(event.subject for event in events if event.subject is not None))
    rows = yield tuple(services.keyring.read(tx, person) for person in people)
    keys = {person: services.keyring.unwrap(tenant, person, LOG, row) for person, row in zip(people, rows, strict=True)}
    return [services.audit.append(tx, event, keys.get(event.subject or b"")) for event in events]


def _event(call: Call, asked: ExternalEntry, place: int) -> AuditEvent:
    """What is to be appended. Raises `Invalid` naming the place in the batch."""
    if not is_external(asked.type):
        raise Invalid(
            "not-external",
            "A type here is external.thing.participle, in short lower-case words with underscores.",
            place=place,
        )
    trees = call.configuration.policy.snapshot.trees
    named = (
        ("action", asked.action, trees.actions),
        ("category", asked.category, trees.categories),
        ("purpose", asked.purpose, trees.purposes),
    )
    res = {member: name for member, name, _ in named if name is not None}
    for member, name, tree in named:
        if name is not None and name not in tree:
            hint = nearest(name, tree)
            meant = f" Did you mean {hint}?" if hint else ""
            raise Invalid(
                "unknown-name", f"{member} names nothing that is declared.{meant}", member=member, place=place
            )
    if asked.detail and len(msgspec.json.encode(asked.detail)) > LONGEST_DETAIL:
        raise Invalid("detail-too-long", f"A detail has at most {LONGEST_DETAIL} bytes as JSON.", place=place)
    subject = raw(asked.subject, "sub") if asked.subject is not None else None
    return AuditEvent(asked.type, asked.outcome, res, subject, asked.detail)


handlers: list[BaseRouteHandler] = [write, write_batch]
