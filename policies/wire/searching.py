"""AuthZEN's three searches on the wire, and the tokens that lead from page to page. Pure (Authorization API 1.0,
section 8).

As in `authzen.py`, "subject" here is the caller and unknown members are ignored; so is the id of what is searched for.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from consent import Mark, Met, ids_of, unpack, unpack_at
from policies.decide import Inquiry
from policies.wire.authzen import Action, Entity, Malformed, Properties, RequestContext, Text, decoded
from sayso.kernel import Key

MOST_FOUND: Final = 1_000
"""Results on one page: as many as one entry may list."""

USUALLY_FOUND: Final = 100


class Kind(Struct, frozen=True):
    """What is searched for: entities of a type. An id is ignored."""

    type: Text
    properties: Properties = {}


class Page(Struct, frozen=True):
    """Which part of the results: behind `token`, and at most `limit`."""

    token: Annotated[str, Meta(max_length=1_024)] = ""
    limit: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class SubjectSearch(Struct, frozen=True):
    """Which callers may do that with that person's data?"""

    subject: Kind
    action: Action
    resource: Entity
    context: RequestContext = RequestContext()
    page: Page = Page()


class ResourceSearch(Struct, frozen=True):
    """Of which people may this caller do that?"""

    subject: Entity
    action: Action
    resource: Kind
    context: RequestContext = RequestContext()
    page: Page = Page()


class ActionSearch(Struct, frozen=True):
    """What may this caller do with that person's data?"""

    subject: Entity
    resource: Entity
    context: RequestContext = RequestContext()
    page: Page = Page()


class Named(Struct, frozen=True):
    """A subject or a resource that was found."""

    type: str
    id: str


class NamedAction(Struct, frozen=True):
    """An action that was found."""

    name: str


class PageAnswer(Struct, frozen=True):
    """Where the next page begins: empty at the end. A page may hold fewer results than asked for, or none."""

    next_token: str
    count: int


class SearchContext(Struct, frozen=True, omit_defaults=True):
    """What the answer rests on, and the entry that keeps it: none where there was nobody to decide about."""

    policy_version: str
    registry_seq: str
    entry: str = ""


class SearchAnswer(Struct, frozen=True):
    """Which people or callers were found, in a fixed order."""

    page: PageAnswer
    context: SearchContext
    results: list[Named]


class ActionSearchAnswer(Struct, frozen=True):
    """Which actions were found, in the order of the closed list."""

    page: PageAnswer
    context: SearchContext
    results: list[NamedAction]


class Behind(Struct, frozen=True, array_like=True):
    """Where a page ended. `asked` and `policy` are of the search that it belongs to; `name` is of a caller or an
    action, `mark` of a person.
    """

    asked: bytes
    policy: str
    limit: int
    name: str = ""
    mark: Mark = Mark()


def read_subject_search(body: bytes) -> SubjectSearch:
    """Which callers. Raises `Malformed`, as the two below."""
    return decoded(_subject, body)


def read_resource_search(body: bytes) -> ResourceSearch:
    """Which people."""
    return decoded(_resource, body)


def read_action_search(body: bytes) -> ActionSearch:
    """Which actions."""
    return decoded(_action, body)


def begun(search: SubjectSearch | ResourceSearch | ActionSearch, caller: str, policy: str, key: Key) -> Behind:
    """Where this page begins: at the beginning, or where its token says.

    Raises `Malformed` for a token that is none, or of another search, caller or policy.
    """
    asked, page = _digest(search, caller), search.page
    limit = UNSET if page.limit is UNSET else min(page.limit, MOST_FOUND)
    if not page.token:
        return Behind(asked, policy, USUALLY_FOUND if limit is UNSET else limit)
    behind = _opened(page.token, key)
    if behind.asked != asked or limit not in (UNSET, behind.limit):
        raise Malformed("page.token belongs to another search: all but the token stays the same from page to page.")
    if behind.policy != policy:
        raise Malformed("The rules have changed since page.token was given: begin again without it.")
    return behind


def sealed_token(behind: Behind, key: Key) -> str:
    """The token of the page that begins there. It is sealed, for it may name somebody who was not found."""
    sealed = key.seal(_COLLECTION, _FIELD, _pack(behind))
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def find(inquiry: Inquiry, met: Iterable[Met], at: int, most: int) -> tuple[list[bytes], Mark | None]:
    """Those of whom the answer is yes, `most` at the most, and then the mark behind the last of them.

    Merged people are found once, by the id that stayed.
    """
    found: list[bytes] = []
    for each in met:
        state = unpack_at(each.state, inquiry.above)
        if not inquiry.decide(state, at).allowed or ids_of(each.subject, unpack(each.state))[0] != each.subject:
            continue
        found.append(each.subject)
        if len(found) == most:
            return found, each.mark
    return found, None


def _digest(search: SubjectSearch | ResourceSearch | ActionSearch, caller: str) -> bytes:
    """16 bytes that tell searches apart. What is ignored of a request is ignored here."""
    names = [type(search).__name__, caller, search.subject.type, search.resource.type]
    names += [each.id if isinstance(each, Entity) else "" for each in (search.subject, search.resource)]
    names.append("" if isinstance(search, ActionSearch) else search.action.name)
    return hashlib.blake2b(_pack((names, search.context)), digest_size=16).digest()


def _opened(token: str, key: Key) -> Behind:
    try:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        return _behind(key.open(_COLLECTION, _FIELD, sealed))
    except Exception:  # noqa: BLE001 - whatever is wrong with it: it is not a token of ours
        raise Malformed("page.token is none that was given here.") from None


_COLLECTION: Final = "authzen"
_FIELD: Final = "page"
_pack: Final = msgspec.msgpack.Encoder().encode
_behind: Final = msgspec.msgpack.Decoder(Behind).decode
_subject: Final = msgspec.json.Decoder(SubjectSearch)
_resource: Final = msgspec.json.Decoder(ResourceSearch)
_action: Final = msgspec.json.Decoder(ActionSearch)
