"""Decisions about many people that one entry holds: opened under the brand's own key, group by group."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from audit import Indexed, Opener, Opening
from consent import AID
from policies import Audiences, Group, unpack_list
from reports.runs import MOST, Runs, aid_key
from sayso.kernel import NotFound, Sealer, Tx, Work, text

LIST: Final = "access.list.decided"
_LIST_MARK: Final = LIST.encode()
_AID: Final = 8
_AT_ONCE: Final = 4_096


class Counted(NamedTuple):
    """What a list says of one question: names, and how many people were permitted and refused."""

    category: str
    purpose: str
    action: str
    permitted: int
    refused: int


class _Detail(msgspec.Struct, frozen=True):
    """Either the list itself, or, for an audience, names, counts by reason and the digest of a list beside the log."""

    list: bytes = b""
    digest: str = ""
    action: str = ""
    category: str = ""
    purpose: str = ""
    counts: dict[str, int] = {}


def opened(sealer: Sealer, tx: Tx, hits: Sequence[Indexed]) -> Work[list[list[Opening]]]:
    """Who acted, and what lies sealed under the brand's own key, of each entry."""
    return (yield from Opener(sealer, tx.context.tenant, "ad", {}).open(tx, hits))


def counted(parts: Sequence[Opening]) -> list[Counted]:
    """How many people each question of a list was answered about."""
    detail = _detail(parts)
    if detail.digest:
        permitted = detail.counts.get("permitted", 0)
        refused = sum(detail.counts.values()) - permitted
        return [Counted(detail.category, detail.purpose, detail.action, permitted, refused)]
    found = []
    for group in _unpacked(detail):
        permitted = sum(reason == "permitted" for _, (reason, _, _) in group.rows())
        refused = len(group.aids) // _AID - permitted
        found.append(Counted(group.category, group.purpose, group.action, permitted, refused))
    return found


def fitting(hits: Sequence[Indexed]) -> int:
    """How many of these entries may be worked on at once, at least one: the people in lists are the work."""
    people = 0
    for number, hit in enumerate(hits):
        if _LIST_MARK in hit.leaf:
            people += int(hit.decoded().res.get("count", "0"))
            if number and people > MOST:
                return number
    return len(hits)


def listed_in(tx: Tx, sealer: Sealer, audiences: Audiences, hit: Indexed, at: int, runs: Runs) -> Work[tuple[str, int]]:
    """Count the people whom a list permitted. Returns the category that its entry names, and how many people were
    found: fewer than the entry says where the list is not kept any more.
    """
    (parts,) = yield from opened(sealer, tx, [hit])
    detail = _detail(parts)
    found = 0
    for group in (yield from _groups(tx, hit, detail, audiences)):
        permitted = [aid for aid, (reason, _, _) in group.rows() if reason == "permitted"]
        found += len(permitted)
        for start in range(0, len(permitted), _AT_ONCE):
            aids = permitted[start : start + _AT_ONCE]
            (rows,) = yield (tx.get_each(AID, [aid.to_bytes(_AID, "big") for aid in aids]),)
            for aid, row in zip(aids, rows, strict=True):
                runs.touch(row[0] if row is not None else aid_key(aid), at, group.category)
    return detail.category, found


def _groups(tx: Tx, hit: Indexed, detail: _Detail, audiences: Audiences) -> Work[list[Group]]:
    """The decisions of an entry about a list, person by person; none where the list is not kept any more."""
    if not detail.digest:
        return _unpacked(detail)
    try:
        return (yield from audiences.groups(tx, text("aud", hit.entry)))
    except NotFound:
        return []


def _detail(parts: Sequence[Opening]) -> _Detail:
    for part in parts:
        if part.compartment == "d":
            return msgspec.json.decode(part.payload, type=_Detail)
    return _Detail()


def _unpacked(detail: _Detail) -> list[Group]:
    return unpack_list(detail.list) if detail.list else []


def actor_in(parts: Sequence[Opening]) -> dict[str, Any]:
    """Who acted: name, id, kind, roles."""
    for part in parts:
        if part.compartment == "a":
            found: dict[str, Any] = msgspec.json.decode(part.payload)
            return found
    return {}
