"""Ninety days of the demo brand, from invented people and one seed.

The past is made by the same façades as the present: each unit of work is given a `Context` whose time lies back, and
everything else follows (records, states, receipts, entries, erasures).
"""

import asyncio
import random
from collections.abc import Awaitable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from consent import Identifier, Submission, Telling
from policies import Access, Evaluation, Question
from rights import Opening
from sayso.kernel import DAY, Context, Tx, Unit, Work, load, new_id, now, raw
from sayso.server.call import Call
from sayso.server.callers.auth import Principal, operator
from sayso.server.callers.clients import NewKey, create_key
from sayso.server.calls.decisions import evaluate
from sayso.server.feed import NewWebhook
from sayso.server.logkeeping.exporting import Filter, order
from sayso.server.mailroom import MAILER_PATH
from sayso.server.manifests.applying import apply_tree
from sayso.server.settings import Settings
from sayso.server.tenancy import DEFAULT
from sayso.server.wiring import Services
from vault import Ask, SubjectFacts

MANIFEST = Path(__file__).with_name("demo.yaml")
CLIENTS = ("shop", "crm", "mailer", "call_centre", "analytics")
PEOPLE = 240
DAYS = 90
SEED = 20261121

_TELLING, _LESS, _SAMPLES = 0.6, 0.3, 0.7
_TEAS = ("green", "white", "oolong", "black", "puer", "herbal")
_FIRST = "Ada Bo Chen Dara Elif Femi Grace Hui Ines Jun Kofi Lan Maeve Nuala Omar Pia Qing Rory Una Wei Zoe".split()
_LAST = "Byrne Cheng Dunne Evans Fan Gallo Huang Ito Jansen Kelly Liu Moreau Nolan Okoye Quinn Sun Tan Yang".split()


class Customer:
    """One invented person, and what they came to be in the store."""

    __slots__ = ("day", "email", "name", "number", "phone", "subject", "tokens")

    def __init__(self, number: int, dice: random.Random) -> None:
        first, last = dice.choice(_FIRST), dice.choice(_LAST)
        self.number = number
        self.day = dice.randrange(DAYS - 1)
        self.name = f"{first} {last}"
        self.email = f"{first}.{last}{number}@example.org".lower()
        self.phone = f"+44 7700 900{number:03d}"  # numbers that Ofcom keeps for fiction
        self.subject = b""
        self.tokens: dict[str, str] = {}


class Past:
    """Ninety days of one brand, from `start` on."""

    def __init__(self, services: Services, start: int) -> None:
        self._services = services
        self._start = start
        self._dice = random.Random(SEED)  # noqa: S311 - the demo is to be the same every time
        self._people = [Customer(number, self._dice) for number in range(PEOPLE)]
        self._admin = operator(DEFAULT)

    async def declare(self, settings: Settings) -> None:
        """The manifest, with the site's origins at the address that will be served."""
        content = (
            MANIFEST.read_text("utf-8")
            .replace("8080", str(settings.port))
            .replace("preferences_url: /demo/", f"preferences_url: {settings.base_url}/demo/")
        )
        tree = load([(MANIFEST.name, content.encode())])
        await self._alone(0, self._admin, lambda tx: apply_tree(self._services, tree, tx))

    async def make_keys(self) -> dict[str, str]:
        """A key for each service of the brand."""
        keys = {}
        for name in CLIENTS:
            made = await self._alone(0, self._admin, partial(create_key, self._services, NewKey(name)))
            keys[name] = made.key
        return keys

    async def listen(self, settings: Settings) -> str:
        """Have the mailer told of changes at the address served now; the webhook's secret."""
        feed = self._services.feed.subscriptions

        def unit(tx: Tx) -> Work[str]:
            earlier = yield from feed.listed(tx)
            for each in earlier:
                if each.url.endswith(MAILER_PATH):
                    yield from feed.delete(tx, each.id)
            address = NewWebhook(f"http://{settings.host}:{settings.port}{MAILER_PATH}", client="mailer")
            made = yield from feed.create(tx, address)
            return made.secret or ""

        secret: str = await self._alone(0, self._admin, unit)
        return secret

    async def happen(self, days: Iterable[int] = range(DAYS)) -> None:
        """Day after day: people come, choose, order, change their minds; services ask. `days` may show progress."""
        for day in days:
            await self._together(self._arrives(customer, day) for customer in self._people if customer.day == day)
            here = [customer for customer in self._people if customer.subject and customer.day < day]
            await self._together(self._lives(customer, day) for customer in here)
        await self._rights()

    async def report(self) -> None:
        """Order the report on who used what, which is made as soon as the server runs."""
        call = Call(self._services, self._admin, new_id("req"), "demo.report")
        await call.alone(lambda tx: order(call, tx, "access", "json", Filter(), ()))

    async def _arrives(self, customer: Customer, day: int) -> None:
        """A first order: the person, their address, a contract, and what they chose."""
        services, dice, shop = self._services, self._dice, self._client("shop")
        at = self._at(day)
        resolved = await self._run(
            at, shop, lambda tx: services.registry.resolve(tx, Identifier("email", customer.email), create=True)
        )
        customer.subject = raw(resolved.subject, "sub")
        facts = SubjectFacts(customer.subject, known=True, erased=False)
        fields = {"email": customer.email, "phone": customer.phone, "name": customer.name}
        stored = await self._run(
            at, shop, lambda tx: services.vault.store(tx, self._live.collections, facts, "customers", fields)
        )
        customer.tokens = stored.tokens
        ref = f"order-{1000 + customer.number}"
        await self._run(
            at, shop, lambda tx: services.registry.relate(tx, self._live.catalogue, customer.subject, ref, "contract")
        )
        code = dice.choice(("gb", "gb", "gb", "ie", "de", "fr", "cn"))
        await self._run(at, shop, lambda tx: services.registry.place(tx, customer.subject, code, "shipping"))
        yes = {"marketing.email": 0.55, "analytics": 0.5, "ads": 0.25}
        choices: Any = {name: "granted" if dice.random() < share else "refused" for name, share in yes.items()}
        submission = Submission(
            choices=choices,
            notice="web",
            notice_version=1,
            locale="zh-CN" if code == "cn" else "en",
            method="banner",
            subject=customer.subject,
        )
        await self._run(
            at + 60_000_000, shop, lambda tx: services.registry.record(tx, self._live.catalogue, submission)
        )

        if dice.random() < _TELLING:
            await self._run(at + 120_000_000, shop, partial(self._tells, customer))

    def _tells(self, customer: Customer, tx: Tx) -> Work[Any]:
        """What somebody says on the preference page, a few minutes after their first order."""
        dice = random.Random(customer.number)  # noqa: S311 - a unit may run twice and must say the same
        values: dict[str, Any] = {"teas": dice.sample(_TEAS, dice.randint(1, 3)), "samples": dice.random() < _SAMPLES}
        if dice.random() < _LESS:
            values["frequency"] = {"email": {"most": dice.choice((1, 2)), "per": "month"}}
        if dice.random() < _LESS:
            values["channels"] = {"sms": False}
        if dice.random() < _LESS:
            values["quiet_hours"] = {"from": "21:00", "until": "08:00", "zone": "Europe/London"}
        telling = Telling(values=values, method="preference_centre", assurance="link")
        book = self._services.registry.preferences
        return (yield from book.change(tx, self._live.questionnaire, customer.subject, telling))

    async def _lives(self, customer: Customer, day: int) -> None:
        """Perhaps a service asks about them today; perhaps they change their mind."""
        dice, services = self._dice, self._services
        fate = dice.random()
        at = self._at(day)
        if fate < 0.02:
            how: Any = {"method": "preference_centre", "assurance": "link"}
            purposes = ["marketing.email"]
            await self._run(
                at,
                self._client("shop"),
                lambda tx: services.registry.withdraw(tx, self._live.catalogue, customer.subject, purposes, **how),
            )
        elif fate < 0.05:
            await self._ask(at, "mailer", "use", "contact.email", customer)
        elif fate < 0.06:
            await self._ask(at, "analytics", "aggregate", "behaviour", customer)
        elif fate < 0.07:
            await self._ask(at, "call_centre", "reveal", "contact.phone", customer)
        elif fate < 0.075:
            await self._ask(at, "mailer", "use", "health", customer)
        elif fate < 0.08:
            await self._reveal(at, customer)

    async def _ask(self, at: int, client: str, action: str, category: str, customer: Customer) -> None:
        body = {
            "subject": {"type": "service", "id": client},
            "action": {"name": action},
            "resource": {"type": category, "id": f"sub_{customer.subject.hex()}"},
        }
        principal = self._client(client)
        question = msgspec.convert(body, Evaluation)
        await self._run(at, principal, evaluate(self._services, principal, question))

    async def _reveal(self, at: int, customer: Customer) -> None:
        """The call centre rings back: it sees the last four digits."""
        services, principal = self._services, self._client("call_centre")

        def unit(tx: Tx) -> Work[Any]:
            located = yield from services.vault.locate(tx, self._live.collections, customer.tokens["phone"])
            question = Question(
                roles=principal.actor.roles, action="reveal", category=located.category, purpose="support"
            )
            answer = yield from services.engine.judge(tx, self._live.policy, Access(question, subject=located.subject))
            why = "" if answer.permit is not None else answer.decision.reason
            ask = Ask(purpose="support", reason="call back", policy=answer.policy, why=why)
            return (yield from services.vault.reveal(tx, located, answer.permit, ask))

        await self._run(at, principal, unit)

    async def _rights(self) -> None:
        """Two erasures that were carried out, and one that waits."""
        services = self._services
        chosen = [customer for customer in self._people if customer.subject][:3]
        for number, customer in enumerate(chosen):
            at = self._at(DAYS - 6 + number)
            opening = Opening(subject=customer.subject, kind="erasure", law="gdpr")
            opened = await self._alone(at, self._admin, partial(self._opened, opening))
            if number < 2:
                request = opened.request
                await self._alone(at + DAY, self._admin, partial(self._verified, request))
                context = self._admin.context(new_id("req"), at + DAY + 1)
                await services.desk.fulfil(services.database, context, self._live.policy, request)

    def _opened(self, opening: Opening, tx: Tx) -> Work[Any]:
        return self._services.desk.open(tx, self._live.policy, opening)

    def _verified(self, request: str, tx: Tx) -> Work[Any]:
        return self._services.desk.verify(tx, request, "officer")

    @property
    def _live(self) -> Any:
        return self._services.configurations.of(DEFAULT)

    def _client(self, name: str) -> Principal:
        actor = self._live.client(name)
        assert actor is not None
        return Principal(DEFAULT, actor)

    def _at(self, day: int) -> int:
        """A moment of that day, between eight and eight."""
        return self._start + day * DAY + self._dice.randrange(8 * 3600, 20 * 3600) * 1_000_000

    async def _run(self, at: int, principal: Principal, unit: Unit[Any]) -> Any:
        return await self._services.database.run(self._context(at, principal), unit)

    async def _alone(self, at: int, principal: Principal, unit: Unit[Any]) -> Any:
        context = self._context(at or self._start, principal)
        done = await self._services.database.run_alone(context, unit)
        await self._services.configurations.refresh(DEFAULT)
        return done

    def _context(self, at: int, principal: Principal) -> Context:
        return principal.context(new_id("req"), min(at, now()))

    async def _together(self, works: Iterable[Awaitable[None]]) -> None:
        await asyncio.gather(*works)
