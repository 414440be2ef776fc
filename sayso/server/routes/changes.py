"""The change feed, read at the client's own pace."""

from time import monotonic
from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from sayso.kernel import raw
from sayso.server.call import Call
from sayso.server.callers.auth import POLICY
from sayso.server.feed import LONGEST_WAIT, MOST_EVENTS, Changes, Filter, alias, made
from sayso.server.routes.gate import admits

LISTENERS = ("recorder", "officer", "auditor", "pep", "vault_writer", POLICY)
"""Who may be told of changes."""

MOST_ALIASES = 1_000


class WantedAliases(Struct, frozen=True, forbid_unknown_fields=True):
    """People by their `sub_…` ids."""

    subjects: Annotated[tuple[str, ...], Meta(max_length=MOST_ALIASES)]


class Aliases(Struct, frozen=True):
    """By which name each of them appears to this client in the feed."""

    aliases: dict[str, str]


@get("/v1/changes", opt=admits(*LISTENERS), operation_id="changes.read", tags=["Changes"])
async def changes(
    call: NamedDependency[Call],
    after: Annotated[
        str | None,
        QueryParameter(
            description="The cursor of the page before. `latest`: only a cursor for what comes. Without it the feed"
            " begins with the oldest change that is kept, seven days back."
        ),
    ] = None,
    type: Annotated[list[str] | None, QueryParameter(description="Types of change; may end in `.*`.")] = None,  # noqa: A002
    purpose: Annotated[
        list[str] | None, QueryParameter(description="Choices about these purposes, and about those above and below.")
    ] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST_EVENTS)] = 100,
    wait: Annotated[
        int, QueryParameter(ge=0, le=LONGEST_WAIT, description="Seconds to wait for a change if there is none.")
    ] = 0,
) -> Changes:
    """Committed changes as CloudEvents, in the order of their commits, with this client's own name for each person.

    410 `cursor-too-old` when the feed no longer reaches back to the cursor.
    """
    wants = made(type or (), purpose or (), call.configuration.purposes)
    return await _page(call, wants, after, limit, wait)


@post(
    "/v1/changes/aliases",
    opt=admits("recorder", "officer", "pep", "vault_writer", POLICY),
    operation_id="changes.aliases",
    tags=["Changes"],
    status_code=200,
)
async def aliases(call: NamedDependency[Call], data: JSONBody[WantedAliases]) -> Aliases:
    """By which names people appear to this client in the feed, for one that does not work with `sub_…` ids there.

    Nothing is looked up: an id of nobody has a name as well.
    """
    keyring, tenant, actor = call.services.keyring, call.tenant, call.principal.actor
    return Aliases({each: alias(keyring, tenant, actor, raw(each, "sub")) for each in data.subjects})


async def _page(call: Call, wants: Filter, after: str | None, limit: int, wait: int) -> Changes:
    """A page; an empty one only when nothing came in time."""
    feed, until = call.services.feed, monotonic() + wait
    page = await call.look(feed.reader.page(call.principal.actor, wants, after, limit))
    while not page.events and (left := until - monotonic()) > 0:
        if not page.more:
            await feed.watch.beyond(call.tenant, feed.reader.position(call.tenant, page.cursor), left)
        page = await call.look(feed.reader.page(call.principal.actor, wants, page.cursor, limit))
    return page


handlers: list[BaseRouteHandler] = [changes, aliases]
