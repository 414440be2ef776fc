"""What is refused, and what is doubted, in how people are asked."""

import pytest

from consent import parse
from sayso.kernel import ManifestError, load

PARTIES = """
controller: {name: Tea Ltd, country: de, contact: {email: a@tea.example}}
recipients:
  adco: {role: third_party, country: us, contact: {email: a@ad.example}}
  silent: {role: processor, country: fr}
"""


def refusals(purpose: str, rest: str = "") -> str:
    with pytest.raises(ManifestError) as refused:
        parse(load([("t", f"{PARTIES}\npurposes:\n  p: {purpose}\n{rest}".encode())]))
    return str(refused.value)


def doubts(purpose: str, rest: str = "") -> str:
    found = parse(load([("t", f"{PARTIES}\npurposes:\n  p: {purpose}\n{rest}".encode())]))
    return "\n".join(str(each) for each in found.doubts)


def notice(*members: str, purposes: str = "[p]") -> str:
    rest = "".join(f", {member}" for member in members)
    return f"notices:\n  web: {{version: 1, purposes: {purposes}, text: {{en: Hello}}{rest}}}\n"


@pytest.mark.parametrize("steps", ["accept: 1, refuse: 2, withdraw: 1", "accept: 1, refuse: 1, withdraw: 3"])
def test_refusing_and_withdrawing_take_no_more_steps_than_accepting(steps: str) -> None:
    told = refusals("{}", notice(f"steps: {{{steps}}}"))
    assert "to accept 1" in told
    assert "t:10:" in told


def test_as_many_steps_or_fewer_are_fair() -> None:
    assert "steps" not in doubts("{}", notice("steps: {accept: 2, refuse: 1, withdraw: 2}"))


def test_no_service_depends_on_a_consent_without_saying_why() -> None:
    assert "justification" in refusals("{required_for_service: true}")
    assert "justification" in refusals("{required_for_service: true, legal_basis: {eea: contract, cn: consent}}")
    doubts("{required_for_service: true, justification: {en: The lift needs your weight.}}")
    doubts("{required_for_service: true, legal_basis: contract}")


def test_no_service_depends_on_marketing_whatever_the_justification() -> None:
    told = refusals("{required_for_service: true, direct_marketing: true, justification: {en: We like to write.}}")
    assert "marketing" in told


@pytest.mark.parametrize("basis", ["legitimate_interest", "{eea: legitimate_interest}", "notice", "{us-tx: notice}"])
def test_sensitive_data_are_never_on_before_they_are_asked_for(basis: str) -> None:
    assert "sensitive data need consent" in refusals(f"{{sensitive: true, legal_basis: {basis}}}")


def test_california_may_be_told_of_sensitive_data() -> None:
    doubts("{sensitive: true, legal_basis: {eea: consent, us-ca: notice}}")


def test_storage_that_needs_consent_is_not_on_before_it_where_the_law_asks_first() -> None:
    told = refusals("{device_storage: consent, legal_basis: {eea: legitimate_interest}}")
    assert "off before it" in told
    assert "off before it" in refusals("{device_storage: consent, legal_basis: legitimate_interest}")
    doubts("{device_storage: consent, legal_basis: {eea: consent, us: notice}}")
    doubts("{device_storage: strictly_necessary, legal_basis: legitimate_interest}")


def test_a_separate_consent_names_who_gets_the_data() -> None:
    assert "'recipients'" in refusals("{separate_consent: third_party}")
    assert "contact of 'silent'" in refusals("{separate_consent: third_party, recipients: [silent]}")
    assert "'transfers'" in refusals("{separate_consent: cross_border, recipients: [adco]}")
    doubts("{separate_consent: cross_border, recipients: [adco], transfers: [{to: us, mechanism: certification}]}")
    doubts("{separate_consent: sensitive}")


def test_a_separate_consent_beside_others_is_doubted() -> None:
    others = "  q: {}\n" + notice(purposes="[p, q]")
    assert "a consent of its own" in doubts("{separate_consent: sensitive}", others)
    assert "a consent of its own" not in doubts("{separate_consent: sensitive}", "  q: {}\n" + notice())
    below = "  m.one: {separate_consent: sensitive}\n  m.two: {}\n" + notice(purposes="[m]")
    assert "'m.one'" in doubts("{}", below)


def test_a_no_is_kept_for_as_long_as_a_yes_and_half_a_year_at_least() -> None:
    assert "6 months" in doubts("{refusal_valid_for: P30D}")
    assert "shorter time than a yes" in doubts("{refusal_valid_for: P6M, expires_after: P24M}")
    assert "refusal" not in doubts("{refusal_valid_for: P24M, expires_after: P24M}")


def test_data_that_leave_say_what_that_rests_on() -> None:
    assert "'adco' is in 'us'" in doubts("{recipients: [adco]}")
    assert "rests on" not in doubts("{recipients: [adco], transfers: [{to: us, mechanism: adequacy}]}")
    assert "rests on" not in doubts("{recipients: [silent]}")


def test_china_and_korea_ask_for_a_separate_consent() -> None:
    leaving = "transfers: [{to: de, mechanism: certification}]"
    assert "leave 'cn'" in doubts(f"{{legal_basis: {{eea: consent, cn: consent}}, {leaving}}}")
    assert "'kr'" in doubts("{sensitive: true, legal_basis: {kr: consent}}")
    assert "leave" not in doubts(f"{{legal_basis: {{eea: consent}}, {leaving}}}")


def test_a_notice_is_in_the_language_that_the_law_asks_for() -> None:
    asked = "{legal_basis: {cn: consent, ca-qc: consent}}"
    told = doubts(asked, notice())
    assert "is not in zh" in told
    assert "is not in fr" in told
    both = notice().replace("{en: Hello}", "{en: Hello, zh-CN: 你好, fr: Bonjour}")
    assert "is not in" not in doubts(asked, both)


def test_what_cannot_be_confirmed_and_what_is_british_alone_is_doubted() -> None:
    assert "channels" in doubts("{double_opt_in: true}")
    assert "channels" not in doubts("{double_opt_in: true, channels: [email]}")
    assert "United Kingdom" in doubts("{device_storage: statistics}")
