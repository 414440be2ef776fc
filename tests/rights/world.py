"""A brand with people, a shop that asks, an officer who answers requests, and the whole house below the server."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from audit import AuditLog, Search
from consent import ConsentRegistry, Identifier, Issuer, Recorded, Submission
from consent import parse as parse_consent
from policies import Access, Answer, Policy, PolicyEngine, Question, read_policy
from rights import Calendar, LegalGround, Opening, RequestView, RightsDesk
from sayso.kernel import SYSTEM, Actor, Context, Database, Tx, Work, load, new_id, now, raw
from vault import Ask, Collections, Keyring, Revealed, SealedFile, SubjectFacts, Unresolvable, Vault
from vault import parse as parse_collections

T = TypeVar("T")

MANIFEST = b"""
categories: [contact.email, contact.phone, behaviour]
purposes:
  ads:
    title: {en: Advertising}
    categories: [behaviour]
  marketing.email:
    title: {en: News by e-mail}
    categories: [contact.email]
    direct_marketing: true
  support:
    title: {en: Customer care}
    legal_basis: contract
    categories: [contact.phone]
notices:
  web:
    version: 1
    purposes: [marketing.email, ads]
    text: {en: "We write to you only if you say so."}
collections:
  customers:
    fields:
      email: {type: email, category: contact.email, index: [exact]}
      phone: {type: phone, category: contact.phone}
      invoice: {type: text, category: contact.phone, retention: invoices}
roles: {marketing_sender: []}
rules:
  - {id: R010, role: marketing_sender, action: use, category: contact.email, purpose: marketing.email,
     effect: allow, basis: consent}
  - {id: R011, role: marketing_sender, action: reveal, category: contact.email, purpose: marketing.email,
     effect: allow, basis: consent}
"""

EMAIL = "linden.baum@example.com"
PHONE = "+491511234567"
CUSTOMER = "customer-4711-linden"


def an_actor(name: str, *roles: str) -> Actor:
    return Actor(new_id("key"), name, "service", frozenset(roles))


SHOP = an_actor("shop", "recorder", "vault_writer")
MAILER = an_actor("mailer", "marketing_sender")
OFFICER = an_actor("ines", "officer")


class Customer(Struct, frozen=True):
    """Someone who said yes to e-mail and whose data is in the vault."""

    subject: bytes
    record: str
    tokens: dict[str, str]


class World:
    """Everything wired as the server wires it."""

    def __init__(self, database: Database, keys: Path, tenant: str = "default") -> None:
        self.database = database
        self.tenant = tenant
        self.keyring = Keyring(SealedFile.create(keys, None))
        self.audit = AuditLog(self.keyring, self.keyring, "node-1")
        issuer = Issuer("https://consent.example", "Tannenhof Tee GmbH, DE")
        self.consent = ConsentRegistry(self.audit, self.keyring, self.keyring, self.keyring, lambda _tenant: issuer)
        self.vault = Vault(self.keyring, self.audit)
        self.engine = PolicyEngine(self.audit, self.keyring)
        self.desk = RightsDesk(
            self.audit, self.keyring, self.keyring, self.consent, self.vault, self.engine, lambda _tenant: issuer
        )
        self.policy: Policy
        self.collections: Collections

    async def open(self) -> None:
        tree = load([("manifest.yaml", MANIFEST)])
        await self.cold(self.keyring.found, SYSTEM)
        await self.look(self.keyring.load)
        catalogue = await self.cold(lambda tx: self.consent.publish(tx, parse_consent(tree)), SYSTEM)
        self.policy, _ = read_policy(tree, catalogue, self.tenant)
        self.collections = parse_collections(tree.get("collections"), catalogue.categories)

    def context(self, actor: Actor = OFFICER) -> Context:
        return Context(self.tenant, actor, now(), "test")

    async def cold(self, unit: Callable[[Tx], Work[T]], actor: Actor = OFFICER) -> T:
        return await self.database.run_alone(self.context(actor), unit)

    async def hot(self, unit: Callable[[Tx], Work[T]], actor: Actor = SHOP) -> T:
        return await self.database.run(self.context(actor), unit)

    async def look(self, unit: Callable[[Tx], Work[T]], actor: Actor = OFFICER) -> T:
        return await self.database.look(self.context(actor), unit)

    # the shop

    async def resolve(self, value: str = CUSTOMER, kind: str = "customer_id", *, create: bool = True) -> bytes:
        found = await self.hot(lambda tx: self.consent.resolve(tx, Identifier(kind, value), create=create))
        return raw(found.subject, "sub")

    async def choose(self, subject: bytes, choice: str = "granted", purpose: str = "marketing.email") -> Recorded:
        chosen = Submission(
            choices={purpose: choice},
            notice="web",
            notice_version=1,
            locale="en",
            subject=subject,
            method="import",  # type: ignore[dict-item]
        )
        return await self.hot(lambda tx: self.consent.record(tx, self.policy.catalogue, chosen))

    async def store(self, subject: bytes, **fields: str) -> dict[str, str]:
        facts = SubjectFacts(subject, known=True, erased=False)
        stored = await self.hot(lambda tx: self.vault.store(tx, self.collections, facts, "customers", fields))
        return stored.tokens

    async def customer(self, value: str = CUSTOMER) -> Customer:
        subject = await self.resolve(value)
        recorded = await self.choose(subject)
        return Customer(subject, recorded.record, await self.store(subject, email=EMAIL, phone=PHONE))

    # the mailer

    async def ask(self, subject: bytes, action: str = "use") -> Answer:
        question = Question(roles=MAILER.roles, action=action, category="contact.email", purpose="marketing.email")
        return await self.hot(lambda tx: self.engine.evaluate(tx, self.policy, Access(question, subject)), MAILER)

    async def reveal(self, token: str) -> str | None:
        """The value behind a token, None for unresolvable."""

        def unit(tx: Tx) -> Work[Revealed | Unresolvable]:
            located = yield from self.vault.locate(tx, self.collections, token)
            question = Question(
                roles=MAILER.roles, action="reveal", category=located.category, purpose="marketing.email"
            )
            answer = yield from self.engine.judge(tx, self.policy, Access(question, located.subject))
            ask = Ask(purpose="marketing.email", reason="newsletter")
            return (yield from self.vault.reveal(tx, located, answer.permit, ask))

        found = await self.hot(unit, MAILER)
        return found.value if isinstance(found, Revealed) else None

    # the officer

    async def request(self, subject: bytes, kind: str = "erasure", law: str = "gdpr", **more: Any) -> RequestView:
        calendar = Calendar("Europe/Berlin", "DE")
        asked = Opening(subject=subject, kind=kind, law=law, calendar=calendar, **more)  # type: ignore[arg-type]
        return await self.cold(lambda tx: self.desk.open(tx, self.policy, asked))

    async def verified(self, subject: bytes, kind: str = "erasure", **more: Any) -> str:
        opened = await self.request(subject, kind, **more)
        await self.cold(lambda tx: self.desk.verify(tx, opened.request, "officer"))
        return opened.request

    def fulfil(
        self, request: str, actor: Actor = OFFICER, grounds: tuple[LegalGround, ...] = (), statement: str = ""
    ) -> Awaitable[RequestView]:
        return self.desk.fulfil(
            self.database, self.context(actor), self.policy, request, grounds=grounds, statement=statement
        )

    async def erase(self, subject: bytes, grounds: tuple[LegalGround, ...] = ()) -> str:
        request = await self.verified(subject)
        await self.fulfil(request, grounds=grounds)
        return request

    async def certificate(self, request: str) -> str:
        return await self.look(lambda tx: self.desk.certificate(tx, request))

    # the auditor

    async def types(self) -> list[str]:
        """The types of all entries, oldest first."""
        await self.audit.drain(self.database, self.tenant)
        page = await self.look(lambda tx: self.audit.entries(tx, Search(limit=200)))
        return [entry_type(entry.leaf) for entry in reversed(page.entries)]


def entry_type(leaf: bytes) -> str:
    from audit import decode_leaf

    return decode_leaf(leaf).type
