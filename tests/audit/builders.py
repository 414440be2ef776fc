"""A log on a real database, with in-memory keys, and the shortest words for what tests do with it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from audit import AuditEvent, AuditLog, Classes, VerifierKey, declare
from audit.tlog.proof import TlogProof
from sayso.kernel import Actor, Context, Database, Tx, Work, new_id, new_raw, now, open_database, raw
from tests.audit.keys import MemorySealer, MemorySigner

T = TypeVar("T")

TENANT = "default"
CHANGED = declare("tests.thing.changed", "name", "version")
CRM = Actor("key_" + "01" * 16, "the crm of the shop", "service", frozenset({"recorder"}))


def context(actor: Actor = CRM, tenant: str = TENANT) -> Context:
    return Context(tenant, actor, now(), new_id("req"))


def carried(proof: TlogProof) -> tuple[VerifierKey, bytes]:
    """The key and the entry that a proof of ours brings along."""
    line, _, entry = (proof.extra or b"").partition(b"\n")
    return VerifierKey.parse(line.decode()), entry


class Store:
    """A database with a log in it, and the shortest words for what tests do with them."""

    def __init__(self, database: Database, anchor: Path | None = None) -> None:
        self.database = database
        self.classes = Classes()
        self.sealer = MemorySealer()
        self.sealer.client(TENANT, raw(CRM.id))
        self.signer = MemorySigner()
        self.log = self.another_node(anchor)

    def another_node(self, anchor: Path | None = None) -> AuditLog:
        return AuditLog(
            self.sealer,
            self.signer,
            "n1",
            origin_base="sayso.example/log",
            anchor=anchor,
            classes=lambda _: self.classes,
        )

    async def settle(self, log: AuditLog | None = None) -> None:
        """Integrate and sign all that waits, in every class."""
        node = log or self.log
        for each in await node.classes(self.database, TENANT):
            await node.drain(self.database, TENANT, each)

    def person(self) -> bytes:
        subject = new_raw()
        self.sealer.person(TENANT, subject)
        return subject

    async def append(self, event: AuditEvent | None = None, actor: Actor = CRM, tenant: str = TENANT) -> str:
        event = event or AuditEvent(CHANGED, "ok", {"name": "thing"})

        def unit(tx: Tx) -> Work[str]:
            yield ()
            key = self.sealer.unwrap(tenant, event.subject, "log", None) if event.subject else None
            return self.log.append(tx, event, key)

        return await self.database.run(context(actor, tenant), unit)

    async def fill(self, count: int) -> list[str]:
        return list(await asyncio.gather(*(self.append() for _ in range(count))))

    async def look(self, unit: Callable[[Tx], Work[T]], tenant: str = TENANT) -> T:
        return await self.database.look(context(tenant=tenant), unit)


class Opened:
    def __init__(self, url: str, anchor: Path | None) -> None:
        self._url, self._anchor = url, anchor

    async def __aenter__(self) -> Store:
        self._database = open_database(self._url)
        await self._database.start()
        return Store(self._database, self._anchor)

    async def __aexit__(self, *_: object) -> None:
        await self._database.stop()
