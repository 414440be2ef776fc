"""Audiences: who of many may be used. As JSON for thousands, as sorted numbers or a kept list for a million."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import Meta, Struct

from policies import (
    AIDS_MEDIA_TYPE,
    USUAL_TERM,
    WORTH_COLUMNS,
    Aids,
    AudienceAnswer,
    KeptList,
    people_named,
    read_aids,
    sorted_aids,
)
from policies import write_aids as written
from sayso.kernel import Invalid, Work, from_datetime, iso, seq_of
from sayso.kernel import Tx as _Tx
from sayso.server import audience_cursors as cursors
from sayso.server.call import Call
from sayso.server.calls import audiences as calls
from sayso.server.calls.audiences import MOST_NAMED, Audience, AudienceQuestion, AudienceTerms, Revoked
from sayso.server.calls.decisions import ASKERS
from sayso.server.limits import body_too_large
from sayso.server.routes.bodies import UnsupportedMediaType, decoder, documented
from sayso.server.routes.gate import admits

BODY_LIMIT: Final = 48 << 20
"""Bytes of a body that names people: a million ids as JSON."""

NDJSON: Final = "application/x-ndjson"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_JSON: Final = "application/json"

Term = Annotated[str | None, QueryParameter(max_length=128)]


class KeptPeople(Struct, frozen=True, forbid_unknown_fields=True):
    """People to be kept under a name, until an instant; 30 days by default."""

    subjects: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST_NAMED)]
    kept_until: datetime | None = None


class KeptAudience(Struct, frozen=True):
    """A kept list: how many people are in it, who keeps it, until when."""

    name: str
    count: int
    client: str
    created: str
    kept_until: str


class KeptAudiences(Struct, frozen=True):
    """The kept lists, by name."""

    audiences: tuple[KeptAudience, ...]


_question = decoder(AudienceQuestion).decode
_kept_people = decoder(KeptPeople).decode


@post(
    "/v1/audiences/filter",
    opt=admits(*ASKERS) | documented(AudienceQuestion),
    operation_id="audiences.filter",
    tags=["Decisions"],
    status_code=200,
    request_max_body_size=None,
)
async def filter_audience(
    request: Request[Any, Any, Any],
    call: NamedDependency[Call],
    purpose: Term = None,
    action: Term = None,
    category: Term = None,
    channel: Term = None,
    jurisdiction: Term = None,
    supported_obligations: Annotated[list[str] | None, QueryParameter()] = None,
) -> Response[Audience]:
    """Who of these people this caller may use for that, now. The answer ages: it carries `valid_until`.

    With a body of sorted numbers (`application/vnd.sayso.aids`) the question stands in the query, and the answer is
    sorted numbers with the rest in headers; with `Accept: application/json` it is that rest alone.
    """
    kind = _kind(request)
    body = await _body(request)
    if kind == _JSON:
        return Response(await calls.filter_named(call, _question(body)))
    terms = _terms(purpose, action, category, channel, jurisdiction, supported_obligations)
    return _answered(request, await calls.filter_aids(call, terms, read_aids(body)))


@post(
    "/v1/audiences/{audience:str}/filter",
    opt=admits(*ASKERS),
    operation_id="audiences.filter_kept",
    tags=["Decisions"],
    status_code=200,
)
async def filter_kept(
    request: Request[Any, Any, Any],
    call: NamedDependency[Call],
    audience: FromPath[str],
    data: JSONBody[AudienceTerms],
) -> Response[Audience]:
    """The same of a kept list, or of those whom an earlier answer permitted (`aud_…`), without sending them.

    The answer is counts alone, or with `Accept: application/vnd.sayso.aids` sorted numbers.
    """
    answer = await calls.filter_aids(call, data, await calls.aids_of(call, audience))
    return _answered(request, answer, usually=_JSON)


@get(
    "/v1/audiences/{audience:str}/revoked",
    opt=admits(*ASKERS),
    operation_id="audiences.revoked",
    tags=["Decisions"],
)
async def revoked(
    request: Request[Any, Any, Any],
    call: NamedDependency[Call],
    audience: FromPath[str],
    after: Annotated[
        str | None,
        QueryParameter(max_length=128, description="The cursor of the answer before: who left since. Without: all."),
    ] = None,
) -> Response[Revoked]:
    """Who was permitted by this answer and is no longer: withdrawn, erased, restricted, at rest or no more allowed.

    Somebody may be named twice and nobody is left out. With `Accept: application/vnd.sayso.aids` sorted numbers.
    """
    aids, told, refiltered = await calls.revoked(call, audience, after)
    cursor = cursors.written(call.services.keyring, call.tenant, told)
    seq = seq_of(told.position)
    if _accepted(request, _JSON) == AIDS_MEDIA_TYPE:
        headers = {
            "sayso-cursor": cursor,
            "sayso-refiltered": str(refiltered).lower(),
            "sayso-registry-seq": seq,
        }
        return _binary(aids, headers)
    subjects, gone = await calls.named_of(call, aids)
    return Response(Revoked(audience, subjects, gone, cursor, refiltered, seq))


@post(
    "/v1/audiences/contactable",
    opt=admits(*ASKERS),
    operation_id="audiences.contactable",
    tags=["Decisions"],
    media_type=NDJSON,
    status_code=200,
)
async def contactable(call: NamedDependency[Call], data: JSONBody[AudienceTerms]) -> Stream:
    """Everybody who is permitted now, a line of JSON each, and a last line with `end`: without it the stream is cut.

    It permits what it names: a message is counted towards limits as in any other answer.
    """
    lines = calls.contactable(call, data)
    # The first part is decided before the answer begins, so that an error is still one.
    first = await anext(lines)
    return Stream(_after(first, lines), media_type=NDJSON)


@put(
    "/v1/audiences/{name:str}",
    opt=admits(*ASKERS) | documented(KeptPeople),
    operation_id="audiences.keep",
    tags=["Decisions"],
    status_code=200,
    request_max_body_size=None,
)
async def keep(
    request: Request[Any, Any, Any],
    call: NamedDependency[Call],
    name: FromPath[str],
    kept_until: Annotated[datetime | None, QueryParameter(description="With a body of sorted numbers.")] = None,
) -> KeptAudience:
    """Keep a list of people under a name, to ask about it again. A list of that name is replaced; nothing is decided.

    People of whom nothing is known here are left out of a JSON list.
    """
    if not _NAME.fullmatch(name) or name.startswith("aud_"):
        raise Invalid("invalid-name", "A name is up to 64 of a-z, 0-9, '.', '_' and '-', and no id of an answer.")
    body, until = await _body(request), kept_until
    if _kind(request, body) == _JSON:
        people = _kept_people(body)
        numbers = await call.services.crowds.numbers(
            call.context, call.configuration.policy, people_named(people.subjects)
        )
        aids, until = sorted_aids(numbers[numbers > 0].tolist()), people.kept_until
    else:
        aids = read_aids(body)
    if len(aids) >= WORTH_COLUMNS:
        # It will be asked about: what answers for so many is made meanwhile.
        call.services.crowds.prepare(call.tenant, call.configuration.policy)
    ends = from_datetime(until) if until is not None else call.context.at + USUAL_TERM

    def unit(tx: _Tx) -> Work[KeptList]:
        return (yield from call.services.kept.keep(tx, name, aids, ends))

    return _view(await call.alone(unit))


@get("/v1/audiences", opt=admits(*ASKERS), operation_id="audiences.list", tags=["Decisions"])
async def kept_lists(call: NamedDependency[Call]) -> KeptAudiences:
    """The caller's kept lists; an officer sees those of all clients."""
    actor, any_owner = call.principal.actor, calls.oversees(call.principal)
    found = await call.look(lambda tx: call.services.kept.all(tx, actor, any_owner=any_owner))
    return KeptAudiences(tuple(_view(each) for each in found))


@get("/v1/audiences/{name:str}", opt=admits(*ASKERS), operation_id="audiences.kept", tags=["Decisions"])
async def kept_list(call: NamedDependency[Call], name: FromPath[str]) -> KeptAudience:
    """One kept list. Who is in it is not told."""
    actor, any_owner = call.principal.actor, calls.oversees(call.principal)
    return _view(await call.look(lambda tx: call.services.kept.find(tx, name, actor, any_owner=any_owner)))


@delete("/v1/audiences/{name:str}", opt=admits(*ASKERS), operation_id="audiences.drop", tags=["Decisions"])
async def drop(call: NamedDependency[Call], name: FromPath[str]) -> None:
    """The list is kept no longer."""
    actor, any_owner = call.principal.actor, calls.oversees(call.principal)
    await call.alone(lambda tx: call.services.kept.drop(tx, name, actor, any_owner=any_owner))
    await call.services.database.tidy()


def _view(found: KeptList) -> KeptAudience:
    kept = found.kept
    return KeptAudience(found.name, kept.count, kept.client, iso(kept.created), iso(found.until))


def _terms(
    purpose: str | None,
    action: str | None,
    category: str | None,
    channel: str | None,
    jurisdiction: str | None,
    supported: list[str] | None,
) -> AudienceTerms:
    if action is None or category is None:
        raise Invalid("question-missing", "The query names the question: action, category, purpose and more.")
    return AudienceTerms(
        purpose=purpose or "",
        action=action,
        category=category,
        channel=channel,
        jurisdiction=jurisdiction,
        supported_obligations=tuple(supported or ()),
    )


def _kind(request: Request[Any, Any, Any], body: bytes | None = None) -> str:
    """What the body says that it is. Raises `UnsupportedMediaType` for anything but the two forms."""
    kind: str = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if kind not in (_JSON, AIDS_MEDIA_TYPE):
        raise UnsupportedMediaType("unsupported-media-type", f"A body here is {_JSON} or {AIDS_MEDIA_TYPE}.")
    return kind


async def _body(request: Request[Any, Any, Any]) -> bytes:
    """The whole body. Raises `TooLarge` before more than the limit is held."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > BODY_LIMIT:
        raise body_too_large(BODY_LIMIT)
    parts: list[bytes] = []
    held = 0
    async for part in request.stream():
        held += len(part)
        if held > BODY_LIMIT:
            raise body_too_large(BODY_LIMIT)
        parts.append(part)
    return b"".join(parts)


def _accepted(request: Request[Any, Any, Any], usually: str) -> str:
    """Which of the two forms the caller wants."""
    return request.accept.best_match([usually, *({_JSON, AIDS_MEDIA_TYPE} - {usually})], usually) or usually


def _answered(request: Request[Any, Any, Any], answer: AudienceAnswer, usually: str = AIDS_MEDIA_TYPE) -> Response[Any]:
    if _accepted(request, usually) == _JSON:
        return Response(calls.summary(answer))
    return _binary(answer.permitted, calls.headers(answer))


def _binary(aids: Aids, headers: dict[str, str]) -> Response[Any]:
    return Response(written(aids), headers=headers, media_type=AIDS_MEDIA_TYPE)


async def _after(first: bytes, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for line in lines:
        yield line


handlers: list[BaseRouteHandler] = [
    filter_audience,
    filter_kept,
    revoked,
    contactable,
    keep,
    kept_lists,
    kept_list,
    drop,
]
