"""Legal holds over people who turn out to be one, and to be two after all."""

import pytest

from consent import Held, Identifier
from sayso.kernel import raw
from tests.rights.retention.world import Working

EMAIL = Identifier("email", "ann@example.org")


async def both(world: Working) -> tuple[bytes, bytes]:
    """Two people of whom something is stored."""
    await world.open()
    customer = await world.somebody(granted=False)
    found = await world.hot(lambda tx: world.consent.resolve(tx, EMAIL, create=True))
    device = raw(found.subject, "sub")
    await world.store(device, phone="+353861234567")
    return customer, device


async def link(world: Working, customer: bytes) -> str:
    identities, catalogue = world.consent.identities, world.policy.catalogue
    linked = await world.hot(lambda tx: identities.link(tx, catalogue, customer, EMAIL, "key"))
    return linked.identifier or ""


async def part(world: Working, customer: bytes, handle: str) -> None:
    unlinking, catalogue = world.consent.unlinking, world.policy.catalogue
    assert (await world.cold(lambda tx: unlinking.unlink(tx, catalogue, customer, handle))).split is True


async def holds(world: Working, *people: bytes) -> list[int]:
    states = [await world.look(lambda tx, each=each: world.consent.person(tx, each)) for each in people]
    return [state.held for state in states if state is not None]


async def erases(world: Working, subject: bytes) -> bool:
    """Whether an erasure of this person goes through."""
    request = await world.verified(subject)
    try:
        await world.fulfil(request)
    except Held:
        return False
    return True


@pytest.mark.parametrize("named", ["survivor", "alias"])
async def test_a_hold_placed_while_two_were_one_covers_both_until_it_is_released(world: Working, named: str) -> None:
    customer, device = await both(world)
    handle = await link(world, customer)
    placed = await world.held(customer if named == "survivor" else device)
    assert {raw(each, "sub") for each in placed.people} == {customer, device}
    await part(world, customer, handle)
    assert await holds(world, customer, device) == [1, 1]
    for subject in (customer, device):
        ends = await world.ends(subject)
        assert {each.ground for each in ends.categories.values()} == {f"legal hold: {placed.hold}"}
        assert not await erases(world, subject)
    await world.released(placed.hold)
    assert await holds(world, customer, device) == [0, 0]
    assert await erases(world, customer)
    assert await erases(world, device)


async def test_a_release_while_they_are_one_takes_the_hold_from_both(world: Working) -> None:
    customer, device = await both(world)
    handle = await link(world, customer)
    hold = (await world.held(device)).hold
    await world.released(hold)
    assert await holds(world, customer, device) == [0, 0]
    await part(world, customer, handle)
    assert await holds(world, customer, device) == [0, 0]


async def test_a_hold_from_before_the_merge_goes_back_with_whom_it_was_over(world: Working) -> None:
    customer, device = await both(world)
    mine, theirs = (await world.held(customer)).hold, (await world.held(device)).hold
    handle = await link(world, customer)
    assert await holds(world, customer, device) == [2, 2]
    await world.released(theirs)
    assert await holds(world, customer, device) == [1, 1]
    await part(world, customer, handle)
    assert await holds(world, customer, device) == [1, 0]
    await world.released(mine)
    assert await holds(world, customer, device) == [0, 0]


async def test_one_hold_over_both_is_lifted_whole_after_they_became_one(world: Working) -> None:
    customer, device = await both(world)
    hold = (await world.held(customer, device)).hold
    await link(world, customer)
    assert await holds(world, customer) == [2]
    await world.released(hold)
    assert await holds(world, customer, device) == [0, 0]


async def test_a_hold_over_a_category_is_that_for_every_id(world: Working) -> None:
    customer, device = await both(world)
    hold = (await world.held(customer, categories=("contact.email",))).hold
    await link(world, customer)
    mail = (await world.ends(customer)).categories["contact.email"]
    phone = (await world.ends(device)).categories["contact.phone"]
    assert mail.ground == f"legal hold: {hold}"
    assert "hold" not in phone.ground
