"""The world of rights with its workers: a manifest whose purposes end in every way, and nodes that work."""

from hashlib import sha256

from consent import parse as parse_consent
from policies import Answer, read_policy, rights_question
from rights import EndTerms, HoldView, HoldWanted, PersonEnds, Retention, Rules, parse_end_terms
from rights.retention import store
from rights.retention.reckoning import Facts, unpack
from sayso.kernel import SYSTEM, Jobs, Tx, Work, bucket_of, load
from tests.rights.world import EMAIL, OFFICER, World, an_actor
from vault import parse as parse_collections
from vault import store as vault_store

MANIFEST = b"""
categories: [contact.email, contact.phone, behaviour, billing]
purposes:
  marketing.email:
    title: {en: News by e-mail}
    categories: [contact.email]
    expires_after: P24M
  similar:
    title: {en: Similar goods}
    legal_basis: legitimate_interest
    categories: [behaviour]
  support:
    title: {en: Customer care}
    legal_basis: contract
    categories: [contact.phone]
  tax:
    title: {en: Bookkeeping}
    legal_basis: legal_obligation
    categories: [billing]
    retention: P10Y
notices:
  web:
    version: 1
    purposes: [marketing.email]
    text: {en: "We write to you only if you say so."}
collections:
  customers:
    fields:
      email: {type: email, category: contact.email, index: [exact]}
      phone: {type: phone, category: contact.phone}
      basket: {type: text, category: behaviour, retention: behaviour}
      invoice: {type: text, category: billing, retention: invoices}
"""

SECOND_OFFICER = an_actor("omar", "officer")


class Working(World):
    """A world that works. Every `work` is a node of its own that looks at everything at once."""

    retention: Retention
    terms: EndTerms
    mark: str

    async def open(self) -> None:
        await self.cold(self.keyring.found, SYSTEM)
        await self.look(self.keyring.load)
        await self.apply()
        self.retention = Retention(
            self.audit, self.keyring, self.consent, self.vault, self.engine, self.rules_of, "P3Y"
        )

    async def apply(self, *changes: tuple[bytes, bytes], manifest: bytes = MANIFEST) -> None:
        """The manifest with something in it replaced."""
        for old, new in changes:
            assert old in manifest
            manifest = manifest.replace(old, new)
        tree = load([("manifest.yaml", manifest)])
        catalogue = await self.cold(lambda tx: self.consent.publish(tx, parse_consent(tree)), SYSTEM)
        self.policy, _ = read_policy(tree, catalogue, self.tenant)
        self.collections = parse_collections(tree.get("collections"), catalogue.categories)
        self.terms = parse_end_terms(tree.get("data_ends"))
        self.mark = sha256(manifest).hexdigest()

    def rules_of(self, _tenant: str) -> Rules:
        return Rules(self.policy, self.collections, self.terms, self.mark)

    async def work(self) -> list[str]:
        """Work until nothing is due; returns what was reported."""
        reported: list[str] = []

        def report(job: str, error: Exception) -> None:
            reported.append(f"{job}: {error!r}")

        jobs = Jobs(self.database, self.retention.jobs, alone=True, report=report)
        while await jobs.work(self.tenant, at_once=True):
            pass
        return reported

    async def fields(self, subject: bytes) -> list[str]:
        """The fields in which something of the person is stored."""
        return [each.field for each in await self.look(lambda tx: self.vault.held(tx, subject))]

    async def key_classes(self, subject: bytes) -> list[str]:
        """The classes in which the person has a key."""

        def unit(tx: Tx) -> Work[list[str]]:
            bucket = bucket_of(self.tenant, subject)
            (rows,) = yield (tx.query(vault_store.KEYS_OF, bucket=bucket, subject=subject),)
            return [row[0] for row in rows]

        return await self.look(unit)

    async def ends(self, subject: bytes) -> PersonEnds:
        return await self.look(lambda tx: self.retention.of_person(tx, subject))

    async def calendar(self, subject: bytes) -> tuple[int, Facts] | None:
        """The person's place in the calendar."""

        def unit(tx: Tx) -> Work[tuple[int, Facts] | None]:
            (row,) = yield (tx.get(store.DUE, subject),)
            return (row[1], unpack(row[3])) if row is not None else None

        return await self.look(unit)

    async def relate(self, subject: bytes, until: int | None = None, start: int | None = None) -> None:
        await self.hot(
            lambda tx: self.consent.relate(
                tx, self.policy.catalogue, subject, "order-1", "contract", ["support"], start, until
            )
        )

    async def in_germany(self, subject: bytes) -> None:
        """Where legitimate interest is known; where nobody knows the law, only consent counts."""
        await self.hot(lambda tx: self.consent.place(tx, subject, "de", "declared"))

    async def withdraw(self, subject: bytes) -> None:
        await self.hot(lambda tx: self.consent.withdraw(tx, self.policy.catalogue, subject, ["marketing.email"]))

    async def object(self, subject: bytes) -> None:
        await self.hot(lambda tx: self.consent.object_to(tx, self.policy.catalogue, subject, ["similar"]))

    async def somebody(self, value: str = "c-1", *, granted: bool = True) -> bytes:
        """A customer with an e-mail address in the vault, who said yes to news."""
        subject = await self.resolve(value)
        if granted:
            await self.choose(subject)
        await self.store(subject, email=EMAIL)
        return subject

    async def held(self, *people: bytes, categories: tuple[str, ...] = (), until: int = 0) -> HoldView:
        """A hold that one officer proposed and another approved."""
        wanted = HoldWanted(matter="Case 7", people=people, categories=categories, until=until)
        names = self.policy.catalogue.categories
        proposed = await self.cold(lambda tx: self.retention.holds.propose(tx, names, wanted), OFFICER)
        return await self.cold(lambda tx: self.retention.holds.approve(tx, proposed.hold), SECOND_OFFICER)

    async def ask_officer(self, subject: bytes, action: str) -> Answer:
        """What the rules let an officer do for the person's rights."""
        asked = rights_question(OFFICER, subject, action)
        return await self.hot(lambda tx: self.engine.evaluate(tx, self.policy, asked), OFFICER)

    async def released(self, hold: str) -> HoldView:
        await self.cold(lambda tx: self.retention.holds.release(tx, hold, "over"), OFFICER)
        return await self.cold(lambda tx: self.retention.holds.approve(tx, hold), SECOND_OFFICER)
