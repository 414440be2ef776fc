"""What goes into the banner's file, and what comes back in its cookie."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.server.pages import (
    BannerPurpose,
    banner_configuration,
    banner_script,
    negotiate,
    print_choice_cookie,
    read_choice_cookie,
)
from sayso.server.pages.locales import LOCALES

from .samples import a_banner

PLACEHOLDER = b"__SAYSO_CONFIGURATION__"


def inserted(script: bytes) -> dict[str, object]:
    empty_text = banner_script(a_banner(text="")).decode()
    start = empty_text.index('{"site":"shop"')
    return json.JSONDecoder().raw_decode(script.decode()[start:])[0]  # type: ignore[no-any-return]


def test_the_configuration_takes_the_place_of_the_placeholder() -> None:
    script = banner_script(a_banner())
    assert PLACEHOLDER not in script
    assert inserted(script)["notice"] == "web"
    assert inserted(script)["version"] == 3


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_the_insertion_unchanged(text: str) -> None:
    script = banner_script(a_banner(text=text))
    assert inserted(script)["text"] == text


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "<!--",
        "a\u2028b\u2029c",
        "${alert(1)}`",
        "'\"\\",
        "__SAYSO_CONFIGURATION__",
    ],
)
def test_a_hostile_text_stays_inside_its_string(text: str) -> None:
    script = banner_script(a_banner(text=text)).decode()
    assert inserted(script.encode())["text"] == text
    assert "</script" not in script
    assert "<!--" not in script
    assert not re.search("[\u2028\u2029]", script)


def test_every_sentence_is_finished_in_the_language_of_the_page() -> None:
    shown = a_banner("zh-CN")
    assert shown.strings["accept"] == "全部同意"
    assert shown.strings["asks"] == "请您决定：{purposes}。"
    assert shown.strings["all"] == "邮件资讯、店铺统计和广告"
    assert shown.purposes[0].facts == "须经您同意；同意后24个月到期"
    assert a_banner().strings["asks"] == "We ask for: {purposes}."
    assert a_banner().strings["all"] == "News by e-mail, Shop statistics and Advertising"


def test_a_purpose_that_is_a_fact_is_not_asked_for() -> None:
    assert [purpose.name for purpose in a_banner().purposes if not purpose.ask] == ["orders"]
    assert "Your orders" not in a_banner().strings["all"]


def test_a_notice_with_nothing_to_ask_asks_nothing() -> None:
    fact = BannerPurpose(name="orders", title="Orders", basis="contract", ask=False)
    shown = banner_configuration(
        site="s", token="t", notice="n", notice_version=1, locale="en", text="", purposes=(fact,)
    )
    assert shown.strings["all"] == ""


def test_the_cookie_is_read_back() -> None:
    device = "A" * 22
    cookie = read_choice_cookie(f"web:3|{device}|+marketing.email|-ads")
    assert cookie is not None
    assert (cookie.notice, cookie.version, cookie.device) == ("web", 3, device)
    assert cookie.choices == {"marketing.email": "granted", "ads": "refused"}


def test_a_cookie_keeps_its_word_that_something_waits_on_a_host() -> None:
    text = f"web:3|{'d' * 22}|-ads|~gpc|!shop.example:8443"
    cookie = read_choice_cookie(text)
    assert cookie is not None
    assert (cookie.choices, cookie.told, cookie.waiting) == ({"ads": "refused"}, True, ("shop.example:8443",))
    assert print_choice_cookie(cookie) == text


def test_a_cookie_without_a_device_names_nobody() -> None:
    cookie = read_choice_cookie("web:3||-ads")
    assert cookie is not None
    assert cookie.device is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "web",
        "web:x||",
        ":3||",
        "web:3|short|+a",
        "web:3|" + "A" * 65 + "|+a",
        "web:3||a",
        "web:3||+",
        "web:99999999999||+a",
    ],
)
def test_a_cookie_that_is_not_ours_is_nothing(value: str) -> None:
    assert read_choice_cookie(value) is None


@given(st.text())
def test_no_cookie_makes_the_reader_fall(value: str) -> None:
    read_choice_cookie(value)


@pytest.mark.parametrize(
    ("cookie", "header", "expected"),
    [
        (None, None, "en"),
        ("zh-CN", "en", "zh-CN"),
        ("xx", "zh", "zh-CN"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        (None, "fr, en;q=0.5", "fr"),
        (None, "pt-PT, en;q=0.5", "pt-BR"),
        (None, "zh-Hant-TW", "zh-CN"),
        (None, "ar-EG,ar;q=0.9", "ar"),
        (None, "sv, fi;q=0.9", "en"),
        (None, "sv, ja;q=0.1", "ja"),
        (None, "de;q=0.3, es-MX;q=0.4", "es"),
        (None, "en;q=0.2, zh-CN;q=0.9", "zh-CN"),
        (None, "zh;q=0, en", "en"),
        (None, "de;q=x,;;;,q", "en"),
        (None, "*", "en"),
    ],
)
def test_the_language_follows_the_cookie_then_the_browser(
    cookie: str | None, header: str | None, expected: str
) -> None:
    assert negotiate(cookie, header) == expected


@given(st.text(max_size=200))
def test_no_header_makes_the_choice_of_language_fall(header: str) -> None:
    assert negotiate(None, header) in LOCALES
