"""Every member that a purpose, a recipient, the controller and a notice can have, and what is told when it is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import Declarations, Transfer, parse
from consent.catalogue.parties import ContactPoint
from sayso.kernel import ManifestError, Problem, load

WHOLE = """
categories: [contact.email, behaviour, health]
special_categories: [health]
languages: [en, zh-CN]
controller:
  name: Huangshan & Hale Ltd
  country: gb
  contact: {email: privacy@tea.example, address: "1 Leaf Lane, London"}
  dpo: {name: The data protection officer, email: dpo@tea.example}
  representatives: {eea: {name: Tea GmbH, email: eu@tea.example}, cn: {name: 茶行, phone: "+86 10 5550 0100"}}
  authority: {name: ICO, url: "https://ico.example"}
recipients:
  mailhouse:
    title: {en: The mail house, zh-CN: 邮件服务商}
    role: processor
    country: us
    contact: {email: privacy@mail.example}
purposes:
  news:
    title: {en: News, zh-CN: 资讯}
    description: {en: A letter a month., zh-CN: 每月一信。}
    dpv: DirectMarketing
    legal_basis: consent
    categories: [contact.email, behaviour]
    sources: {contact.email: zero_party, behaviour: first_party}
    recipients: [mailhouse]
    retention: P2Y
    storage_locations: [ie, us]
    transfers: [{to: us, mechanism: standard_clauses, recipient: mailhouse}]
    channels: [email]
    direct_marketing: true
    double_opt_in: [de, at]
    expires_after: P24M
    refusal_valid_for: P24M
  tea_and_health:
    title: {en: Health, zh-CN: 健康}
    categories: [health]
    device_storage: strictly_necessary
    separate_consent: sensitive
    required_for_service: true
    justification: {en: We cannot warn of what we do not know., zh-CN: 不知情便无法提醒。}
notices:
  web:
    version: 1
    status: reviewed
    material: [news]
    purposes: [news]
    title: {en: News, zh-CN: 资讯}
    text: {en: "May we write?", zh-CN: 可以写信吗？}
    method: {en: You type it., zh-CN: 您填写。}
    timing: {en: Here and now., zh-CN: 此时此地。}
    storage: {en: In Ireland., zh-CN: 存于爱尔兰。}
    participation: {en: In your account., zh-CN: 在账户中。}
    complaints: {en: Write to us., zh-CN: 请写信。}
    risks: {en: A stolen list., zh-CN: 名单失窃。}
    standard: iso-29184
    steps: {accept: 1, refuse: 1, withdraw: 1}
"""


def read(text: str) -> Declarations:
    return parse(load([("tea.yaml", text.encode())]))


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(ManifestError) as refused:
        read(text)
    return refused.value.problems


def test_every_member_is_read() -> None:
    declared = read(WHOLE)
    news, health = declared.purposes["news"], declared.purposes["tea_and_health"]
    assert declared.languages == ("en", "zh-CN")
    assert (news.dpv, news.retention, news.channels) == ("DirectMarketing", "P2Y", ("email",))
    assert news.sources == {"contact.email": "zero_party", "behaviour": "first_party"}
    assert news.transfers == (Transfer("us", "standard_clauses", "mailhouse"),)
    assert (news.parties, news.double_opt_in) == ({"mailhouse": "processor us"}, ("de", "at"))
    assert (news.storage_locations, news.refusal_valid_for, news.sensitive) == (("ie", "us"), "P24M", False)
    assert (health.separate_consent, health.device_storage) == ("sensitive", "strictly_necessary")
    assert health.required_for_service
    controller = declared.controller
    assert (controller.name, controller.country) == ("Huangshan & Hale Ltd", "gb")
    assert controller.dpo == ContactPoint("The data protection officer", "dpo@tea.example")
    assert controller.representatives["cn"].phone == "+86 10 5550 0100"
    notice = declared.notices["web"]
    assert (notice.status, notice.asks_again(), notice.standard) == ("reviewed", ("news",), "iso-29184")


def test_a_purpose_with_a_special_category_is_sensitive_whether_or_not_it_says_so() -> None:
    assert read(WHOLE).purposes["tea_and_health"].sensitive
    assert not read(WHOLE.replace("special_categories: [health]", "")).purposes["tea_and_health"].sensitive


@pytest.mark.parametrize(
    ("before", "after", "message", "nearest"),
    [
        ("dpv: DirectMarketing", "dpv: DirectMarketting", "Data Privacy Vocabulary", "DirectMarketing"),
        ("behaviour: first_party", "behaviour: 1st_party", "source '1st_party'", "first_party"),
        ("behaviour: first_party", "behavior: first_party", "member 'behavior'", "behaviour"),
        ("recipients: [mailhouse]", "recipients: [mailhaus]", "recipient 'mailhaus'", "mailhouse"),
        ("storage_locations: [ie, us]", "storage_locations: [ie, uk]", "country", None),
        ("retention: P2Y", "retention: two years", "duration", None),
        ("to: us, mechanism: standard_clauses", "to: us, mechanism: standard_clause", "mechanism", "standard_clauses"),
        ("to: us, mechanism: standard_clauses", "to: us", "names its 'mechanism'", None),
        ("recipient: mailhouse}]", "recipient: mailhose}]", "recipient of this purpose", "mailhouse"),
        ("recipient: mailhouse}]", "recipients: mailhouse}]", "member 'recipients'", "recipient"),
        ("channels: [email]", "channels: [e-mail]", "channel 'e-mail'", "email"),
        ("double_opt_in: [de, at]", "double_opt_in: [de, au]", "jurisdiction 'au'", None),
        ("double_opt_in: [de, at]", "double_opt_in: always", "true, false, or a list", None),
        (
            "device_storage: strictly_necessary",
            "device_storage: necessary",
            "storage on a device",
            "strictly_necessary",
        ),
        ("separate_consent: sensitive", "separate_consent: sensible", "separate consent", "sensitive"),
        ("required_for_service: true", "required_for_service: yes", "true or false", None),
        ("refusal_valid_for: P24M", "refusal_valid_for: P0D", "duration", None),
        ("role: processor", "role: proccessor", "role of a recipient", "processor"),
        ("    role: processor\n", "", "has a role", None),
        ("country: us\n", "country: usa\n", "country", "us"),
        ("privacy@mail.example", "privacy", "e-mail address", None),
        ('"https://ico.example"', "ico.example", "https://", None),
        ("contact: {email: privacy@mail.example}", "contact: {}", "postal address", None),
        ("  country: gb\n", "", "controller has a country", None),
        ("  name: Huangshan & Hale Ltd\n", "  name: 7\n", "quote", None),
        ("{eea: {name: Tea", "{eeaa: {name: Tea", "jurisdiction 'eeaa'", "eea"),
        ("  dpo:", "  dpoo:", "member 'dpoo'", "dpo"),
        ("status: reviewed", "status: review", "stage", "reviewed"),
        ("status: reviewed", "status: superseded", "stage", None),
        ("material: [news]", "material: [nesw]", "purpose of this notice", "news"),
        ("material: [news]", "material: maybe", "true, false, or those purposes", None),
        ("standard: iso-29184", "standard: iso-29148", "standard", "iso-29184"),
        ("steps: {accept: 1, refuse: 1, withdraw: 1}", "steps: {accept: 1, refuse: 1}", "withdraw", None),
        ("steps: {accept: 1, refuse: 1, withdraw: 1}", "steps: {accept: 1, refuse: 0, withdraw: 1}", "1 or more", None),
        ("languages: [en, zh-CN]", "languages: [en, zh_CN]", "no locale", None),
        ("    timing: {en", "    timming: {en", "member 'timming'", "timing"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_nearest_name(
    before: str, after: str, message: str, nearest: str | None
) -> None:
    assert before in WHOLE
    changed = WHOLE.replace(before, after, 1)
    (problem, *_) = (each for each in problems_of(changed) if message in each.message)
    assert problem.nearest == nearest
    if after.strip():
        assert after.strip().splitlines()[0][:8] in changed.splitlines()[problem.line - 1] or problem.nearest is None


# completeness


def test_with_languages_declared_every_text_is_in_each() -> None:
    gaps = (
        WHOLE.replace(", zh-CN: 名单失窃。", "")
        .replace(", zh-CN: 每月一信。", "")
        .replace("zh-CN: 可以写信吗？", "fr: Oui")
    )
    told = {each.message: each.line for each in problems_of(gaps)}
    assert set(told) == {
        "Notice 'web' has no risks in zh-CN.",
        "Notice 'web' has no text in zh-CN.",
        "Purpose 'news' has no description in zh-CN.",
    }
    lines = gaps.splitlines()
    assert "risks" in lines[told["Notice 'web' has no risks in zh-CN."] - 1]
    assert "description" in lines[told["Purpose 'news' has no description in zh-CN."] - 1]


def test_a_draft_may_have_gaps() -> None:
    read(WHOLE.replace(", zh-CN: 名单失窃。", "").replace("status: reviewed", "status: draft"))


def test_without_languages_a_gap_is_only_doubted() -> None:
    gap = WHOLE.replace(", zh-CN: 名单失窃。", "").replace("languages: [en, zh-CN]", "")
    assert [each.message for each in read(gap).doubts] == ["Notice 'web' has no risks in zh-CN."]
    assert read(WHOLE).doubts == ()


@pytest.mark.parametrize(
    ("member", "story"),
    [
        ("    method: {en: You type it., zh-CN: 您填写。}\n", "how data are collected"),
        ("    timing: {en: Here and now., zh-CN: 此时此地。}\n", "when and where"),
        ("    complaints: {en: Write to us., zh-CN: 请写信。}\n", "complain"),
        ("    retention: P2Y\n", "for how long for news"),
        ("    storage_locations: [ie, us]\n", "where for news"),
    ],
)
def test_a_notice_that_claims_iso_29184_tells_all_that_it_asks(member: str, story: str) -> None:
    assert member in WHOLE
    (problem,) = problems_of(WHOLE.replace(member, ""))
    assert story in problem.message
    unclaimed = WHOLE.replace(member, "").replace("    standard: iso-29184\n", "")
    assert [story in doubt.message for doubt in read(unclaimed).doubts] == [True]


REFERENCES = {
    "categories: [contact.email, behaviour]": "contact.email",
    "sources: {contact.email: zero_party": "contact.email",
    "recipients: [mailhouse]": "mailhouse",
    "mechanism: standard_clauses, recipient: mailhouse": "mailhouse",
    "material: [news]": "news",
    "    purposes: [news]": "news",
    "double_opt_in: [de, at]": "de",
    "representatives: {eea:": "eea",
}


@given(st.sampled_from(sorted(REFERENCES)), st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=3))
def test_whatever_names_something_undeclared_is_refused_at_its_line(place: str, more: str) -> None:
    """Rule 10 of design 6: a name is declared before it is used."""
    name = REFERENCES[place]
    wrong = f"{name}zq{more}"
    changed = WHOLE.replace(place, place.replace(name, wrong), 1)
    told = [each for each in problems_of(changed) if repr(wrong) in each.message]
    assert told
    assert all(wrong in changed.splitlines()[each.line - 1] for each in told)
    assert all(each.nearest in (None, name) or name.startswith(str(each.nearest)) for each in told)


def test_a_recipient_that_nobody_declared_is_not_heard_of() -> None:
    (problem,) = problems_of("purposes:\n  ads: {recipients: [adco]}")
    assert (problem.line, problem.message) == (2, "There is no recipient 'adco'.")
