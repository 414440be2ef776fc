"""Guarded values: a second person, or the glass broken aloud; canaries; refusals that cannot be told apart."""

from typing import Any

import pytest

from sayso.kernel import Obligation, Tx, Work
from tests.builders.vault import House, a_client, a_manifest, a_permit, rows_of
from vault import Ask, Glass, GrantDecided, NoGrant, OwnGrant, Revealed, SubjectFacts, Term, Unresolvable
from vault import tables as t
from vault.ciphers.decoy import Decoy
from vault.keys.wrapped import DataKey
from vault.opening.guarding import way
from vault.tokens.token import new_token
from vault.writing.finding import find

MANIFEST = """
customers:
  fields:
    email: {type: email, category: contact.email, index: [exact]}
    number: {type: cn_resident_id, category: identity, guard: [second_person, break_glass], facts: [year]}
    card: {type: card, category: identity, guard: second_person}
    code: {type: text, category: identity, token: {uses: 1}}
"""
ADA = {"email": "ada@example.org", "number": "11010519491231002X", "card": "4111111111111111", "code": "x"}


@pytest.fixture
async def shop(house: House) -> House:
    house.collections = a_manifest(MANIFEST)
    return house


async def reveal(
    shop: House, token: str, *obligations: str, grant: str | None = None, glass: Glass | None = None, **more: Any
) -> str | None:
    action = "read" if more.get("transform") else "reveal"

    def unit(tx: Tx) -> Work[Revealed | Unresolvable]:
        approved = yield from shop.vault.take_grant(tx, grant, "support", [token])
        located = yield from shop.vault.locate(tx, shop.collections, token)
        permit = a_permit(shop.tenant, located.subject, located.category, action, *obligations)
        ask = Ask(purpose="support", reason="r", approved=approved, glass=glass, **more)
        return (yield from shop.vault.reveal(tx, located, permit, ask))

    answer = await shop.database.run(shop.context(), unit)
    return answer.value if isinstance(answer, Revealed) else None


async def ask(shop: House, *tokens: str) -> str:
    asked = await shop.database.run_alone(
        shop.context(),
        lambda tx: shop.vault.ask_grant(tx, shop.actor.name, "support", list(tokens), "the bank asks", "T-1"),
    )
    assert (asked.state, asked.reason, asked.tokens, asked.asked_by) == ("waiting", "the bank asks", len(tokens), "crm")
    return asked.grant


async def decide(shop: House, grant: str, *, approve: bool = True, who: str = "boss") -> str:
    actor = a_client(who, "officer")
    decided = await shop.database.run_alone(
        shop.context(actor), lambda tx: shop.vault.decide_grant(tx, who, grant, approve=approve)
    )
    return decided.state


@pytest.mark.parametrize(
    ("guards", "approved", "glass", "by"),
    [
        ((), False, False, ""),
        (("second_person",), False, True, None),
        (("second_person",), True, False, "second_person"),
        (("break_glass",), True, False, None),
        (("break_glass",), False, True, "break_glass"),
        (("second_person", "break_glass"), True, True, "second_person"),
        (("second_person", "break_glass"), False, False, None),
    ],
)
def test_which_way_opens_a_guarded_value(guards: tuple[str, ...], approved: bool, glass: bool, by: str | None) -> None:
    assert way(guards, obliged("log", "mask_last4"), approved=approved, glass=glass) == by
    either = [Obligation("R.second_person", "second_person", {"or": "break_glass"})]
    asked = either if len(guards) == 2 else obliged(*guards)
    assert way((), asked, approved=approved, glass=glass) == by
    assert way(guards, asked, approved=approved, glass=glass) == by


@pytest.mark.parametrize("field", [("second_person",), ("break_glass",)])
def test_no_rule_loosens_a_field_and_no_field_a_rule(field: tuple[str, ...]) -> None:
    """One asks for a second person, the other for broken glass: it takes both, and that is heard."""
    other = obliged(*({"second_person", "break_glass"} - set(field)))
    assert way(field, other, approved=True, glass=False) is None
    assert way(field, other, approved=False, glass=True) is None
    assert way(field, other, approved=True, glass=True) == "break_glass"


def obliged(*names: str) -> list[Obligation]:
    return [Obligation(f"R.{name}", name, {}) for name in names]


async def test_a_guarded_value_opens_once_after_another_person_approved(shop: House) -> None:
    token = (await shop.store(await shop.person(), **ADA))["card"]
    assert await reveal(shop, token) is None
    grant = await ask(shop, token)
    assert await reveal(shop, token, grant=grant) is None
    with pytest.raises(OwnGrant):
        await decide(shop, grant, who="crm")
    assert await decide(shop, grant) == "approved"
    assert await reveal(shop, token, grant=grant) == ADA["card"]
    assert await reveal(shop, token, grant=grant) is None
    with pytest.raises(GrantDecided):
        await decide(shop, grant)


async def test_a_grant_opens_only_what_it_was_asked_for(shop: House) -> None:
    mine, other = [await shop.store(await shop.person(), **ADA) for _ in range(2)]
    grant = await ask(shop, mine["card"])
    await decide(shop, grant)
    assert await reveal(shop, other["card"], grant=grant) is None
    shop.actor = a_client("somebody else")
    assert await reveal(shop, mine["card"], grant=grant) is None
    shop.actor = a_client("crm")
    assert await reveal(shop, mine["card"], grant="gnt_" + "0" * 32) is None
    assert await reveal(shop, mine["card"], grant=grant) == ADA["card"]


async def test_a_refused_grant_and_an_old_one_open_nothing(shop: House) -> None:
    token = (await shop.store(await shop.person(), **ADA))["card"]
    refused = await ask(shop, token)
    assert await decide(shop, refused, approve=False) == "refused"
    assert await reveal(shop, token, grant=refused) is None
    old = await ask(shop, token)
    await decide(shop, old)
    await shop.cold(lambda tx: tx.execute(t.vault_grant.update().values(ends_at=1)))
    assert await reveal(shop, token, grant=old) is None
    states = [one.state for one in await shop.database.look(shop.context(), shop.vault.grants)]
    assert sorted(states) == ["over", "refused"]
    with pytest.raises(NoGrant):
        await decide(shop, "gnt_" + "0" * 32)


async def test_broken_glass_opens_at_once_and_sounds_an_alarm(shop: House) -> None:
    tokens = await shop.store(await shop.person(), **ADA)
    assert await reveal(shop, tokens["number"], glass=Glass("an accident", "T-9")) == ADA["number"]
    # The card's field does not allow it, an open field has no glass to break.
    assert await reveal(shop, tokens["card"], glass=Glass("an accident")) is None
    assert await reveal(shop, tokens["email"], glass=Glass("an accident")) == ADA["email"]
    assert await alarms(shop) == 1


async def test_an_obligation_of_a_rule_guards_too_and_a_declared_fact_needs_no_guard(shop: House) -> None:
    tokens = await shop.store(await shop.person(), **ADA)
    assert await reveal(shop, tokens["email"], "second_person") is None
    assert await reveal(shop, tokens["number"]) is None
    assert await reveal(shop, tokens["number"], transform="year") == "1949"
    # The field's guard is not there for facts; a rule that asks for somebody else asks for facts too.
    assert await reveal(shop, tokens["number"], "second_person", transform="year") is None
    assert await reveal(shop, tokens["number"], "break_glass", transform="year", glass=Glass("an accident")) == "1949"


async def alarms(shop: House) -> int:
    from sayso.kernel.schema import feed

    return len([row for row in await rows_of(shop, feed) if row["kind"] == "vault.alarm.raised"])


async def test_whoever_opens_or_finds_a_canary_is_heard(shop: House) -> None:
    bait, person = await shop.person(), await shop.person()
    tokens = await shop.store(bait, **ADA)
    theirs = await shop.store(person, email="bob@example.org")
    facts = SubjectFacts(bait, known=True, erased=False)
    for _ in range(2):
        await shop.database.run_alone(shop.context(), lambda tx: shop.vault.plant(tx, facts))
    assert await shop.database.look(shop.context(), shop.vault.planted) == [bait]
    await reveal(shop, theirs["email"])
    assert await alarms(shop) == 0
    assert await reveal(shop, tokens["email"]) == ADA["email"]
    assert await reveal(shop, tokens["card"]) is None
    assert await alarms(shop) == 2
    await shop.search(Term("email", ADA["email"]))
    assert await alarms(shop) == 3
    await shop.database.run_alone(shop.context(), lambda tx: shop.vault.lift(tx, bait))
    await reveal(shop, tokens["email"])
    assert await alarms(shop) == 3


async def test_whatever_answers_a_request_leaves_out_what_is_held_back_and_is_heard_of_a_canary(shop: House) -> None:
    bait = await shop.person()
    await shop.store(bait, **ADA)
    facts = SubjectFacts(bait, known=True, erased=False)
    await shop.database.run_alone(shop.context(), lambda tx: shop.vault.plant(tx, facts))

    async def opened(*obligations: str, approved: bool = False) -> tuple[set[str], set[str]]:
        permit = a_permit(shop.tenant, bait, "any", "export", *obligations)
        done = await shop.database.run_alone(
            shop.context(), lambda tx: shop.vault.values(tx, shop.collections, bait, permit, approved=approved)
        )
        return set(done.values.get("customers", {})), {each.removeprefix("customers.") for each in done.withheld}

    assert await opened() == ({"email"}, {"number", "card", "code"})
    assert await opened("second_person") == (set(), set(ADA))
    assert await opened("second_person", approved=True) == (set(ADA), set())
    assert await alarms(shop) == 3


async def test_a_text_with_a_canary_is_heard_whether_or_not_anything_in_it_is_theirs(shop: House) -> None:
    bait = await shop.person()
    await shop.store(bait, **ADA)
    facts = SubjectFacts(bait, known=True, erased=False)
    text = f"I am {ADA['email']}"

    async def redact(*, stored: bool) -> None:
        collection = shop.collections["customers"] if stored else None
        await shop.database.run(
            shop.context(),
            lambda tx: shop.vault.redact(tx, text, find(text, None), facts=facts, collection=collection),
        )

    await redact(stored=True)
    assert await alarms(shop) == 0
    await shop.database.run_alone(shop.context(), lambda tx: shop.vault.plant(tx, facts))
    await redact(stored=True)
    await redact(stored=False)
    assert await alarms(shop) == 2


async def test_a_token_for_one_use_named_twice_in_one_call_opens_once(shop: House) -> None:
    token = (await shop.store(await shop.person(), **ADA))["code"]

    def unit(tx: Tx) -> Work[list[bool]]:
        opened = []
        for _ in range(2):
            located = yield from shop.vault.locate(tx, shop.collections, token)
            permit = a_permit(shop.tenant, located.subject, located.category, "reveal")
            done = yield from shop.vault.reveal(tx, located, permit, Ask(purpose="support", reason="r"))
            opened.append(isinstance(done, Revealed))
        return opened

    assert await shop.database.run(shop.context(), unit) == [True, False]
    assert await shop.value(token) is None


async def test_many_are_opened_in_order_with_one_entry(shop: House) -> None:
    tokens = [(await shop.store(await shop.person(), email=f"p{n}@example.org"))["email"] for n in range(5)]
    named = [*tokens[:3], new_token(), *tokens[3:]]

    def unit(tx: Tx) -> Work[Any]:
        asked = []
        for token in named:
            located = yield from shop.vault.locate(tx, shop.collections, token)
            permit = a_permit(shop.tenant, located.subject, located.category, "reveal")
            asked.append((located, permit, Ask(purpose="support", reason="r")))
        return (yield from shop.vault.reveal_many(tx, asked))

    values, entry = await shop.database.run(shop.context(), unit)
    expected = [f"p{n}@example.org" for n in range(5)]
    assert values == [*expected[:3], None, *expected[3:]]
    assert entry.startswith("ent_")


async def test_every_refusal_costs_the_same_openings(shop: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown, mistyped, another client's, spent, guarded, denied, undeclared: as many reads, unwraps and openings."""
    subject = await shop.person()
    tokens = await shop.store(subject, **ADA)
    mailer = await shop.store(subject, "mailer", email=ADA["email"])
    assert await shop.value(tokens["code"]) == "x"
    counted: list[str] = []
    for cls, name in ((Decoy, "unwrap"), (DataKey, "open")):
        real = getattr(cls, name)

        def counting(self: Any, *args: Any, real: Any = real, name: str = name) -> Any:
            counted.append(name)
            return real(self, *args)

        monkeypatch.setattr(cls, name, counting)
    unwrap = shop.keyring.unwrap

    def unwrapping(tenant: str, owner: bytes, cls: str, row: Any) -> Any:
        if row is not None:
            counted.append("unwrap")
        return unwrap(tenant, owner, cls, row)

    monkeypatch.setattr(shop.keyring, "unwrap", unwrapping)

    async def cost(token: str, **more: Any) -> tuple[int, int]:
        counted.clear()
        assert isinstance(await shop.reveal(token, **more), Unresolvable)
        return counted.count("unwrap"), counted.count("open")

    costs = {
        "unknown": await cost(new_token()),
        "mistyped": await cost("tok_x"),
        "of another client": await cost(mailer["email"]),
        "spent": await cost(tokens["code"]),
        "guarded": await cost(tokens["card"]),
        "denied": await cost(tokens["email"], permitted=False),
    }
    assert len(set(costs.values())) == 1, costs
    counted.clear()
    assert isinstance(await shop.reveal(tokens["email"]), Revealed)
    assert (counted.count("unwrap"), counted.count("open")) == next(iter(costs.values()))
