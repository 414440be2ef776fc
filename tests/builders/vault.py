"""A keyring, a vault and people, on a database of the test's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct
from sqlalchemy import Table, select, update

from audit import AuditLog
from sayso.kernel import (
    SYSTEM,
    Actor,
    Context,
    Database,
    Obligation,
    Permit,
    Tx,
    Work,
    load,
    new_id,
    new_raw,
    now,
)
from vault import (
    Ask,
    Collections,
    Hits,
    Keyring,
    Located,
    Revealed,
    SealedFile,
    SubjectFacts,
    Term,
    Unresolvable,
    Vault,
    parse,
)

MANIFEST = """
customers:
  fields:
    email: {type: email, category: contact.email, index: [exact]}
    phone: {type: phone, category: contact.phone, region: CN, index: [exact]}
    birthday: {type: date, category: identity}
    notes: {type: text, category: contact, pad: 256}
    invoice: {type: text, category: contact, retention: invoices}
"""
CATEGORIES = ("contact", "contact.email", "contact.phone", "identity")


def a_manifest(text: str = MANIFEST, categories: tuple[str, ...] = CATEGORIES) -> Collections:
    """The collections of a manifest's section."""
    indented = "\n".join(f"  {line}" for line in text.splitlines())
    return parse(load([("manifest.yaml", f"collections:\n{indented}\n".encode())]).get("collections"), categories)


def a_client(name: str = "crm", *roles: str) -> Actor:
    return Actor(new_id("key"), name, "service", frozenset(roles or {"vault_writer"}))


def a_keyring(folder: Path) -> Keyring:
    """A keyring over an unsealed root key of its own."""
    return Keyring(SealedFile.create(folder, None))


class House(Struct):
    """A database with a vault in it, and how to walk through it."""

    database: Database
    keyring: Keyring
    vault: Vault
    collections: Collections
    tenant: str = "default"
    actor: Actor = SYSTEM

    def context(self, actor: Actor | None = None) -> Context:
        return Context(self.tenant, actor or self.actor, now(), "req")

    async def open(self) -> None:
        """Found the tenant if need be, and load its keys."""
        await self.database.run_alone(self.context(), self.keyring.found)
        await self.database.look(self.context(), self.keyring.load)

    async def person(self) -> bytes:
        """A new person, with the log key that the registry makes for everyone."""
        subject = new_raw()

        def unit(tx: Tx) -> Work[None]:
            self.keyring.create(tx, subject)
            return
            yield ()

        await self.database.run(self.context(), unit)
        return subject

    async def store(self, subject: bytes, audience: str = "any", **fields: str) -> dict[str, str]:
        facts = SubjectFacts(subject, known=True, erased=False)
        stored = await self.database.run(
            self.context(), lambda tx: self.vault.store(tx, self.collections, facts, "customers", fields, audience)
        )
        return stored.tokens

    async def locate(self, token: str, actor: Actor | None = None) -> Located:
        return await self.database.run(self.context(actor), lambda tx: self.vault.locate(tx, self.collections, token))

    async def reveal(
        self, token: str, *masks: str, actor: Actor | None = None, permitted: bool = True, transform: str | None = None
    ) -> Revealed | Unresolvable:
        """Locate and reveal in one unit, under a permit for just that."""

        def unit(tx: Tx) -> Work[Revealed | Unresolvable]:
            located = yield from self.vault.locate(tx, self.collections, token)
            permit = a_permit(self.tenant, located.subject, located.category, "reveal", *masks)
            ask = Ask(purpose="support", reason="a test", transform=transform)
            return (yield from self.vault.reveal(tx, located, permit if permitted else None, ask))

        return await self.database.run(self.context(actor), unit)

    async def value(self, token: str) -> str | None:
        """What a reveal gives, None for unresolvable."""
        answer = await self.reveal(token)
        return answer.value if isinstance(answer, Revealed) else None

    async def search(self, *terms: Term, limit: int = 50, purpose: str = "support") -> Hits:
        """Look at the index, then find."""
        asked = self.vault.sought(self.tenant, self.collections, "customers", terms, limit)
        (found,) = await self.database.look(self.context(), lambda tx: self.vault.having(tx, [asked]))
        return await self.database.run(
            self.context(), lambda tx: self.vault.search(tx, asked, found, purpose=purpose, reason="test")
        )

    async def cold(self, statement: Callable[[Tx], None]) -> None:
        """Write to the tables behind the vault's back."""

        def unit(tx: Tx) -> Work[None]:
            statement(tx)
            return
            yield ()

        await self.database.run_alone(self.context(), unit)


def a_permit(tenant: str, subject: bytes, category: str, action: str, *masks: str) -> Permit:
    obligations = tuple(Obligation(f"o{place}", mask, {}) for place, mask in enumerate(masks))
    return Permit(tenant, subject, category, action, "support", obligations, "R1", "contract")


def a_house(database: Database, keys: Path, manifest: str = MANIFEST, tenant: str = "default") -> House:
    """Over the root key in `keys`, which is made if there is none."""
    keyring = Keyring(SealedFile.open(keys, None)) if (keys / "root.key").exists() else a_keyring(keys)
    audit = AuditLog(keyring, keyring, "node-1")
    return House(database, keyring, Vault(keyring, audit), a_manifest(manifest), tenant, a_client())


async def rows_of(house: House, table: Table, **where: Any) -> list[dict[str, Any]]:
    def unit(tx: Tx) -> Work[list[Any]]:
        statement = select(*table.c)
        for name, value in where.items():
            statement = statement.where(table.c[name] == value)
        (rows,) = yield (tx.select(statement),)
        return rows

    found = await house.database.look(house.context(), unit)
    return [dict(zip(table.c.keys(), row, strict=True)) for row in found]


async def change(house: House, table: Table, row: dict[str, Any], **values: Any) -> None:
    """Write other values into one row."""
    statement = update(table).values(values)
    for column in table.primary_key:
        if column.name != "tenant":
            statement = statement.where(column == row[column.name])
    await house.cold(lambda tx: tx.execute(statement, expect=1))
