"""Searches find whom single decisions permit, and their tokens lead on in their own search only."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import Mark, Met, PersonState, pack
from consent.model import Family
from policies import Malformed, Question, begun, find, read_action_search, read_resource_search, read_subject_search
from policies.ruleset.rules import Rule
from policies.wire.searching import MOST_FOUND, USUALLY_FOUND, Behind, sealed_token
from tests.policies.conftest import Brand
from tests.policies.test_authzen import encoded
from tests.policies.test_crowd import anybody
from tests.policies.test_properties import a_policy, policies_of, questions, thorough
from tests.policies.worlds import AT

SERVICE = {"type": "service", "id": "mailer"}
RESOURCE = {
    "subject": SERVICE,
    "action": {"name": "use"},
    "resource": {"type": "contact.email"},
    "context": {"purpose": "marketing.email", "supported_obligations": ["notify"]},
}


@thorough
@given(policies_of, st.lists(anybody, min_size=1, max_size=6), questions, st.integers(1, 6))
def test_those_found_are_those_whom_single_decisions_permit(
    written: list[Rule], crowd: list[PersonState], question: Question, most: int
) -> None:
    inquiry = a_policy(written).inquiry(question)
    met = [Met(bytes([n]) * 16, pack(state), Mark(n, bytes([n]) * 16)) for n, state in enumerate(crowd)]
    permitted = [each.subject for each, state in zip(met, crowd, strict=True) if inquiry.decide(state, AT).allowed]
    found, mark = find(inquiry, met, AT, most)
    assert found == permitted[:most]
    assert mark == (Mark(found[-1][0], found[-1]) if len(found) == most else None)
    # Every id of merged people has the same state; they are found by the one that stayed.
    root, alias = met[0].subject, b"\xff" * 16
    shared = replace(crowd[0], family=Family(root, (alias,)))
    twice = [Met(each, pack(shared), Mark()) for each in (root, alias)]
    assert find(inquiry, twice, AT, 9)[0] == [each for each in (root,) if each in permitted]


# pages


def search(**changes: Any) -> Any:
    return read_resource_search(encoded(RESOURCE | changes))


async def test_a_token_leads_on_in_its_own_search(brand: Brand) -> None:
    key = brand.keys.standing("default", bytes(16))
    first = begun(search(page={"limit": 7}), "key_1", "p1", key)
    assert (first.limit, first.mark, first.name) == (7, Mark(), "")
    token = sealed_token(replace(first, mark=Mark(5, b"\7" * 16)), key)
    for page in ({"token": token}, {"token": token, "limit": 7}):
        behind = begun(search(page=page), "key_1", "p1", key)
        assert behind == replace(first, mark=Mark(5, b"\7" * 16))
    ignored = {"resource": {"type": "contact.email", "id": "sub_1"}, "more": 1}
    assert begun(search(page={"token": token}, **ignored), "key_1", "p1", key).mark.bucket == 5


async def test_a_token_leads_nowhere_else(brand: Brand) -> None:
    key = brand.keys.standing("default", bytes(16))
    token = sealed_token(replace(begun(search(), "key_1", "p1", key), mark=Mark(5, b"\7" * 16)), key)
    page = {"token": token}
    context = RESOURCE["context"]
    for wrong in (
        lambda: begun(search(page=page), "key_2", "p1", key),
        lambda: begun(search(page=page), "key_1", "p2", key),
        lambda: begun(search(page=page | {"limit": 99}), "key_1", "p1", key),
        lambda: begun(search(page=page, action={"name": "read"}), "key_1", "p1", key),
        lambda: begun(search(page=page, resource={"type": "contact.phone"}), "key_1", "p1", key),
        lambda: begun(search(page=page, subject=SERVICE | {"id": "crm"}), "key_1", "p1", key),
        lambda: begun(search(page=page, context=context | {"channel": "sms"}), "key_1", "p1", key),
        lambda: begun(search(page={"token": token[:-2] + "AA"}), "key_1", "p1", key),
        lambda: begun(search(page={"token": "AAAA"}), "key_1", "p1", key),
        lambda: begun(search(page={"token": "ü"}), "key_1", "p1", key),
    ):
        with pytest.raises(Malformed):
            wrong()


async def test_a_token_says_nothing_of_where_the_walk_is(brand: Brand) -> None:
    key = brand.keys.standing("default", bytes(16))
    behind = begun(search(), "key_1", "p1", key)
    tokens = {sealed_token(replace(behind, mark=Mark(5, bytes([n]) * 16)), key) for n in range(3)}
    assert len({len(token) for token in tokens}) == 1
    assert len({token[:20] for token in tokens}) == 3


def test_a_limit_is_what_is_asked_for_up_to_one_entry() -> None:
    key: Any = None
    assert begun(search(), "k", "p", key).limit == USUALLY_FOUND
    assert begun(search(page={"limit": 0}), "k", "p", key).limit == 0
    assert begun(search(page={"limit": 10**9}), "k", "p", key).limit == MOST_FOUND
    assert isinstance(begun(search(page={"token": ""}), "k", "p", key), Behind)


def test_what_is_searched_for_needs_no_id_and_the_rest_does() -> None:
    person = {"type": "contact.email", "id": "sub_1"}
    whole = {"subject": SERVICE, "action": {"name": "use"}, "resource": person}
    bare = {"type": "service"}
    for read, lacking in (
        (read_resource_search, [whole | {"subject": bare}]),
        (read_subject_search, [whole | {"resource": {"type": "contact.email"}}]),
        (read_action_search, [whole | {"subject": bare}, whole | {"resource": {"type": "contact.email"}}]),
    ):
        read(encoded(whole))
        for body in lacking:
            with pytest.raises(Malformed):
                read(encoded(body))
    read_resource_search(encoded(whole | {"resource": {"type": "contact.email", "id": 7}}))
    read_subject_search(encoded(whole | {"subject": {"type": "spaceship", "id": None}}))
    read_action_search(encoded({**whole, "action": 7}))
