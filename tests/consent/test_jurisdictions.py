"""The shipped jurisdictions: every row is sourced, nothing known is the strictest, and a damaged file is refused."""

from importlib.resources import files

import pytest
from freezegun import freeze_time

from consent import BASES, BLOCKABLE, REGIMES, Jurisdiction, chain
from consent.laws.jurisdictions import ROOT, UnreadableRow, read
from consent.laws.law import default_state, grant_ends, laws, reask_at
from sayso.kernel import add_duration
from tests.consent.conftest import MANIFEST, Store
from tests.consent.purposes import a_purpose

SHIPPED = files("consent.laws").joinpath("jurisdictions.toml").read_text("utf-8")
AT = 1_795_219_200_000_000
REQUIRED = {f"us-{state}" for state in "ca co ct de md mn mt ne nh nj or tx".split()}


def known(*codes: str) -> tuple[Jurisdiction, ...]:
    return tuple(Jurisdiction(code, "declared", AT) for code in codes)


def test_all_laws_of_the_brief_are_shipped_each_with_its_source() -> None:
    assert len([code for code in REGIMES if REGIMES[code].parent == "eea"]) == 30
    assert len([code for code in REGIMES if REGIMES[code].parent == "us"]) == 51
    assert {"eea", "gb", "ch", "us", "br", "cn", "ca", "ca-qc", "in", "jp", "kr"} <= REGIMES.keys()
    for code, row in REGIMES.items():
        assert len(row.source) > 10, code
        assert row.bases <= set(BASES)


def test_nothing_known_is_stricter_than_every_law() -> None:
    strict = REGIMES[ROOT]
    for row in REGIMES.values():
        assert strict.bases <= row.bases
        assert strict.child_below >= row.child_below
        assert strict.opt_in_below >= row.opt_in_below
        assert strict.no_advertising_below >= row.no_advertising_below
        assert add_duration(AT, strict.device_grant_valid_for) <= add_duration(AT, row.device_grant_valid_for)
        assert add_duration(AT, strict.refusal_valid_for) >= add_duration(AT, row.refusal_valid_for)
        assert strict.separate_consent >= row.separate_consent
    assert (strict.opt, strict.sensitive, strict.gpc) == ("in", "in", "required")
    assert strict.gpc_shown
    assert strict.double_opt_in
    assert not strict.bases & (BLOCKABLE - {"consent"})


def test_the_rows_say_what_the_laws_say() -> None:
    assert "legitimate_interest" not in REGIMES["cn"].bases
    assert REGIMES["cn"].separate_consent == {
        "third_party",
        "publication",
        "public_imaging",
        "sensitive",
        "cross_border",
    }
    assert {code for code, row in REGIMES.items() if row.gpc == "required" and code != ROOT} == REQUIRED
    assert [code for code, row in REGIMES.items() if row.gpc_shown and code != ROOT] == ["us-ca"]
    assert {code for code, row in REGIMES.items() if row.double_opt_in and code != ROOT} == {"de", "at"}
    assert {code for code, row in REGIMES.items() if row.opt == "out"} == {"us"} | {
        code for code in REGIMES if code.startswith("us-")
    }
    assert {code for code, row in REGIMES.items() if row.sensitive == "out"} == {"us-ca", "us-ut", "us-ia"}
    assert (REGIMES["fr"].refusal_valid_for, REGIMES["us-ca"].refusal_valid_for) == ("P6M", "P12M")
    ages = {code: REGIMES[code].child_below for code in ("de", "fr", "gb", "cn", "us-ca", "ca-qc", "in", "kr")}
    assert ages == {"de": 16, "fr": 15, "gb": 13, "cn": 14, "us-ca": 13, "ca-qc": 14, "in": 18, "kr": 14}
    assert REGIMES["us-ca"].opt_in_below == 16


def test_the_tree_leads_to_the_strictest_row() -> None:
    assert chain("fr") == ("fr", "eea", "any")
    assert chain("us-ca") == ("us-ca", "us", "any")
    assert chain("atlantis") == ()
    assert all(chain(code)[-1] == ROOT for code in REGIMES)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('codes = ["gb"]', 'codes = ["gb", "fr"]', "two rows"),
        ('codes = ["gb"]', "codes = []", "without codes"),
        ('codes = ["gb"]\nparent = "any"', 'codes = ["gb"]\nparent = "usa"', "parent"),
        ('codes = ["gb"]\nparent = "any"', 'codes = ["gb"]', "no parent"),
        ("gpc_shown = true", "gcp_shown = true", "gcp_shown"),
        ('gpc = "required"', 'gpc = "obeyed"', "obeyed"),
        ('"vital_interest", "public_task"]', '"vital_interests", "public_task"]', "vital_interests"),
        ('refusal_valid_for = "P12M"', 'refusal_valid_for = "a year"', "duration"),
        ('refusal_valid_for = "P12M"', 'refusal_valid_for = "P0D"', "nothing"),
        ('source = "As us', 'source = ""  # "As us', "source"),
        ("child_below = 18", 'child_below = "eighteen"', "child_below"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_by_name(before: str, after: str, told: str) -> None:
    assert before in SHIPPED
    with pytest.raises(UnreadableRow, match=told):
        read(SHIPPED.replace(before, after, 1).encode())


def test_a_yes_to_device_storage_ends_as_soon_as_the_strictest_law_says() -> None:
    stored = a_purpose("analytics", device_storage="consent")
    months = {
        codes: grant_ends(stored, AT, known(*codes)) for codes in ((), ("fr",), ("de",), ("de", "fr"), ("us-ca",))
    }
    assert months == {
        (): add_duration(AT, "P6M"),
        ("fr",): add_duration(AT, "P6M"),
        ("de",): add_duration(AT, "P13M"),
        ("de", "fr"): add_duration(AT, "P6M"),
        ("us-ca",): add_duration(AT, "P24M"),
    }
    assert grant_ends(a_purpose("analytics", device_storage="consent", expires_after="P1M"), AT, ()) == add_duration(
        AT, "P1M"
    )
    assert grant_ends(a_purpose("news"), AT, known("fr")) == 0


def test_nobody_is_asked_again_before_the_latest_of_all_terms() -> None:
    plain, patient = a_purpose("ads"), a_purpose("ads", refusal_valid_for="P2Y")
    assert reask_at(plain, AT, known("fr")) == add_duration(AT, "P6M")
    assert reask_at(plain, AT, known("fr", "us-ca")) == add_duration(AT, "P12M")
    assert reask_at(plain, AT, ()) == add_duration(AT, "P12M")
    assert reask_at(patient, AT, known("fr")) == add_duration(AT, "P2Y")
    assert reask_at(a_purpose("ads", refusal_valid_for="P1D"), AT, known("fr")) == add_duration(AT, "P6M")


def test_before_any_choice_only_an_opt_out_basis_is_on() -> None:
    states = {basis: default_state(basis) for basis in BASES}
    assert {basis for basis, state in states.items() if state == "on"} == {"legitimate_interest", "notice"}
    assert states["consent"] == "off"
    assert states["contract"] == "always"
    assert [row.code for row in laws(known("fr", "atlantis"))] == ["fr"]
    assert [row.code for row in laws(())] == [ROOT]


async def test_the_term_of_a_cookie_choice_follows_the_person(store: Store) -> None:
    """CNIL: six months in France, whatever the brand declares; Germany keeps the brand's own term."""
    store.catalogue = await store.apply(
        MANIFEST.replace(
            "legal_basis: consent, categories: [behaviour]}", "device_storage: consent, expires_after: P13M}"
        )
    )
    ends = {}
    with freeze_time("2026-01-15T12:00:00Z", real_asyncio=True):
        for code in ("fr", "de"):
            person = await store.person(f"d-{code}")
            await store.hot(lambda tx, who=person, code=code: store.registry.place(tx, who, code, "declared"))
            ends[code] = (await store.record(person, choices={"ads": "granted"})).state["ads"].expires_at
    assert {code: str(at)[:10] for code, at in ends.items()} == {"fr": "2026-07-15", "de": "2027-02-15"}
