"""Fields of few values get no index; normalisers stay what their version says."""

import json
import re
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from stdnum.cn import ric

from sayso.kernel import ManifestError
from tests.builders.vault import a_manifest
from vault import NORMALISERS, InvalidValue, canonical
from vault.fields.facts import fact_of, shown
from vault.fields.planner import adds_up

FILE = Path(__file__).parents[1] / "vectors" / "vault" / "normalisers.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))
INDEXED = {"email", "phone", "customer_id", "device", "name", "cn_resident_id", "iban", "card"}


@pytest.mark.parametrize("kind", NORMALISERS)
def test_an_index_of_few_values_is_refused_with_how_few(kind: str) -> None:
    text = f"customers:\n  fields:\n    x: {{type: {kind}, category: contact, index: [exact]}}"
    if kind in INDEXED:
        assert a_manifest(text)["customers"].fields["x"].indexes == ("exact",)
        return
    with pytest.raises(ManifestError) as caught:
        a_manifest(text)
    (problem,) = caught.value.problems
    assert problem.line == 4
    assert "not to be indexed" in problem.message
    assert kind == "text" or f"about {2 ** NORMALISERS[kind].bits:,} values" in problem.message


NUMBER = "11010519491231002X"


def left(facts: list[str]) -> int:
    """How many resident ids fit what is told of `NUMBER`, of those of its area: counted one by one."""
    told = {place for name in facts if (fact := fact_of(name)) is not None for place in shown(fact, 18)}
    day, count = date(1925, 1, 1), 0
    while day < date(2025, 1, 1):
        born = f"{day:%Y%m%d}"
        if all(born[place - 6] == NUMBER[place] for place in told if 6 <= place < 14):
            for order in range(1000) if not told & {14, 15, 16} else [int(NUMBER[14:17])]:
                body = f"{NUMBER[:6]}{born}{order:03}"
                count += 17 not in told or ric.calc_check_digit(f"{body}0") == NUMBER[17]
        day += timedelta(days=1)
    return count


@pytest.mark.parametrize(
    ("kind", "facts", "sound"),
    [
        ("cn_resident_id", ["prefix:6", "year", "last4"], False),
        ("cn_resident_id", ["prefix:6", "last4"], False),
        ("cn_resident_id", ["prefix:2", "year", "last4"], False),
        ("cn_resident_id", ["prefix:6", "year"], True),
        ("cn_resident_id", ["year", "last4"], True),
        ("cn_resident_id", ["prefix:6", "age_over:18", "age_over:14"], True),
        ("iban", ["country", "last4"], True),
        ("iban", ["prefix:6", "last4"], False),
        ("card", ["prefix:6", "last4"], True),
        ("phone", ["country", "last4"], True),
        ("date", ["year", "age_over:18"], True),
    ],
)
def test_facts_that_together_nearly_name_the_number_are_refused(kind: str, facts: list[str], sound: bool) -> None:
    named = ", ".join(f'"{fact}"' for fact in facts)
    text = f"customers:\n  fields:\n    x: {{type: {kind}, category: contact, facts: [{named}]}}"
    if sound:
        assert a_manifest(text)["customers"].fields["x"].facts == tuple(facts)
        return
    with pytest.raises(ManifestError) as caught:
        a_manifest(text)
    (problem,) = caught.value.problems
    assert (problem.line, "add up" in problem.message) == (4, True)


@pytest.mark.parametrize(
    ("first", "second", "sound"),
    [
        (("cn_resident_id", "contact", "prefix:6"), ("cn_resident_id", "contact", "last4"), False),
        (("date", "contact", "year"), ("cn_resident_id", "contact", "prefix:2, last4"), False),
        (("cn_resident_id", "contact", "prefix:2, last4"), ("date", "contact", "year"), False),
        (("cn_resident_id", "contact", "prefix:6"), ("cn_resident_id", "identity", "last4"), True),
        (("cn_resident_id", "contact", "prefix:6"), ("date", "contact", "year"), True),
        (("cn_resident_id", "contact", "prefix:6"), ("cn_resident_id", "contact", "prefix:4"), True),
        (("card", "contact", "prefix:6"), ("card", "contact", "last4"), True),
        (("date", "contact", "year"), ("date", "contact", "age_over:18"), True),
    ],
)
@pytest.mark.parametrize("apart", [False, True], ids=["one collection", "two collections"])
def test_facts_of_two_fields_that_one_caller_may_read_are_counted_together(
    first: tuple[str, str, str], second: tuple[str, str, str], sound: bool, apart: bool
) -> None:
    one, other = ("{{type: {}, category: {}, facts: [{}]}}".format(*each) for each in (first, second))
    between = "staff:\n  fields:\n" if apart else ""
    text = f"customers:\n  fields:\n    x: {one}\n{between}    y: {other}"
    if sound:
        assert len(a_manifest(text)) == 1 + apart
        return
    with pytest.raises(ManifestError) as caught:
        a_manifest(text)
    (problem,) = caught.value.problems
    assert problem.line == (7 if apart else 5)
    assert "customers.x" in problem.message


@pytest.mark.parametrize("facts", [["prefix:6", "year", "last4"], ["prefix:6", "last4"]])
def test_the_estimate_is_what_counting_gives(facts: list[str]) -> None:
    why = adds_up("cn_resident_id", [fact for name in facts if (fact := fact_of(name)) is not None])
    about = int(re.search(r"about ([0-9,]+) numbers", why or "")[1].replace(",", ""))  # type: ignore[index]
    assert 0.5 < about / left(facts) < 2


def test_the_vectors_are_those_that_were_released() -> None:
    assert sha256(FILE.read_bytes()).hexdigest() == "463756bc99694022fd0788d4d22d0fb87203a3d053855e9ca1fb37f74c5e73fb"
    assert {case["kind"] for case in VECTORS} == set(NORMALISERS)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case['kind']}-{case['version']}")
def test_a_normaliser_of_one_version_gives_one_form_for_ever(case: dict[str, Any]) -> None:
    assert NORMALISERS[case["kind"]].version == case["version"]
    assert canonical(case["kind"], case["value"], case["region"]) == case["canonical"]


@pytest.mark.parametrize(
    ("code", "region"), [("1000", "DE"), ("ABCDE", None), ("12345678901", None), ("SW1A", "GB"), ("1", None)]
)
def test_what_is_no_post_code_is_refused(code: str, region: str | None) -> None:
    with pytest.raises(InvalidValue):
        canonical("postcode", code, region)
