"""After the rows and keys of a backup are back, and before they are served: checked, and held to what came later.

In this order, each of which may be repeated: the description is ours; every log is whole; whoever was erased since is
erased again; whoever may have said something that is lost is in doubt (design 6.5); the log goes on; the store is open.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from audit import MAIN, AuditEvent, DamagedLog, Jws, LogForked, LogStanding, Malformed, NothingMore
from sayso.kernel import SYSTEM, Conflict, Context, Tx, Work, new_id, now
from sayso.server import events, store
from sayso.server.backups import description
from sayso.server.backups.description import Brand, Description
from sayso.server.logkeeping.after_loss import Doubted, both, doubt
from sayso.server.tenancy import WORLD
from vault import keybackup

if TYPE_CHECKING:
    from sayso.server.wiring import Services


class LogBehindItself(Conflict):
    def __init__(self, found: LogStanding) -> None:
        super().__init__(
            "log-goes-on-elsewhere",
            f"{found.found} holds a head of {found.seen} entries, the backup's log has {found.size}. Bring a copy of"
            " the log (--from), or where there is none begin a new one (--new-epoch). What was done stays.",
            log=found.log,
        )


class Ways(Struct, frozen=True):
    """How the log goes on. `copy`: a static copy with its entries, or the folder of several below their names.
    `complete`: nothing was answered after it, or, without a copy, after the backup. `new_epoch`: in a new log, where
    there is no copy.
    """

    copy: Path | None = None
    complete: bool = False
    new_epoch: bool = False


class Settled(Struct, frozen=True):
    """How one brand stands: people who were erased again, who is in doubt, the logs that go on and their sizes."""

    erased: int
    doubted: Doubted
    logs: dict[str, int]


async def settle(
    services: "Services", told: Description, jws: Jws, ways: Ways, step: Callable[[str], None]
) -> dict[str, Settled]:
    """Bring the restored store to where it may be served. Raises `ForeignBackup`, `DamagedLog`, `RecoveryRefused`,
    `LogBehindItself`.
    """
    await services.database.start()
    try:
        await services.configurations.start()
        description.demand_ours(services.keyring, jws)
        for brand in told.facts.brands:
            await _demand_log(services, brand)
        step("people")
        brands = {brand.tenant: await _brand(services, told, brand, ways, step) for brand in told.facts.brands}
        await services.database.run_alone(_context(WORLD), _through)
        return brands
    finally:
        await services.database.stop()


async def _demand_log(services: "Services", brand: Brand) -> None:
    """The log is that of the description, or has grown from it since, and every entry of it is as it was signed."""
    context = _context(brand.tenant)
    await services.audit.losses.whole(services.database, context)
    for head in brand.logs:
        try:
            root = await services.database.look(context, partial(_root, services, head.log, head.size))
        except Malformed:
            raise DamagedLog(head.log) from None
        if b64encode(root).decode() != head.root:
            raise DamagedLog(head.log)


def _root(services: "Services", log: str, size: int, tx: Tx) -> Work[bytes]:
    return (yield from services.audit.root_at(tx, log, size))


async def _brand(
    services: "Services", told: Description, brand: Brand, ways: Ways, step: Callable[[str], None]
) -> Settled:
    context, database, audit = _context(brand.tenant), services.database, services.audit
    erased = await services.again.enforce(database, context)
    erased += await services.again.sweep(database, context, lambda _: None)
    doubted, replayed = Doubted("nobody"), dict[str, Path]()
    classes = await audit.classes(database, brand.tenant)
    found = {each: await audit.standing(database, context, each) for each in classes}
    for each, stands in found.items():
        copy = copy_of(ways.copy, brand.tenant, stands.log)
        if not stands.sound and copy is None and not ways.new_epoch:
            raise LogBehindItself(stands)
        if doubted.extent == "everybody" and copy is None:
            continue
        try:
            doubted = both(doubted, await _doubted(services, told, context, each, stands, copy, ways))
        except NothingMore:
            # An old copy; or one whose entries are back, since this was begun before and died.
            doubted, copy = both(doubted, await _doubted(services, told, context, each, stands, None, ways)), None
        if copy is not None:
            replayed[each] = copy
    step("log")
    for each, stands in found.items():
        found[each] = await _going_on(services, context, each, stands, replayed.get(each), ways)
    await database.run_alone(context, partial(_told, services, told.facts.backup, doubted, erased))
    sizes = {each: await audit.drain(database, brand.tenant, each) for each in classes}
    return Settled(erased, doubted, {f"{brand.tenant}.{found[each].log}": size for each, size in sizes.items()})


async def _going_on(
    services: "Services", context: Context, log_class: str, stands: LogStanding, copy: Path | None, ways: Ways
) -> LogStanding:
    """Let the log of a class go on: with what the copy has, and in a new epoch where more than that was seen."""
    audit, database = services.audit, services.database
    if copy is not None:
        try:
            stands = await audit.replay(database, context, copy, log_class)
        except LogForked:
            stands = await audit.standing(database, context, log_class)
    if stands.sound:
        return stands
    if not ways.new_epoch:
        raise LogBehindItself(stands)
    return await audit.open_epoch(database, context, log_class)


async def _doubted(
    services: "Services",
    told: Description,
    context: Context,
    log_class: str,
    stands: LogStanding,
    copy: Path | None,
    ways: Ways,
) -> Doubted:
    """Who is in doubt by what is lost of one class of the log."""
    if copy is None:
        losses, database = services.audit.losses, services.database
        anchored = await losses.anchored(database, context, stands.log)
        complete = ways.complete and not await losses.elsewhere(database, context)
        own = (head for brand in told.facts.brands if brand.tenant == context.tenant for head in brand.logs)
        sizes = next((head.size for head in own if head.log == stands.log), 0), stands.size
        if stands.sound and nothing_followed(told.facts.alone, sizes, anchored, complete=complete):
            return Doubted("nobody")
    return await doubt(services, context, log_class, copy, complete=ways.complete)


def nothing_followed(alone: bool, sizes: tuple[int, int], anchored: int | None, *, complete: bool) -> bool:
    """Whether the backup is all there ever was: the operator says so; or nobody else was at work when it was taken, and
    the anchor, which outlived the store, knows no other head than that of then. Pure.

    `sizes` of the log, in the backup and now: it grows only after this was asked, so where a restore is gone on with
    that died later, the heads between them are its own.
    """
    then, now = sizes
    return complete or (alone and anchored is not None and then <= anchored <= now)


def copy_of(folder: Path | None, tenant: str, log: str) -> Path | None:
    """Where the copy of a brand's log lies, if there is one: below its name as it is published, or as it is exported,
    where `main` is the folder itself.
    """
    if folder is None:
        return None
    places = (folder / f"{tenant}.{log}", folder / "logs" / log, folder if log.startswith(MAIN) else None)
    return next((place for place in places if place is not None and (place / "checkpoint").is_file()), None)


def _told(services: "Services", backup: str, doubted: Doubted, erased: int, tx: Tx) -> Work[None]:
    res = {"backup": backup, "extent": doubted.extent, "people": str(doubted.people), "erased": str(erased)}
    services.audit.append(tx, AuditEvent(events.STORE_RESTORED, "ok", res))
    keybackup.finished(tx)
    yield ()


def _through(tx: Tx) -> Work[None]:
    (begun,) = yield (tx.select(store.restores_under_way()),)
    rows = yield tuple(tx.get(store.RESTORE, *key) for key in begun)
    for key, row in zip(begun, rows, strict=True):
        tx.put(store.RESTORE, tuple(key), (row[0] + 1, "done"), was=row)


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
