"""Whether it is the person who asks: the code that is sent to them, and the code that comes back."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, post
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from consent import Wrong
from rights import RequestView
from sayso.kernel import Invalid, Tx, Work, iso, raw
from sayso.server.answering import told_to
from sayso.server.call import Call
from sayso.server.callers.auth import NotAdmitted
from sayso.server.callers.rights_codes import send_code
from sayso.server.idempotency import Answer
from sayso.server.problems import MEDIA_TYPE, document
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits
from sayso.server.routes.identifiers import CodeWrong

_encode = msgspec.json.Encoder().encode


class CodeWanted(Struct, frozen=True, forbid_unknown_fields=True):
    """In which language the person is written to."""

    locale: Annotated[str, Meta(max_length=35)] = "en"


class CodeOnItsWay(Struct, frozen=True):
    """A code was made. It is sent if there is an address that was known before the request; that is not told here."""

    request: str
    expires_at: str


class Verification(Struct, frozen=True, forbid_unknown_fields=True):
    """How it is known who asks.

    `officer`: on the word of the officer who says so. `code`: the digits that were sent to the person. `document`: an
    agent's power of attorney, with the reference under which it is kept.
    """

    method: Literal["officer", "code", "document"]
    code: Annotated[str, Meta(max_length=40)] = ""
    document: Annotated[str, Meta(max_length=400)] = ""


@post(
    "/v1/rights/requests/{request_id:str}/code",
    opt=admits("officer", "recorder"),
    operation_id="rights.code",
    tags=["Rights"],
    status_code=202,
)
async def send(call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[CodeWanted]) -> Response[Any]:
    """Send a code to a channel that was known before. The answer is the same for people whom nobody knows."""
    call.services.outbox.demand(call.tenant)
    view, sent = await call.alone(lambda tx: call.services.desk.identity.challenge(tx, request_id))
    later = BackgroundTask(send_code, call, view, sent, data.locale)
    return Response(CodeOnItsWay(view.request, iso(sent.expires_at)), status_code=202, background=later)


@post(
    "/v1/rights/requests/{request_id:str}/verify",
    opt=admits("officer", "recorder"),
    operation_id="rights.verify",
    tags=["Rights"],
    status_code=200,
)
async def verify(
    call: NamedDependency[Call], request_id: FromPath[str], data: JSONBody[Verification]
) -> Response[RequestView]:
    """It is known who asks. A recorder may bring the person's code; on their own word officers alone verify."""
    if (data.method == "code") is not bool(data.code) or (data.method == "document") is not bool(data.document):
        raise Invalid("invalid-verification", "A method comes with just what it names: its code or its document.")
    if data.method != "code" and not call.principal.actor.roles & {"officer", "admin"}:
        raise NotAdmitted("role-not-admitted", "On their own word officers alone verify.", admitted=["officer"])
    raw(request_id, "rrq")
    return answered(await call.alone(lambda tx: _verified(call, tx, request_id, data)))


def _verified(call: Call, tx: Tx, request_id: str, data: Verification) -> Work[Answer]:
    desk = call.services.desk
    if data.method == "code":
        done = yield from desk.identity.confirm(tx, request_id, data.code)
    else:
        done = yield from desk.verify(tx, request_id, data.method, data.document)
    if isinstance(done, Wrong):
        # Answered after its count was committed, so it is no raised error.
        return Answer(400, _encode(document(CodeWrong(done.left))), MEDIA_TYPE)
    return Answer(200, _encode(told_to(call, done)))


handlers: list[BaseRouteHandler] = [send, verify]
