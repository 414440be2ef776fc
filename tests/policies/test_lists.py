"""Lists of decisions as packed bytes: format 1, for ever."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import Decision, Group, MalformedList, Question, unpack_list
from policies.lists import Decided, pack_list

GOLDEN = Path(__file__).parents[1] / "vectors" / "policies" / "decision-list-1.json"


def a_question(purpose: str = "marketing.email", channel: str | None = None) -> Question:
    return Question(roles=frozenset(), action="use", category="contact.email", purpose=purpose, channel=channel)


PERMITTED = Decision(True, "permitted", rule="R010", basis="consent")
REFUSED = Decision(False, "refused", rule="R010")
NOBODY = Decision(False, "no_subject")


def the_list() -> list[Decided]:
    return [
        Decided(7_000_000_000_000_000_001, "", a_question(), PERMITTED),
        Decided(0, "", a_question(), NOBODY),
        Decided(255, "", a_question(), REFUSED),
        Decided(256, "", a_question(), PERMITTED),
        Decided(1, "mailer", a_question("ads", "push"), REFUSED),
    ]


def test_the_golden_list_is_read_and_written_as_ever():
    golden = json.loads(GOLDEN.read_text())
    packed = bytes.fromhex(golden["packed"])
    assert pack_list(the_list()) == packed
    groups = unpack_list(packed)
    assert [msgspec.to_builtins(group)[:5] for group in groups] == [group["names"] for group in golden["groups"]]
    assert [[[aid, list(outcome)] for aid, outcome in group.rows()] for group in groups] == [
        group["rows"] for group in golden["groups"]
    ]


decisions = st.sampled_from([PERMITTED, REFUSED, NOBODY])
items = st.lists(
    st.builds(
        Decided,
        st.integers(0, 2**64 - 1),
        st.sampled_from(["", "mailer"]),
        st.builds(a_question, st.sampled_from(["ads", "support"]), st.sampled_from([None, "email"])),
        decisions,
    )
)


@given(items)
def test_nobody_is_lost_or_invented(decided: list[Decided]):
    groups = unpack_list(pack_list(decided))
    found = [
        (group.client, group.purpose, group.channel, aid, *outcome) for group in groups for aid, outcome in group.rows()
    ]
    wanted = [
        (
            one.client,
            one.question.purpose,
            one.question.channel or "",
            one.aid,
            one.decision.reason,
            one.decision.rule,
            one.decision.basis,
        )
        for one in decided
    ]
    assert sorted(found) == sorted(wanted)
    for group in groups:
        aids = [aid for aid, _ in group.rows()]
        assert aids == sorted(aids)


def broken() -> list[bytes]:
    pack = msgspec.msgpack.encode
    names = ("", "use", "contact", "ads", "")
    table = (("permitted", "R1", "consent"),)
    return [
        b"",
        b"\xc1",
        pack([2, []]),
        pack([1, [Group(*names, table, bytes(8), bytes(1))]]),
        pack([1, [Group(*names, table, bytes(7), bytes(2))]]),
        pack([1, [Group(*names, table, bytes(8), b"\1\0")]]),
        pack([1, [Group(*names, (), bytes(8), bytes(2))]]),
        pack([1, [Group(*names, table, bytes(8), bytes(4))]]),
    ]


@pytest.mark.parametrize("packed", broken())
def test_a_malformed_list_is_refused(packed: bytes):
    with pytest.raises(MalformedList):
        unpack_list(packed)
