"""A registry on a real database, with real keys and a real log."""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from audit import AuditLog
from consent import (
    Catalogue,
    ConsentRegistry,
    Identifier,
    Issuer,
    Recorded,
    Submission,
    parse,
)
from sayso.kernel import Actor, Context, Database, Permit, Tx, Work, load, new_id, now, open_database, raw
from vault import Keyring, SealedFile

T = TypeVar("T")

MANIFEST = """
categories: [contact.email, contact.phone, behaviour]
purposes:
  ads: {title: {en: Advertising, zh-CN: 广告}, legal_basis: consent, categories: [behaviour]}
  marketing.email:
    title: {en: News by e-mail, zh-CN: 邮件资讯}
    categories: [contact.email]
    expires_after: P24M
    direct_marketing: true
  marketing.similar: {title: {en: Similar goods}, legal_basis: legitimate_interest, direct_marketing: true}
  support: {title: {en: Customer care}, legal_basis: contract, categories: [contact.phone]}
notices:
  web:
    version: 1
    purposes: [marketing.email, ads]
    text: {en: "We write to you only if you say so.", zh-CN: "只有经您同意，我们才会给您写信。"}
"""

CRM = Actor("key_" + "01" * 16, "crm", "service", frozenset({"recorder"}))
BROWSER = Actor("site_shop", "shop", "browser", frozenset())


class Store:
    """A brand's registry, and the shortest words for what tests do with it."""

    catalogue: Catalogue
    notice_version = 1

    def __init__(self, database: Database, keys: Keyring) -> None:
        self.database = database
        self.keys = keys
        self.log = AuditLog(keys, keys, "n1", origin_base="sayso.example/log")
        issuer = Issuer("https://sayso.example", "Tea Ltd, Ireland")
        self.registry = ConsentRegistry(self.log, keys, keys, keys, lambda _: issuer)

    async def found(self, tenant: str, manifest: str = MANIFEST) -> None:
        await self.cold(self.keys.found, tenant=tenant)
        await self.database.look(self.context(tenant=tenant), self.keys.load)
        self.catalogue = await self.apply(manifest, tenant=tenant)

    async def apply(self, manifest: str, tenant: str = "default") -> Catalogue:
        declared = parse(load([("tea.yaml", manifest.encode())]))
        return await self.cold(lambda tx: self.registry.publish(tx, declared), tenant=tenant)

    def context(self, actor: Actor = CRM, tenant: str = "default") -> Context:
        return Context(tenant, actor, now(), new_id("req"))

    async def hot(self, unit: Callable[[Tx], Work[T]], actor: Actor = CRM, tenant: str = "default") -> T:
        return await self.database.run(self.context(actor, tenant), unit)

    async def cold(self, unit: Callable[[Tx], Work[T]], actor: Actor = CRM, tenant: str = "default") -> T:
        return await self.database.run_alone(self.context(actor, tenant), unit)

    async def look(self, unit: Callable[[Tx], Work[T]], tenant: str = "default") -> T:
        return await self.database.look(self.context(tenant=tenant), unit)

    async def person(self, name: str = "c-1", kind: str = "customer_id", tenant: str = "default") -> bytes:
        identifier = Identifier(kind, name)
        found = await self.hot(lambda tx: self.registry.resolve(tx, identifier, create=True), tenant=tenant)
        return raw(found.subject, "sub")

    async def record(self, subject: bytes | None = None, *, actor: Actor = CRM, **changes: Any) -> Recorded:
        submission = self.submission(subject=subject, **changes)
        return await self.hot(lambda tx: self.registry.record(tx, self.catalogue, submission), actor)

    async def withdraw(self, subject: bytes, purposes: Any = "all", **how: Any) -> Recorded:
        return await self.hot(lambda tx: self.registry.withdraw(tx, self.catalogue, subject, purposes, **how))

    async def statuses(self, subject: bytes, **times: int) -> dict[str, str]:
        found = await self.look(lambda tx: self.registry.state(tx, self.catalogue, subject, **times))
        return {name: each.status for name, each in found.purposes.items()}

    def submission(self, **changes: Any) -> Submission:
        fields = {
            "notice": "web",
            "notice_version": self.notice_version,
            "locale": "en",
            "choices": {"marketing.email": "granted"},
        }
        return Submission(**{**fields, **changes})

    def permit(self, subject: bytes, action: str, tenant: str = "default") -> Permit:
        return Permit(tenant, subject, "any", action, "dsar", (), "system", "legal_obligation")


def claims_of(receipt: str) -> dict[str, Any]:
    """What a compact JWS says, unverified."""
    part = receipt.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    database = open_database(database_url)
    await database.start()
    store = Store(database, Keyring(SealedFile.create(tmp_path / "keys", None)))
    await store.found("default")
    yield store
    await database.stop()
