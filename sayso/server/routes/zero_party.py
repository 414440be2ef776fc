"""Preferences that people volunteer: told by services, read by services, and how they came to be."""

import re
from typing import Annotated, Any, NoReturn

from litestar import Request, Response, get, put
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter
from msgspec import Meta, Struct
from msgspec.structs import replace

from consent import (
    Assurance,
    ChangePage,
    NoSubject,
    Preferences,
    Telling,
    asked_in,
)
from policies import AccessDenied, Answer, rights_question
from sayso.kernel import Invalid, Tx, Work, parse_instant, raw
from sayso.server.call import Call
from sayso.server.callers.auth import POLICY, NotAdmitted
from sayso.server.calls.consents import Method, Name
from sayso.server.routes.gate import admits

KEEPERS = frozenset({"recorder", "officer", "admin"})
"""Roles that keep a person's answers. All others may only use them, where the purpose of an answer stands."""

READERS = frozenset({"officer", "admin"})
"""Roles that are given sensitive answers, each time with a permit and its entry."""

_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
_ETAG = re.compile(r'"(0|[1-9][0-9]{0,17})"')


class Tell(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Answers by name; null takes one back; those not named stay. `version` (or If-Match) is what this was made on.

    `source` says where an import comes from. `occurred_at` (RFC 3339) is a claim: it can make an answer lose.
    """

    values: dict[Name, Any]
    version: Annotated[int, Meta(ge=0)] | None = None
    method: Method = "api"
    assurance: Assurance = "session"
    source: str = ""
    occurred_at: str | None = None


@get(
    "/v1/subjects/{subject:str}/preferences",
    opt=admits("recorder", "officer", "pep", POLICY),
    operation_id="subjects.preferences",
    tags=["People"],
)
async def read(
    call: NamedDependency[Call],
    subject: FromPath[str],
    locale: Annotated[
        str | None, QueryParameter(description="BCP 47: also what is asked, with its texts in this language.")
    ] = None,
    sensitive: Annotated[
        bool, QueryParameter(description="Sensitive answers too: for officers, with a permit and its entry.")
    ] = False,
) -> Response[Preferences]:
    """What the person told, with where each answer comes from. Callers that only use answers are given those alone
    whose purpose stands with this person.
    """
    person = raw(subject, "sub")
    if locale is not None and not _LOCALE.fullmatch(locale):
        raise Invalid("invalid-locale", "A language is a tag such as en or zh-CN (BCP 47).")
    found = await (_opened(call, person) if sensitive else call.look(lambda tx: _told(call, tx, person)))
    if locale is not None:
        configuration = call.configuration
        found = replace(found, asked=asked_in(configuration.questionnaire, configuration.catalogue, locale))
    return _tagged(found)


@put(
    "/v1/subjects/{subject:str}/preferences",
    opt=admits("recorder"),
    operation_id="subjects.prefer",
    tags=["People"],
)
async def tell(
    request: Request[Any, Any, Any],
    call: NamedDependency[Call],
    subject: FromPath[str],
    data: JSONBody[Tell],
    if_match: Annotated[
        str | None, HeaderParameter(name="If-Match", description="The ETag of what this change was made on.")
    ] = None,
) -> Response[Preferences]:
    """Change some preferences. What would loosen what was said more surely is recorded and named in `ignored`."""
    person = raw(subject, "sub")
    telling = Telling(
        values=data.values,
        method=data.method,
        assurance=data.assurance,
        version=_version(data.version, if_match),
        source=data.source,
        occurred_at=parse_instant(data.occurred_at) if data.occurred_at is not None else None,
    )

    def unit(tx: Tx) -> Work[Preferences]:
        asked = call.configuration.questionnaire
        return (yield from call.services.registry.preferences.change(tx, asked, person, telling))

    return _tagged(await call.run(unit))


@get(
    "/v1/subjects/{subject:str}/preferences/history",
    opt=admits("officer"),
    operation_id="subjects.preference-history",
    tags=["People"],
)
async def history(
    call: NamedDependency[Call],
    subject: FromPath[str],
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> ChangePage:
    """Every change of the person's preferences, newest first. Needs a permit for `dsar`, which is an entry."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[ChangePage | Answer]:
        answer = yield from _asked(call, tx, person)
        if answer.permit is None:
            return answer
        book = call.services.registry.preferences
        return (yield from book.history(tx, person, answer.permit, cursor=cursor, limit=limit))

    page = await call.alone(unit)
    if isinstance(page, Answer):
        _refuse(page)
    return page


def _told(call: Call, tx: Tx, person: bytes) -> Work[Preferences]:
    configuration = call.configuration
    only_live = not call.principal.actor.roles & KEEPERS
    book = call.services.registry.preferences
    return (yield from book.read(tx, configuration.catalogue, configuration.questionnaire, person, only_live=only_live))


async def _opened(call: Call, person: bytes) -> Preferences:
    """Sensitive answers too, after a permit to read them; its refusal is an entry as well."""
    if not call.principal.actor.roles & READERS:
        raise NotAdmitted(
            "role-not-admitted", "None of this caller's roles is given sensitive answers.", admitted=sorted(READERS)
        )

    def unit(tx: Tx) -> Work[Preferences | Answer]:
        answer = yield from _asked(call, tx, person)
        if answer.permit is None:
            return answer
        configuration, book = call.configuration, call.services.registry.preferences
        return (yield from book.read(tx, configuration.catalogue, configuration.questionnaire, person, answer.permit))

    found = await call.alone(unit)
    if isinstance(found, Answer):
        _refuse(found)
    return found


def _asked(call: Call, tx: Tx, person: bytes) -> Work[Answer]:
    ask = rights_question(tx.context.actor, person, "read")
    return (yield from call.services.engine.evaluate(tx, call.configuration.policy, ask))


def _refuse(answer: Answer) -> NoReturn:
    if answer.reason == "no_subject":
        raise NoSubject
    raise AccessDenied(answer.reason)


def _version(said: int | None, if_match: str | None) -> int | None:
    """The version that a change was made on, from the body or from If-Match (RFC 9110, 13.1.1)."""
    if if_match is None or if_match.strip() == "*":
        return said
    found = _ETAG.fullmatch(if_match.strip())
    if found is None or (said is not None and said != int(found[1])):
        raise Invalid("invalid-version", 'If-Match holds the ETag of the preferences, such as "3".')
    return int(found[1])


def _tagged(found: Preferences) -> Response[Preferences]:
    return Response(found, headers={"etag": f'"{found.version}"', "cache-control": "no-store"})


handlers: list[BaseRouteHandler] = [read, tell, history]
