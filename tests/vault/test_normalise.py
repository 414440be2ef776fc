"""Two spellings of one value become one, and nothing that is no value becomes one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from sayso.kernel import Invalid
from vault import NORMALISERS, InvalidValue, canonical
from vault.fields.normalise import tidy

ALIKE = [
    ("email", "ada@example.org", ["Ada@Example.ORG", " ada@example.org ", "ada@EXAMPLE.org"]),
    ("email", "ada.l+news@example.org", ["Ada.L+News@example.org"]),
    (
        "email",
        "jürgen@xn--mller-kva.example",
        ["Jürgen@Müller.example", "JU\u0308RGEN@mu\u0308ller.example", "jürgen@XN--MLLER-KVA.example"],
    ),
    ("email", "li@xn--fsqu00a.xn--0zwm56d", ["li@例子.测试", "LI@例子。测试"]),
    (
        "phone",
        "+8613800138000",
        ["+86 138 0013 8000", "+86-138-0013-8000", "(+86)13800138000", "+８６１３８００１３８０００"],
    ),
    ("phone", "+442079460123", ["+44 20 7946 0123", "+44 (0)20 7946 0123"]),
    ("customer_id", "C-1", ["C-1", " C-1\n"]),
    ("name", "müller", ["Müller", "MÜLLER", "Mu\u0308ller", "  müller "]),
    ("name", "strasse anna", ["Straße  Anna", "STRASSE\u3000ANNA"]),
    ("name", "王小明", ["王小明"]),
    ("date", "1988-02-29", ["1988-02-29", "19880229"]),
    ("cn_resident_id", "11010519491231002X", ["11010519491231002x", "11010519491231002X"]),
    ("iban", "GB82WEST12345698765432", ["GB82 WEST 1234 5698 7654 32", "gb82west12345698765432"]),
    ("card", "4111111111111111", ["4111 1111 1111 1111", "4111-1111-1111-1111"]),
    ("country", "DE", ["de", "DE"]),
    ("boolean", "true", ["True", "TRUE"]),
    ("choice", "female", ["Female"]),
    ("text", "Two\nlines", ["Two\nlines "]),
]

NONE_OF_ITS_KIND = [
    *(
        ("email", bad)
        for bad in ("", "ada", "@example.org", "ada@", "ada@localhost", "a b@example.org", "a@b@example.org")
    ),
    *(
        ("email", bad)
        for bad in ("ada@-x.org", "ada@ex_ample.org", '"a"@example.org', "a\0@example.org", "x" * 65 + "@example.org")
    ),
    *(
        ("email", bad)
        for bad in ("ada@" + "x" * 64 + ".org", "ada@" + "x." * 130 + "org", "ada@example..org", "ada@.org")
    ),
    *(("phone", bad) for bad in ("", "13800138000", "+86", "+999123", "+1 555 0100 ext 5", "call me", "+" + "1" * 30)),
    *(("customer_id", bad) for bad in ("", "   ", "a\0b", "x" * 257, "a\u2028b")),
    *(("date", bad) for bad in ("", "1988-02-30", "29.02.1988", "1988-W08-1", "88-02-29", "1988-2-9")),
    *(
        ("cn_resident_id", bad)
        for bad in (
            "990105194912310023",
            "170105194912310020",
            "",
            "110105194912310021",
            "11010519491331002X",
            "1101051949123100",
        )
    ),
    *(("iban", bad) for bad in ("", "GB82WEST12345698765433", "GB00", "XX82WEST12345698765432")),
    *(
        ("card", bad)
        for bad in ("", "4111111111111112", "411111111111", "4111x11111111111", "４１１１１１１１１１１１１１１１")
    ),
    *(("year", bad) for bad in ("88", "19880", "１９８８")),
    *(("country", bad) for bad in ("DEU", "D1", "")),
    *(("boolean", bad) for bad in ("yes", "1", "")),
    *((kind, "x" * 8193) for kind in NORMALISERS),
    *((kind, "\ud800") for kind in NORMALISERS),
]


@pytest.mark.parametrize(("kind", "normal", "spellings"), ALIKE)
def test_spellings_of_one_value_become_one(kind: str, normal: str, spellings: list[str]) -> None:
    assert {canonical(kind, spelling) for spelling in [normal, *spellings]} == {normal}


@pytest.mark.parametrize(("kind", "value"), NONE_OF_ITS_KIND)
def test_what_is_no_such_value_is_refused_without_being_repeated(kind: str, value: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        canonical(kind, value)
    said = f"{caught.value} {caught.value.facts} {caught.value.__cause__} "
    assert len(value) < 4 or value not in said
    assert caught.value.slug == "invalid-value"
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_region_completes_a_national_number() -> None:
    assert canonical("phone", "138 0013 8000", "CN") == "+8613800138000"
    assert canonical("phone", "+49 30 901820", "CN") == "+4930901820"


def test_dots_and_plus_signs_tell_people_apart() -> None:
    spellings = ["adalovelace@example.org", "ada.lovelace@example.org", "ada+lovelace@example.org"]
    assert len({canonical("email", spelling) for spelling in spellings}) == 3


@pytest.mark.parametrize("kind", NORMALISERS)
@given(value=st.text(max_size=40))
def test_normalising_twice_changes_nothing_more(kind: str, value: str) -> None:
    try:
        normal = canonical(kind, value)
    except InvalidValue:
        return
    assert canonical(kind, normal) == normal


@given(
    local=st.text("abcXYZ.+_-09ÄöçŁ", min_size=1, max_size=12), domain=st.text("abcXYZ-09äöü", min_size=1, max_size=12)
)
def test_normalising_an_address_twice_changes_nothing_more(local: str, domain: str) -> None:
    try:
        normal = canonical("email", f"{local}@{domain}.example")
    except InvalidValue:
        return
    assert canonical("email", normal) == normal
    assert canonical("email", normal.upper()) == normal or not normal.isascii()


@given(st.integers(10**9, 10**11))
def test_normalising_a_number_twice_changes_nothing_more(number: int) -> None:
    try:
        normal = canonical("phone", f"+{number}")
    except InvalidValue:
        return
    assert canonical("phone", normal) == normal


def test_an_undeclared_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid) as caught:
        canonical("e-mail", "ada@example.org")
    assert caught.value.facts["nearest"] == "email"


def test_what_is_stored_keeps_its_spelling() -> None:
    assert tidy("  Ada@Example.ORG\n") == "Ada@Example.ORG"
    assert tidy("Mu\u0308ller") == "Müller"


def test_versions_are_fixed_because_stored_tags_depend_on_them() -> None:
    assert {kind: normaliser.version for kind, normaliser in NORMALISERS.items()} == dict.fromkeys(NORMALISERS, 1)


@pytest.mark.parametrize("area", ["440106", "510107", "330102", "659099", "810000", "911840"])
def test_a_district_may_be_younger_than_its_residents(area: str) -> None:
    """A number has the district of the first registration; the one behind a 9 is of a foreigner who stays."""
    body = f"{area}19501231002"
    number = body + ric.calc_check_digit(f"{body}0")
    assert canonical("cn_resident_id", number.lower()) == number
