"""Columns ask and answer what the same questions would one by one, in one entry."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import Access, Columns, Question, answers_of, evaluate_table, read_table, unpack_list
from policies.lists import Decided, pack_groups, pack_list
from policies.wire.batches import MOST_QUESTIONS, MOST_ROWS
from sayso.kernel import Invalid, TooLarge, new_raw, text
from tests.policies.conftest import Brand
from tests.policies.test_lists import decisions
from tests.policies.worlds import a_question

NAMES = ("use", "reveal", "erase")
subjects = [new_raw() for _ in range(4)]


def columns(**members: Any) -> Columns:
    usual = {"action": {"values": ["use"]}, "category": {"values": ["contact.email"]}}
    return msgspec.convert(usual | {"purpose": {"values": ["marketing.email"]}} | members, Columns)


def people(*ids: bytes) -> dict[str, Any]:
    return {"values": [text("sub", each) for each in ids]}


def asked(action: str, category: str, purpose: str | None, channel: str | None, jurisdiction: str | None) -> Question:
    return a_question(action=action, category=category, purpose=purpose, channel=channel, jurisdiction=jurisdiction)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.sampled_from(["contact.email", "contact.phone"]),
            st.sampled_from(["marketing.email", "ads", None]),
            st.sampled_from([None, "email"]),
            st.sampled_from([None, "de"]),
            st.sampled_from([*[text("sub", each) for each in subjects], "nobody"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_columns_are_the_rows_that_they_were_made_of(rows: list[tuple[Any, ...]]) -> None:
    coded = {}
    for name, values in zip(
        ("action", "category", "purpose", "channel", "jurisdiction", "subject"), zip(*rows, strict=True), strict=True
    ):
        distinct = list(dict.fromkeys(values))
        coded[name] = {"values": distinct, "rows": [distinct.index(value) for value in values]}
    table = read_table(columns(**coded), asked)
    found: dict[int, Question] = {row: question for question, placed in table.questions.items() for row in placed}
    assert [found[row] for row in range(len(rows))] == [asked(*row[:5]) for row in rows]
    assert [text("sub", each) if each else "nobody" for each in table.subjects] == [row[5] for row in rows]


def test_a_column_of_one_value_needs_no_rows() -> None:
    table = read_table(columns(subject=people(*subjects)), asked)
    assert dict(table.questions) == {a_question(): range(4)}
    assert table.subjects == subjects


@pytest.mark.parametrize(
    ("members", "slug"),
    [
        ({"subject": {"values": []}}, "no-rows"),
        ({"subject": people(*subjects) | {"rows": []}}, "no-rows"),
        ({"action": {"values": ["use", "reveal"]}}, "ragged-columns"),
        ({"action": {"values": []}}, "ragged-columns"),
        ({"action": {"values": ["use"], "rows": [0, 0, 0]}}, "ragged-columns"),
        ({"action": {"values": ["use"], "rows": [0, 0, 0, 0, 0]}}, "ragged-columns"),
        ({"channel": {"values": [None, "email"], "rows": [0]}}, "ragged-columns"),
        ({"action": {"values": ["use"], "rows": [0, 0, 0, 1]}}, "place-outside"),
        ({"action": {"values": [], "rows": [0, 0, 0, 0]}}, "place-outside"),
        ({"subject": people(*subjects) | {"rows": [0, 4]}}, "place-outside"),
    ],
)
def test_columns_that_do_not_fit_each_other_are_refused(members: dict[str, Any], slug: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_table(columns(**{"subject": people(*subjects), **members}), asked)
    assert refused.value.slug == slug


def test_a_batch_has_a_most_of_rows_and_of_questions() -> None:
    one = people(subjects[0])
    whole = columns(subject=one | {"rows": [0] * MOST_ROWS})
    assert len(read_table(whole, asked).subjects) == MOST_ROWS
    many = {"values": [f"a{n}" for n in range(MOST_QUESTIONS + 1)]}
    rows = list(range(MOST_QUESTIONS + 1))
    for members, slug in (
        ({"subject": one | {"rows": [0] * (MOST_ROWS + 1)}}, "too-many-rows"),
        ({"subject": {"values": ["x"] * (MOST_ROWS + 1), "rows": [0]}}, "too-many-rows"),
        ({"subject": one | {"rows": [0] * len(rows)}, "action": many | {"rows": rows}}, "too-many-questions"),
    ):
        with pytest.raises(TooLarge) as refused:
            read_table(columns(**members), asked)
        assert refused.value.slug == slug


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), decisions, st.sampled_from([None, "de", "fr"])), min_size=1))
def test_groups_are_packed_as_the_same_list(rows: list[tuple[int, Any, str | None]]) -> None:
    whole = pack_list(Decided(aid, "", a_question(jurisdiction=law), decision) for aid, decision, law in rows)
    laws = dict.fromkeys(law for *_, law in rows)
    groups = [
        (a_question(jurisdiction=law), [aid for aid, _, at in rows if at == law], [d for _, d, at in rows if at == law])
        for law in laws
    ]
    # One group for both: a list keeps the names of a question, not the law that was claimed.
    (one,), (other,) = unpack_list(whole), unpack_list(pack_groups("", groups))
    assert sorted(one.rows()) == sorted(other.rows())


async def test_columns_are_answered_as_one_by_one_with_one_entry(brand: Brand) -> None:
    yes, no = await brand.person("c-1", "marketing.email"), await brand.person("c-2")
    crowd = [yes, no, None, yes, new_raw()]
    names = [text("sub", each) if each else "nobody" for each in crowd]
    batch = columns(
        action={"values": ["use", "erase"], "rows": [0, 0, 0, 1, 0]},
        subject={"values": names},
        jurisdiction={"values": [None, "xx"], "rows": [0, 0, 0, 0, 1]},
    )
    table = read_table(batch, asked)
    engine = brand.engine
    decided, entry = await brand.hot(lambda tx: evaluate_table(engine, brand.log, tx, brand.policy, table))
    each = [
        Access(asked(("use", "use", "use", "erase", "use")[n], "contact.email", "marketing.email", None, law), subject)
        for n, (subject, law) in enumerate(zip(crowd, (None, None, None, None, "xx"), strict=True))
    ]
    singly = [(await brand.evaluate(access)).decision for access in each]
    assert decided == singly
    assert [decision.reason for decision in decided] == [
        "permitted",
        "no_consent",
        "no_subject",
        "no_rule",
        "unknown_name",
    ]
    answers = answers_of(decided)
    assert [answers.values[row].reason for row in answers.rows] == [decision.reason for decision in decided]
    assert b'"count":"5"' in await brand.leaf(entry)
    assert b'"permitted":"1"' in await brand.leaf(entry)
    assert engine.compared > 0
    assert engine.disagreements == 0
