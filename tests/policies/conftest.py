"""A brand with people, keys, a log and rules, on a real database."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from audit import AuditLog, Opening
from consent import (
    Catalogue,
    ConsentRegistry,
    Identifier,
    Issuer,
    Submission,
    parse,
)
from policies import Access, Answer, Policy, PolicyEngine, read_policy
from sayso.kernel import Actor, Context, Database, Tx, Work, load, new_id, now, open_database, raw
from tests.policies.worlds import SMALLEST
from vault import Keyring, SealedFile

T = TypeVar("T")

MAILER = Actor("key_" + "01" * 16, "mailer", "service", frozenset({"marketing_sender"}))


class Brand:
    """The shortest words for what tests do with it."""

    catalogue: Catalogue
    policy: Policy

    def __init__(self, database: Database, keys: Keyring) -> None:
        self.database = database
        self.keys = keys
        self.log = AuditLog(keys, keys, "n1", origin_base="sayso.example/log")
        self.registry = ConsentRegistry(
            self.log, keys, keys, keys, lambda _: Issuer("https://sayso.example", "Tea Ltd")
        )
        self.engine = PolicyEngine(self.log, keys, shadow=1.0)

    async def open(self, text: str = SMALLEST) -> None:
        await self.database.run_alone(self.context(), self.keys.found)
        await self.database.look(self.context(), self.keys.load)
        manifest = load([("manifest.yaml", text.encode())])
        declared = parse(manifest)
        self.catalogue = await self.database.run_alone(self.context(), lambda tx: self.registry.publish(tx, declared))
        self.policy = read_policy(manifest, self.catalogue, "default")[0]

    def context(self, actor: Actor = MAILER) -> Context:
        return Context("default", actor, now(), new_id("req"))

    async def hot(self, unit: Callable[[Tx], Work[T]], actor: Actor = MAILER) -> T:
        return await self.database.run(self.context(actor), unit)

    async def person(self, name: str = "c-1", *granted: str) -> bytes:
        """A person who has said yes to these purposes."""
        found = await self.hot(lambda tx: self.registry.resolve(tx, Identifier("customer_id", name), create=True))
        subject = raw(found.subject, "sub")
        if granted:
            submission = Submission(
                subject=subject,
                notice="web",
                notice_version=1,
                locale="en",
                choices=dict.fromkeys(granted, "granted"),
            )
            await self.hot(lambda tx: self.registry.record(tx, self.catalogue, submission))
        return subject

    async def aid(self, name: str) -> int:
        found = await self.hot(lambda tx: self.registry.resolve(tx, Identifier("customer_id", name), create=False))
        return int(found.aid)

    async def evaluate(self, access: Access, actor: Actor = MAILER, **more: object) -> Answer:
        return await self.hot(lambda tx: self.engine.evaluate(tx, self.policy, access, **more), actor)  # type: ignore[arg-type]

    async def leaf(self, entry: str) -> bytes:
        found = await self.database.look(self.context(), lambda tx: self.log.entry(tx, entry))
        return found.leaf

    async def openings(self, entry: str, subject: bytes | None = None) -> dict[str, bytes]:
        """What may be opened of an entry, by compartment."""

        def unit(tx: Tx) -> Work[list[Opening]]:
            key = None
            if subject is not None:
                (row,) = yield (self.keys.read(tx, subject),)
                key = self.keys.unwrap("default", subject, "log", row)
            return (yield from self.log.openings(tx, entry, key))

        found = await self.database.look(self.context(), unit)
        return {opening.compartment: opening.payload for opening in found}


@pytest.fixture
async def brand(database_url: str, tmp_path: Path) -> AsyncIterator[Brand]:
    database = open_database(database_url)
    await database.start()
    brand = Brand(database, Keyring(SealedFile.create(tmp_path / "keys", None)))
    await brand.open()
    yield brand
    await database.stop()
