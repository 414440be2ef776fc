"""What is answered about many is what is answered about each, after any history and on both databases."""

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
from freezegun import freeze_time

from consent import Identifier
from policies import Access, Judged, Question
from policies.audiences.columns import Columns
from sayso.kernel import SYSTEM, Actor, Context, SaysoError, Tx, Work, new_id, now, raw
from tests.server.questionnaire import NIGHT, prefer
from tests.server.worlds import World

RULES = """
categories: [contact.email, contact.phone]
purposes:
  marketing: {title: {en: a}, direct_marketing: true, legal_basis: {eea: consent, us: notice}}
  marketing.email: {title: {en: b}, categories: [contact.email], channels: [email], expires_after: P1D}
  marketing.similar: {title: {en: c}, legal_basis: {eea: legitimate_interest, us: notice}, channels: [email]}
  orders: {title: {en: d}, legal_basis: contract, channels: [email]}
notices:
  web: {version: 1, purposes: [marketing.email, marketing.similar], text: {en: "Say so."}}
roles: {sender: []}
rules:
  - {id: R1, role: sender, action: use, category: contact.email, purpose: marketing, effect: allow, basis: consent}
  - {id: R2, role: sender, action: use, category: contact.email, purpose: marketing.similar, effect: allow,
     basis: legitimate_interest, jurisdiction: eea}
  - {id: R3, role: sender, action: use, category: contact.email, purpose: orders, effect: allow, basis: contract}
"""
SENDER = Actor("key_" + "01" * 16, "sender", "service", frozenset({"sender"}))
QUESTIONS = [
    Question(roles=SENDER.roles, action="use", category="contact.email", purpose=purpose, channel=channel)
    for purpose in ("marketing.email", "marketing.similar", "orders")
    for channel in (None, "email")
]


class History:
    """Things that happen to a dozen people, by chance."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.people: list[str] = []
        self.aids: list[int] = []

    async def begin(self, count: int) -> None:
        for place in range(count):
            subject = await self.world.person(f"c-{place}")
            found = await self.world.admin.post(
                "/v1/subjects/resolve",
                json={"identifier": {"type": "customer_id", "value": f"c-{place}"}, "create": False},
            )
            self.people.append(subject)
            self.aids.append(int(found.json()["aid"]))

    async def happen(self) -> None:
        subject = self.chance.choice(self.people)
        act: Callable[[str], Any] = self.chance.choice(
            [self.choose, self.choose, self.withdraw, self.wish, self.restrict, self.place, self.relate, self.join,
             self.grow, self.forget]
        )  # fmt: skip
        try:
            await act(subject)
        except SaysoError:
            pass  # somebody who is gone by now, or two who are one already

    async def choose(self, subject: str) -> None:
        said = {name: self.chance.choice(["granted", "refused"]) for name in ("marketing.email", "marketing.similar")}
        await self.world.choose(subject, choices=said)

    async def withdraw(self, subject: str) -> None:
        what: Any = self.chance.choice(["all", ["marketing"], ["marketing.similar"]])
        await self.world.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": what, "method": "api"})

    async def wish(self, subject: str) -> None:
        weekly = {"email": {"most": 1, "per": "week"}}
        wishes: list[Any] = [{"quiet_hours": NIGHT}, {"channels": {"email": False}}, {"frequency": weekly}]
        values = self.chance.choice(wishes)
        assert (await prefer(self.world, subject, values)).status_code in (200, 404)

    async def restrict(self, subject: str) -> None:
        on = self.chance.random() < 0.6
        await self.unit(lambda tx: self.registry.restrict(tx, raw(subject), on=on))

    async def place(self, subject: str) -> None:
        code = self.chance.choice(["de", "us", "cn"])
        await self.unit(lambda tx: self.registry.place(tx, raw(subject), code, "declared"))

    async def relate(self, subject: str) -> None:
        until = now() + 3_600_000_000 * self.chance.randint(1, 20)
        await self.unit(
            lambda tx: self.registry.relate(tx, self.catalogue, raw(subject), "o-1", "contract", until=until)
        )

    async def grow(self, subject: str) -> None:
        youngest = self.chance.choice([10, 15, 30])
        await self.unit(
            lambda tx: self.registry.facts.age(tx, self.catalogue, raw(subject), youngest, None, "declared")
        )

    async def join(self, subject: str) -> None:
        other = Identifier("customer_id", f"c-{self.chance.randrange(len(self.people))}")
        await self.unit(lambda tx: self.registry.identities.link(tx, self.catalogue, raw(subject), other))

    async def forget(self, subject: str) -> None:
        if self.chance.random() < 0.3:
            opened = await self.world.admin.post(
                "/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": "gdpr"}
            )
            place = f"/v1/rights/requests/{opened.json().get('request')}"
            await self.world.admin.post(f"{place}/verify", json={"method": "officer"})
            await self.world.admin.post(f"{place}/fulfil", json={})

    async def unit(self, unit: Callable[[Tx], Work[Any]]) -> Any:
        return await self.world.services.database.run_alone(self.context(), unit)

    @property
    def registry(self) -> Any:
        return self.world.services.registry

    @property
    def catalogue(self) -> Any:
        return self.world.services.configurations.of("default").catalogue

    def context(self) -> Context:
        return Context("default", SENDER, now(), new_id("req"))

    async def compare(self) -> int:
        """Every question about everybody, in one and one by one; returns how many were permitted."""
        services, context = self.world.services, self.context()
        policy = services.configurations.of("default").policy
        permitted = 0
        for question in QUESTIONS:
            judged: Judged = await services.crowds.judge(
                context, policy, question, np.array(sorted(self.aids), np.uint64)
            )
            assert judged.places is not None
            known = dict(zip(judged.aids.tolist(), judged.codes.tolist(), strict=True))
            for subject, aid in zip(self.people, self.aids, strict=True):
                access = Access(question, raw(subject))
                alone = await services.database.look(
                    context, partial(services.engine.judge, policy=policy, access=access)
                )
                together = judged.table[known[aid]]
                assert (together.reason, together.rule, together.basis) == (
                    alone.decision.reason,
                    alone.decision.rule,
                    alone.decision.basis,
                ), (subject, question)
                permitted += alone.decision.allowed
        return permitted


async def made(world: World) -> Columns:
    """The columns of the brand, made now if there are none."""
    making = world.services.crowds.prepare("default", world.services.configurations.of("default").policy)
    if making is not None:
        await making
    columns = world.services.crowds._held["default"].columns
    assert columns is not None
    return columns


async def test_what_is_answered_about_many_is_what_is_answered_about_each(world: World) -> None:
    assert (await world.apply(RULES)).status_code == 200
    history = History(world, 7)
    permitted = 0
    with freeze_time("2027-03-01T09:00:00Z", real_asyncio=True) as clock:
        await history.begin(14)
        for subject in history.people[:10]:
            await history.choose(subject)
        await made(world)
        for turn in range(9):
            for _ in range(5):
                await history.happen()
            permitted += await history.compare()
            clock.tick(timedelta(hours=5 if turn % 2 else 0, minutes=3))
    assert permitted > 40


async def test_two_processes_know_at_once_what_each_other_did(world: World) -> None:
    """The columns of one process are asked right after another changed a person: the feed tells it in time."""
    assert (await world.apply(RULES)).status_code == 200
    history = History(world, 1)
    await history.begin(3)
    for subject in history.people:
        await world.choose(subject, choices={"marketing.email": "granted"})
    await made(world)
    before = await history.compare()
    # Not through this process's application, but through the database alone, as another would.
    named = history.people[0]
    context = Context("default", SYSTEM, now(), new_id("req"))
    await world.services.database.run_alone(
        context,
        lambda tx: world.services.registry.withdraw(tx, history.catalogue, raw(named), "all", method="api"),
    )
    assert await history.compare() < before


async def test_columns_that_the_feed_cannot_bring_up_to_date_are_made_anew(world: World) -> None:
    assert (await world.apply(RULES)).status_code == 200
    history = History(world, 2)
    await history.begin(2)
    services, policy = world.services, world.services.configurations.of("default").policy
    columns = await made(world)
    # The feed begins behind what the columns know: a week went by.
    columns.position -= 1
    await services.database.run_alone(history.context(), lambda tx: _without_feed(tx))
    question, aids = QUESTIONS[0], np.array(sorted(history.aids), np.uint64)
    judged = await services.crowds.judge(history.context(), policy, question, aids)
    assert judged.places is None
    assert await made(world) is not columns
    assert (await services.crowds.judge(history.context(), policy, question, aids)).places is not None


def _without_feed(tx: Tx) -> Work[None]:
    from sayso.server.feed.store import changes_before

    tx.execute(changes_before(tx.head.position + 1))
    yield ()


async def test_a_change_of_purposes_makes_columns_anew(world: World) -> None:
    assert (await world.apply(RULES)).status_code == 200
    services = world.services
    columns = await made(world)
    more = RULES.replace("  orders:", "  parcels: {title: {en: e}, legal_basis: contract}\n  orders:")
    assert (await world.apply(more)).status_code == 200
    history = History(world, 3)
    await history.begin(1)
    policy = services.configurations.of("default").policy
    judged = await services.crowds.judge(history.context(), policy, QUESTIONS[0], np.array(history.aids, np.uint64))
    assert judged.places is None
    assert (await made(world)).purposes != columns.purposes
