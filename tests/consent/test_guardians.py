"""Guardians and children who turn out to go by several ids. On both databases."""

import pytest

from consent import GuardianOfTheOther, Identifier, NotAGuardian
from sayso.kernel import Invalid, text
from tests.consent.conftest import Store
from tests.consent.test_identities import EMAIL, found, link

NEWS = {"marketing.email": "granted"}
TABLET = Identifier("device", "t" * 22)


async def a_child(store: Store) -> tuple[bytes, bytes]:
    """A child of thirteen and the mother who may choose for it."""
    child, mother = await store.person("kim"), await store.person("kims-mother")
    facts, catalogue = store.registry.facts, store.catalogue
    await store.hot(lambda tx: facts.age(tx, catalogue, child, 13, 15, "declared"))
    await store.hot(lambda tx: facts.guard(tx, child, mother, "document", "shop"))
    return child, mother


async def guardians(store: Store, child: bytes) -> list[bytes]:
    state = await store.look(lambda tx: store.registry.person(tx, child))
    assert state is not None
    assert state.minority is not None
    return [each.subject for each in state.minority.guardians]


@pytest.mark.parametrize("kept", ["child", "mother"])
async def test_a_child_and_their_guardian_are_never_one_person(store: Store, kept: str) -> None:
    child, mother = await a_child(store)
    identifiers = {"child": Identifier("customer_id", "kim"), "mother": Identifier("customer_id", "kims-mother")}
    with pytest.raises(GuardianOfTheOther):
        await link(store, child if kept == "child" else mother, identifiers["mother" if kept == "child" else "child"])
    assert {await found(store, each) for each in identifiers.values()} == {text("sub", child), text("sub", mother)}


async def test_nor_by_way_of_an_id_that_either_got_since(store: Store) -> None:
    child, mother = await a_child(store)
    await store.person(EMAIL.value, EMAIL.type)
    await link(store, mother)
    with pytest.raises(GuardianOfTheOther):
        await link(store, child)
    device = await store.person(TABLET.value, TABLET.type)
    await link(store, child, TABLET)
    with pytest.raises(GuardianOfTheOther):
        await link(store, mother, TABLET)
    with pytest.raises(Invalid) as own:
        await store.hot(lambda tx: store.registry.facts.guard(tx, child, device, "document", "shop"))
    assert own.value.slug == "own-guardian"


async def test_a_child_that_is_merged_keeps_its_guardian_and_what_they_said(store: Store) -> None:
    child, mother = await a_child(store)
    await store.record(child, choices=NEWS, indicated_by=mother)
    device = await store.person(TABLET.value, TABLET.type)
    await link(store, device, Identifier("customer_id", "kim"))
    for subject in (child, device):
        assert await guardians(store, subject) == [mother]
        stands = await store.look(lambda tx, s=subject: store.registry.state(tx, store.catalogue, s))
        assert stands.purposes["marketing.email"].status == "granted"
        assert stands.purposes["marketing.email"].indicated_by == text("sub", mother)


async def test_a_guardian_who_goes_by_another_id_since_goes_on_choosing(store: Store) -> None:
    child, mother = await a_child(store)
    account = await store.person(EMAIL.value, EMAIL.type)
    await link(store, account, Identifier("customer_id", "kims-mother"))
    done = await store.record(child, choices=NEWS, indicated_by=account)
    assert done.state["marketing.email"].indicated_by == text("sub", mother), "as recorded"
    stranger = await store.person("c-9")
    with pytest.raises(NotAGuardian):
        await store.record(child, choices=NEWS, indicated_by=stranger)


@pytest.mark.parametrize("act", ["withdraw", "object_to", "reconsider"])
async def test_a_no_that_a_guardian_says_names_them(store: Store, act: str) -> None:
    child, mother = await a_child(store)
    await store.record(child, choices=NEWS, indicated_by=mother)
    said = getattr(store.registry, act)
    await store.hot(lambda tx: said(tx, store.catalogue, child, ["marketing.email"], indicated_by=mother))
    permit = store.permit(child, "read")
    newest = (await store.cold(lambda tx: store.registry.history(tx, child, permit))).items[0]
    assert newest.indicated_by == text("sub", mother)
    stranger = await store.person("c-9")
    with pytest.raises(NotAGuardian):
        await store.hot(lambda tx: said(tx, store.catalogue, child, ["marketing.email"], indicated_by=stranger))
    # A child's own no needs nobody.
    await store.hot(lambda tx: said(tx, store.catalogue, child, ["marketing.email"]))
