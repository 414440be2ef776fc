"""A person's identifiers: listed by type and time, linked with proof, taken away by their handle. Values go in only."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from consent import (
    CodeUnusable,
    Identifier,
    IdentifierState,
    IdentityEvent,
    Lifted,
    Linked,
    Unlinked,
    Wrong,
)
from sayso.kernel import SECOND, Invalid, Tx, Work, iso, now, raw
from sayso.server.call import Call
from sayso.server.callers.auth import NotAdmitted
from sayso.server.callers.link_tokens import LinkTokenRefused, read_link_token
from sayso.server.calls.consents import IdentifierBody
from sayso.server.idempotency import Answer
from sayso.server.mail import Letter
from sayso.server.problems import MEDIA_TYPE, document
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits

AnyRequest = Request[Any, Any, Any]
Code = Annotated[str, Meta(max_length=160)]

CODES_A_MINUTE = 5
"""Codes that may be sent for one person in a minute."""

BY_WORD = frozenset({"recorder", "admin"})
"""Roles whose word alone links an identifier; the others need a proof."""


class ByKey(Struct, frozen=True, forbid_unknown_fields=True, tag="key", tag_field="kind"):
    """The word of the caller, whose role admits it."""


class ByToken(Struct, frozen=True, forbid_unknown_fields=True, tag="token", tag_field="kind"):
    """A link token that a client of the brand signed; it names the identifier itself."""

    token: Annotated[str, Meta(max_length=4096)]


class ByCode(Struct, frozen=True, forbid_unknown_fields=True, tag="code", tag_field="kind"):
    """The digits that were sent to the address, and the challenge that they answer."""

    challenge: Code
    code: Code


class ByLink(Struct, frozen=True, forbid_unknown_fields=True, tag="link", tag_field="kind"):
    """The code of a one-time link of the other person, who is the same one."""

    code: Code


class LinkIdentifier(Struct, frozen=True, forbid_unknown_fields=True):
    """What is linked, and how that is shown to be true. `identifier` goes with the proof `key` alone."""

    identifier: IdentifierBody | None = None
    proof: ByKey | ByToken | ByCode | ByLink = ByKey()


class SendCode(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a code is to be sent, in which language, and what it is for."""

    identifier: IdentifierBody
    use: Annotated[str, Meta(pattern="^(link_identifier|lift_suppression)$")] = "link_identifier"
    locale: Annotated[str, Meta(max_length=35)] = "en"


class CodeSent(Struct, frozen=True):
    """A code is on its way. `challenge` is to be sent back with the digits."""

    challenge: str
    expires_at: str


class LiftSuppression(Struct, frozen=True, forbid_unknown_fields=True):
    """The digits that were sent to the suppressed address, and the challenge that they answer."""

    challenge: Code
    code: Code


class Identifiers(Struct, frozen=True):
    """A person's identifiers, oldest first."""

    subject: str
    identifiers: list[IdentifierState]


class IdentityHistory(Struct, frozen=True):
    """What happened to a person's identifiers, newest first."""

    subject: str
    events: list[IdentityEvent]


class CodeWrong(Invalid):
    """These digits are not the ones; `left` tries remain."""

    def __init__(self, left: int) -> None:
        super().__init__("code-wrong", "This is not the code that was sent.", left=left)


class NoChannel(Invalid):
    """Sayso can write to e-mail addresses alone."""

    def __init__(self) -> None:
        super().__init__("no-channel", "A code can be sent to an e-mail address only.")


@get(
    "/v1/subjects/{subject:str}/identifiers",
    opt=admits("recorder", "officer", "auditor"),
    operation_id="subjects.identifiers",
    tags=["People"],
)
async def listed(call: NamedDependency[Call], subject: FromPath[str]) -> Identifiers:
    """Types and times of the person's identifiers. Their values are not kept and cannot be told."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[Identifiers]:
        return Identifiers(subject, (yield from call.services.registry.identities.identifiers(tx, person)))

    return await call.look(unit)


@get(
    "/v1/subjects/{subject:str}/identifiers/history",
    opt=admits("officer", "auditor"),
    operation_id="subjects.identifiers.history",
    tags=["People"],
)
async def history(call: NamedDependency[Call], subject: FromPath[str]) -> IdentityHistory:
    """Every link, merge and split, each with its entry in the log."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[IdentityHistory]:
        return IdentityHistory(subject, (yield from call.services.registry.identities.history(tx, person)))

    return await call.look(unit)


@post(
    "/v1/subjects/{subject:str}/identifiers",
    opt=admits("recorder", "vault_writer", "pep"),
    operation_id="subjects.identifiers.link",
    tags=["People"],
)
async def link(
    request: AnyRequest, call: NamedDependency[Call], subject: FromPath[str], data: JSONBody[LinkIdentifier]
) -> Response[Linked]:
    """One more identifier leads to this person. If it led to somebody, both are one person from now on.

    `purposes` then tells for each purpose where either stood, by which rule they were joined, and what holds.
    """
    person, proof = raw(subject, "sub"), data.proof
    if isinstance(proof, ByKey) != (data.identifier is not None):
        raise Invalid(
            "invalid-proof", "An identifier is named with the proof 'key', and by the other proofs themselves."
        )
    if isinstance(proof, ByKey) and not call.principal.actor.roles & BY_WORD:
        raise NotAdmitted("role-not-admitted", "This caller's word alone links nothing.", admitted=sorted(BY_WORD))

    def unit(tx: Tx) -> Work[Linked | Answer]:
        services, catalogue = call.services, call.configuration.catalogue
        identities = services.registry.identities
        if isinstance(proof, ByKey):
            assert data.identifier is not None
            return (yield from identities.link(tx, catalogue, person, data.identifier.named()))
        if isinstance(proof, ByToken):
            claims = read_link_token(proof.token, call.configuration.clients, tx.context.tenant, tx.context.at)
            if claims.sub != subject:
                raise LinkTokenRefused
            nonce = f"{claims.iss}\0{claims.jti}"
            yield from services.registry.codes.spend_token(tx, "link_token", nonce, person, claims.exp * SECOND)
            named = Identifier(claims.identifier.type, claims.identifier.value)
            return (yield from identities.link(tx, catalogue, person, named, "token"))
        if isinstance(proof, ByCode):
            done = yield from identities.link_by_code(tx, catalogue, person, proof.challenge, proof.code)
            return _wrong(done) if isinstance(done, Wrong) else done
        other, _ = yield from services.registry.redeem_link(tx, _of_brand(proof.code, tx.context.tenant))
        return (yield from identities.link_person(tx, catalogue, person, other))

    body = subject.encode() + b"\0" + await request.body()
    return answered(await call.create(unit, body))


@post(
    "/v1/subjects/{subject:str}/identifiers/codes",
    opt=admits("recorder", "vault_writer", "pep"),
    operation_id="subjects.identifiers.code",
    tags=["People"],
    status_code=202,
)
async def send_code(
    request: AnyRequest, call: NamedDependency[Call], subject: FromPath[str], data: JSONBody[SendCode]
) -> Response[CodeSent]:
    """Send a code to an address: whoever types it in shows that the address is theirs."""
    person, services = raw(subject, "sub"), call.services
    identifier = data.identifier.named()
    services.limiter.take(f"code {call.tenant} {subject}", CODES_A_MINUTE, now())

    def unit(tx: Tx) -> Work[CodeSent]:
        if call.configuration.kinds.place(identifier.type)[0] != "email":
            raise NoChannel
        use: Any = data.use
        issued = yield from services.registry.identities.send_code(tx, use, person, identifier)
        minutes = (issued.expires_at - tx.context.at) // (60 * SECOND)
        letter = Letter("code", identifier.value.strip(), data.locale, {"code": issued.code, "minutes": str(minutes)})
        yield from services.outbox.post(tx, person, letter, issued.expires_at)
        return CodeSent(issued.challenge, iso(issued.expires_at))

    body = subject.encode() + b"\0" + await request.body()
    return answered(await call.create(unit, body, status=202))


@post(
    "/v1/subjects/{subject:str}/suppression/lift",
    opt=admits("recorder", "vault_writer", "pep"),
    operation_id="subjects.lift",
    tags=["People"],
    status_code=200,
)
async def lift(
    request: AnyRequest, call: NamedDependency[Call], subject: FromPath[str], data: JSONBody[LiftSuppression]
) -> Response[Lifted]:
    """Somebody who was erased and came back says so with a code: from now on their choices count again."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[Lifted | Answer]:
        done = yield from call.services.registry.identities.lift_by_code(tx, person, data.challenge, data.code)
        return _wrong(done) if isinstance(done, Wrong) else done

    body = subject.encode() + b"\0" + await request.body()
    return answered(await call.create(unit, body, status=200, alone=True))


@delete(
    "/v1/subjects/{subject:str}/identifiers/{identifier:str}",
    opt=admits("recorder", "officer"),
    operation_id="subjects.identifiers.unlink",
    tags=["People"],
    status_code=200,
)
async def unlink(call: NamedDependency[Call], subject: FromPath[str], identifier: FromPath[str]) -> Unlinked:
    """Take an identifier (its handle) from the person. If it came by a merge, the merge is undone."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[Unlinked]:
        return call.services.registry.unlinking.unlink(tx, call.configuration.catalogue, person, identifier)

    return await call.alone(unit)


def _wrong(tried: Wrong) -> Answer:
    """A wrong try is answered after its count was committed, so it is no raised error."""
    return Answer(400, msgspec.json.encode(document(CodeWrong(tried.left))), MEDIA_TYPE)


def _of_brand(code: str, tenant: str) -> str:
    """The code of a link as it was handed out, or as it stands in the address: the brand and a dot in front."""
    brand, _, rest = code.rpartition(".")
    if brand not in ("", tenant):
        raise CodeUnusable
    return rest


handlers: list[BaseRouteHandler] = [listed, history, link, send_code, lift, unlink]
