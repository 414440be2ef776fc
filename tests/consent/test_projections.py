"""The consent modes of Google and Microsoft: literal tables, and what a key rests on."""

import pytest

from consent import (
    CONSENT_MODE_KEYS,
    Catalogue,
    Choice,
    Directive,
    Jurisdiction,
    PersonState,
    Purpose,
    allowed,
    default_modes,
    project,
)
from consent.catalogue.vocabulary import DPV_PURPOSES
from consent.choices import projections as modes
from sayso.kernel import Invalid
from tests.consent.purposes import a_purpose

AT = 1_800_000_000_000_000

SHOP = (
    a_purpose("ads", dpv="TargetedAdvertising"),
    a_purpose("statistics", dpv="ServiceUsageAnalytics"),
    a_purpose("basket", dpv="ServiceProvision", legal_basis="contract"),
    a_purpose("fit", dpv="ServicePersonalisation"),
    a_purpose("safe", dpv="FraudPreventionAndDetection", legal_basis="legitimate_interest"),
)


def a_catalogue(*purposes: Purpose) -> Catalogue:
    return Catalogue(purposes or SHOP, [], [])


def told(name: str, state: PersonState, *purposes: Purpose) -> dict[str, str]:
    catalogue = a_catalogue(*purposes)
    return dict(project(name, default_modes(catalogue), allowed(state, catalogue, AT)).update)


def yes_to(*names: str, **more: object) -> PersonState:
    choices = {name: Choice("granted", 5, purpose_version=1) for name in names}
    return PersonState(choices=choices, **more)  # type: ignore[arg-type]


ALL_DENIED = dict.fromkeys(CONSENT_MODE_KEYS, "denied")


@pytest.mark.parametrize(
    ("name", "granted", "expected"),
    [
        (
            "google_consent_mode",
            ("ads", "statistics"),
            {
                "ad_storage": "granted",
                "ad_user_data": "granted",
                "ad_personalization": "granted",
                "analytics_storage": "granted",
                "functionality_storage": "granted",
                "personalization_storage": "denied",
                "security_storage": "denied",
            },
        ),
        (
            "google_consent_mode",
            (),
            {
                "ad_storage": "denied",
                "ad_user_data": "denied",
                "ad_personalization": "denied",
                "analytics_storage": "denied",
                "functionality_storage": "granted",
                "personalization_storage": "denied",
                "security_storage": "denied",
            },
        ),
        ("microsoft_uet", ("ads",), {"ad_storage": "granted"}),
        ("microsoft_uet", ("statistics",), {"ad_storage": "denied"}),
        ("microsoft_clarity", ("ads",), {"ad_Storage": "granted", "analytics_Storage": "denied"}),
        ("microsoft_clarity", ("statistics",), {"ad_Storage": "denied", "analytics_Storage": "granted"}),
        ("microsoft_clarity", (), {"ad_Storage": "denied", "analytics_Storage": "denied"}),
    ],
)
def test_the_literal_tables(name: str, granted: tuple[str, ...], expected: dict[str, str]) -> None:
    assert told(name, yes_to(*granted)) == expected


def test_the_calls_are_those_of_the_vendors() -> None:
    def call(name: str) -> list[str]:
        return project(name, {}, lambda _: False).call

    assert call("google_consent_mode") == ["gtag", "consent", "update"]
    assert call("microsoft_uet") == ["uetq.push", "consent", "update"]
    assert call("microsoft_clarity") == ["clarity", "consentv2"]


def test_before_any_tag_everything_is_denied() -> None:
    assert project("google_consent_mode", {}, lambda _: True).default == ALL_DENIED


def test_a_key_that_rests_on_nothing_is_denied_and_one_that_rests_on_several_needs_all() -> None:
    both = {"ad_storage": ("ads", "news")}
    assert project("google_consent_mode", both, lambda name: name == "ads").update == ALL_DENIED
    assert project("microsoft_uet", both, lambda _: True).update == {"ad_storage": "granted"}
    assert project("google_consent_mode", {}, lambda _: True).update == ALL_DENIED


def test_advertising_that_is_not_personal_grants_no_personalisation() -> None:
    said = told("google_consent_mode", yes_to("ads"), a_purpose("ads", dpv="Advertising"))
    assert (said["ad_storage"], said["ad_user_data"], said["ad_personalization"]) == ("granted", "granted", "denied")


def test_a_purpose_that_nobody_described_counts_by_its_name() -> None:
    said = told("google_consent_mode", yes_to("ads", "statistics"), a_purpose("ads"), a_purpose("statistics"))
    assert {key for key, word in said.items() if word == "granted"} == {
        "ad_storage",
        "ad_user_data",
        "ad_personalization",
        "analytics_storage",
    }


def test_a_signal_denies_what_was_granted_before_it() -> None:
    signal = Directive(9, ("sale", "share", "targeted_ads"), 9)
    assert told("microsoft_uet", yes_to("ads", directives={"gpc": signal})) == {"ad_storage": "denied"}


def test_where_an_opt_out_law_applies_notice_is_enough_until_a_no() -> None:
    ads = a_purpose("ads", dpv="TargetedAdvertising", legal_basis={"us": "notice", "eea": "consent"})
    here = (Jurisdiction("us-tx", "shipping", 1),)
    assert told("microsoft_uet", PersonState(jurisdictions=here), ads) == {"ad_storage": "granted"}
    assert told("microsoft_uet", PersonState(), ads) == {"ad_storage": "denied"}
    signal = Directive(9, ("targeted_ads",), 9)
    opted_out = PersonState(jurisdictions=here, directives={"gpc": signal})
    assert told("microsoft_uet", opted_out, ads) == {"ad_storage": "denied"}


@pytest.mark.parametrize("fact", [{"restricted_at": 3}, {"suppressed_until": AT + 1}, {"erased_at": 3}])
def test_a_fact_that_blocks_consent_denies(fact: dict[str, int]) -> None:
    assert told("microsoft_uet", yes_to("ads", **fact)) == {"ad_storage": "denied"}


def test_an_unknown_projection_is_refused_with_the_nearest() -> None:
    with pytest.raises(Invalid) as refused:
        project("google_consent_modes", {}, lambda _: False)
    assert (refused.value.slug, refused.value.facts["nearest"]) == ("unknown-projection", "google_consent_mode")


def test_what_purposes_do_is_told_in_terms_of_the_vocabulary() -> None:
    assert set(modes.BY_DPV) <= set(DPV_PURPOSES)
