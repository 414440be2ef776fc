"""After entries of the log were lost, and before anything is permitted again: who may have said something in them.

Design 6.5: an older copy of the store revives no consent. What a static copy of the log still holds says whom the lost
entries were about: these people are put in doubt, and nothing but their noes counts until they choose anew. Where that
cannot be told, or the copy may not be the last of it, everybody is.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from audit import Leaf, Lost, about, declared
from consent import DOUBTED_AT_ONCE, of_many, restricts, speaks
from sayso.kernel import BUCKETS, Context, Key, Tx, Work, iso
from sayso.server import events

if TYPE_CHECKING:
    from sayso.server.wiring import Services

Extent = Literal["nobody", "touched", "everybody"]

MOST_LOOKS: Final = 100_000_000
"""Pairs of a person and a lost entry that are compared, about a microsecond each. Beyond that everybody is in doubt."""


class Doubted(Struct, frozen=True):
    """Who was put in doubt. `lost` counts, by type, the entries that came from a copy, and `known_until` is when the
    last of them was written.
    """

    extent: Extent
    people: int = 0
    lost: dict[str, int] = {}
    known_until: str | None = None


async def doubt(
    services: "Services",
    context: Context,
    log_class: str,
    folder: Path | None,
    *,
    complete: bool,
) -> Doubted:
    """Put in doubt whom the entries in the static copy in `folder` are about; without one, everybody. Nobody where no
    entry of this class of the log tells what people said, nor of a manifest: a lost one may have said anew in which
    log people are heard.

    A copy bounds the loss only if nothing was answered after its last entry: when the anchor knows no later head than
    the copy's, or the operator says so (`complete`) and neither anchor nor copies tell otherwise. To be awaited before
    the log takes entries again; may be repeated. Raises `RecoveryRefused` for a copy that is none of this log.
    """
    of = services.audit.declared(context.tenant).of
    telling = (*filter(speaks, declared()), events.MANIFEST_APPLIED)
    if all(of(kind) != log_class for kind in telling):
        return Doubted("nobody")
    if folder is None:
        return Doubted("everybody", await _everybody(services, context))
    lost = await services.audit.losses.lost(services.database, context, folder, speaks, log_class)
    anchored = await services.audit.losses.anchored(services.database, context, lost.log)
    elsewhere = await services.audit.losses.elsewhere(services.database, context, folder)
    # What people said after a manifest that is lost may lie in another log than we would look for it in.
    logs = await services.audit.classes(services.database, context.tenant)
    moved = events.MANIFEST_APPLIED in lost.types and len(logs) > 1
    spoken = [leaf for leaf in lost.leaves if not of_many(leaf.type)]
    people: int | None = None
    if not (elsewhere or moved) and bounded(lost, anchored, complete=complete):
        people = await _touched(services, context, spoken)
    extent: Extent = "touched" if people is not None else "everybody"
    if people is None:
        people = await _everybody(services, context)
    return Doubted(extent, people, lost.types, iso(lost.last_at) if lost.last_at else None)


def both(one: Doubted, other: Doubted) -> Doubted:
    """What came of two classes of the log, as one. Who is in doubt by both may be counted twice. Pure."""
    first, second = sorted((one, other), key=lambda each: _EXTENTS.index(each.extent))
    people = second.people if second.extent == "everybody" else first.people + second.people
    known = sorted(each for each in (one.known_until, other.known_until) if each)
    lost = {kind: one.lost.get(kind, 0) + other.lost.get(kind, 0) for kind in sorted({*one.lost, *other.lost})}
    return Doubted(second.extent, people, lost, known[-1] if known else None)


_EXTENTS: Final = ("nobody", "touched", "everybody")


def bounded(lost: Lost, anchored: int | None, *, complete: bool) -> bool:
    """Whether what the copy holds is all that was lost, and each entry says whom it is about. Nobody's word stands
    against an anchor that knows a later head.
    """
    last = anchored is None or anchored <= lost.size
    return ((complete and last) or anchored == lost.size) and not any(of_many(leaf.type) for leaf in lost.leaves)


async def _touched(services: "Services", context: Context, spoken: list[Leaf]) -> int | None:
    """How many people the leaves are about, once they are in doubt; None when there is too much to compare."""
    if not spoken:
        return 0
    found: dict[bytes, list[str]] = {}
    looks = 0
    doubting = services.registry.doubting
    async for subjects in _people(services, context):
        looks += len(subjects) * len(spoken)
        if looks > MOST_LOOKS:
            return None
        keys = await services.database.look(context, partial(_keys, services, subjects))
        found |= await asyncio.to_thread(about, keys, spoken)
    count = 0
    for first in range(0, len(found), DOUBTED_AT_ONCE):
        part = list(found)[first : first + DOUBTED_AT_ONCE]
        restricted = frozenset(subject for subject in part if restricts(found[subject]))
        count += await services.database.run_alone(
            context,
            lambda tx: doubting.doubt(tx, part, restricted),  # noqa: B023
        )
    return count


async def _everybody(services: "Services", context: Context) -> int:
    count, doubting = 0, services.registry.doubting
    async for subjects in _people(services, context):
        count += await services.database.run_alone(context, lambda tx: doubting.doubt(tx, subjects))  # noqa: B023
    return count


async def _people(services: "Services", context: Context) -> AsyncIterator[list[bytes]]:
    for bucket in range(BUCKETS):
        after = b""
        while subjects := await services.database.look(context, partial(_page, services, bucket, after)):
            yield subjects
            after = subjects[-1]


def _page(services: "Services", bucket: int, after: bytes, tx: Tx) -> Work[list[bytes]]:
    ((_, subjects),) = yield from services.registry.census.pages(tx, (bucket,), after, DOUBTED_AT_ONCE)
    return subjects


def _keys(services: "Services", subjects: list[bytes], tx: Tx) -> Work[dict[bytes, Key]]:
    return (yield from services.registry.doubting.log_keys(tx, subjects))
