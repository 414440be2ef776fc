"""Every language in its own manner: dates, lists and terms, the direction of writing, and texts of another language."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from sayso.server import pages
from sayso.server.brand.texts import Foreign, in_locale, language_of, worded
from sayso.server.pages import LOCALES, banner_configuration
from sayso.server.pages.banner import BannerPurpose
from sayso.server.pages.locales import (
    PSEUDO,
    best,
    day,
    direction,
    duration,
    isolated,
    joined,
    moment,
    number,
    own_name,
)

from .conftest import Visitor
from .sample_pages import all_pages
from .samples import AT, a_banner, a_preferences_page, a_shop_page

MOMENTS = {
    "en": "21 Nov 2026, 23:05 UTC",
    "zh-CN": "2026年11月21日 23:05 UTC",
    "de": "21. Nov. 2026, 23:05 UTC",
    "fr": "21 nov. 2026, 23:05 UTC",
    "es": "21 nov 2026, 23:05 UTC",
    "pt-BR": "21 de nov. de 2026 23:05 UTC",
    "ja": "2026年11月21日 23:05 UTC",
    "ar": "21 نوفمبر 2026، 23:05 UTC",
}
DAYS = {
    "en": "21 November 2026",
    "zh-CN": "2026年11月21日",
    "de": "21. November 2026",
    "fr": "21 novembre 2026",
    "es": "21 de noviembre de 2026",
    "pt-BR": "21 de novembro de 2026",
    "ja": "2026年11月21日",
    "ar": "21 نوفمبر 2026",
}
LISTS = {
    "en": "A, B and C",
    "zh-CN": "A、B和C",
    "de": "A, B und C",
    "fr": "A, B et C",
    "es": "A, B y C",
    "pt-BR": "A, B e C",
    "ja": "A、B、C",
}
TERMS = {
    "en": ("24 months", "1 year and 6 months", "1 week", "30 days"),
    "zh-CN": ("24个月", "1年6个月", "1周", "30天"),
    "de": ("24 Monate", "1 Jahr und 6 Monate", "1 Woche", "30 Tage"),
    "fr": ("24\u00a0mois", "1\u00a0an et 6\u00a0mois", "1\u00a0semaine", "30\u00a0jours"),
    "es": ("24 meses", "1 año y 6 meses", "1 semana", "30 días"),
    "pt-BR": ("24 meses", "1 ano e 6 meses", "1 semana", "30 dias"),
    "ja": ("24か月", "1年6か月", "1週間", "30日"),
    "ar": ("24 شهرًا", "سنة واحدة و6 أشهر", "أسبوع", "30 يومًا"),
}


@pytest.mark.parametrize("locale", LOCALES)
def test_dates_and_terms_are_written_as_the_language_does(locale: str) -> None:
    assert moment(AT, locale) == MOMENTS[locale]
    assert day(AT, locale) == DAYS[locale]
    assert tuple(duration(iso, locale) for iso in ("P24M", "P1Y6M", "P1W", "P30D")) == TERMS[locale]
    assert duration("PT1H", locale) == "PT1H"
    assert duration("P", locale) == "P"


@pytest.mark.parametrize("locale", LISTS)
def test_a_list_is_written_as_the_language_does(locale: str) -> None:
    assert joined(("A", "B", "C"), locale) == LISTS[locale]
    assert joined((), locale) == ""


def test_spanish_says_e_before_the_sound_of_i() -> None:
    assert joined(("Noticias", "Información"), "es") == "Noticias e Información"
    assert joined(("Noticias", "Historia"), "es") == "Noticias e Historia"
    assert joined(("Agua", "Hielo"), "es") == "Agua y Hielo"


def test_numbers_carry_the_separators_of_the_language() -> None:
    assert [number(1_234_567, locale) for locale in ("en", "de", "ar")] == ["1,234,567", "1.234.567", "1,234,567"]


def test_a_language_is_named_in_its_own_words() -> None:
    assert [own_name(code) for code in ("ar", "pt-BR", "nl", "xx-nowhere", "")] == [
        "العربية",
        "Português (Brasil)",
        "Nederlands",
        "xx-nowhere",
        "",
    ]


@given(st.text(max_size=60), st.lists(st.sampled_from(["en", "de", "pt-BR", "zh-TW"])))
def test_no_header_gets_a_language_that_is_not_offered(header: str, offered: list[str]) -> None:
    assert best(header, offered) in {None, *offered}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_says_its_language_and_its_direction(locale: str) -> None:
    for sample in all_pages(locale):
        assert sample.html.startswith(f'<!doctype html>\n<html lang="{locale}" dir="{direction(locale)}">'), sample.name


def test_only_languages_written_from_the_right_are_turned_round() -> None:
    assert [code for code in (*LOCALES, "he", "fa-IR", PSEUDO) if direction(code) == "rtl"] == ["ar", "he", "fa-IR"]


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_in_an_attribute_carries_markup(locale: str) -> None:
    for sample in all_pages(locale):
        assert re.findall(r'\s[\w-]+="[^"]*<[^"]*"', sample.html) == [], sample.name


def test_a_text_that_a_brand_wrote_in_another_language_says_so() -> None:
    html = pages.render_preferences(a_preferences_page("de"))
    assert '<span lang="en" dir="ltr">Recommendations</span>' in html
    assert 'aria-label="Recommendations"' in html
    assert "Neuigkeiten per E-Mail</h3>" in html or "Neuigkeiten per E-Mail <span" in html


def test_the_nearest_language_of_a_text_is_taken() -> None:
    texts = {"en": "Hello", "pt-PT": "Olá", "zh-TW": "你好"}
    assert [language_of(texts, each) for each in ("pt-BR", "zh-CN", "ja", "en")] == ["pt-PT", "zh-TW", "en", "en"]
    assert language_of({"nl": "Hallo"}, "ja") == "nl"
    assert worded(texts, "en", "") == "Hello"
    assert not isinstance(worded(texts, "en", ""), Foreign)
    assert worded({}, "de", "name") == in_locale({}, "de", "name") == "name"
    assert type(in_locale(texts, "de", "")) is str


def test_a_foreign_text_is_escaped_where_it_stands_and_in_a_list() -> None:
    hostile = Foreign("<b>&", "ar")
    assert hostile.__html__() == '<span lang="ar" dir="rtl">&lt;b&gt;&amp;</span>'
    assert joined(("<i>", hostile), "en") == '&lt;i&gt; and <span lang="ar" dir="rtl">&lt;b&gt;&amp;</span>'


def test_names_among_arabic_words_keep_their_own_order() -> None:
    assert isolated("1 Leaf Lane, London", "ar") == "\u20681 Leaf Lane, London\u2069"
    assert isolated("1 Leaf Lane, London", "de") == "1 Leaf Lane, London"
    assert isolated("+44 20 7946", "ar") == "\u2068+44 20 7946\u2069"
    assert isolated("لندن 24", "ar") == "لندن 24"
    assert joined(("Letterbox", "Panorama"), "ar") == "\u2068Letterbox\u2069 و\u2068Panorama\u2069"


def test_the_banner_tells_the_notice_in_one_language_inside_an_interface_in_another() -> None:
    purpose = BannerPurpose(name="ads", title="Advertising", lang="en")
    shown = banner_configuration(
        site="s",
        token="t",
        notice="n",
        notice_version=1,
        locale="en",
        interface="ar",
        text="We ask.",
        title="Our shop",
        purposes=(purpose,),
    )
    assert (shown.locale, shown.lang, shown.dir, shown.own) == ("en", "ar", "rtl", True)
    assert shown.strings["refuse"] == "رفض الكل"
    assert shown.purposes[0].lang == "en"
    same = a_banner("ar")
    assert (same.locale, same.lang, same.own) == ("ar", "", False)


def test_a_foreign_notice_is_marked_in_the_banner(visitor: Visitor) -> None:
    visitor.site.banner = {
        "interface": "ar",
        "text": "We ask.",
        "purposes": (BannerPurpose(name="ads", title="Advertising", description="Partners.", lang="en"),),
    }
    page = visitor.opens()
    banner = page.locator("sayso-say")
    banner.get_by_role("region").wait_for()
    assert banner.evaluate("e => [e.lang, e.dir]") == ["ar", "rtl"]
    text = banner.get_by_text("We ask.")
    assert text.evaluate("e => [e.lang, getComputedStyle(e).direction]") == ["en", "ltr"]
    banner.get_by_role("button", name="تخصيص").click()
    title = banner.get_by_text("Advertising", exact=True)
    assert title.evaluate("e => [e.lang, getComputedStyle(e).direction]") == ["en", "ltr"]
    banner.get_by_role("button", name="قبول الكل").last.click()
    expect(banner.get_by_role("status")).to_contain_text("Advertising")
    assert visitor.sent(page)[0].json["locale"] == "en"


def test_the_list_of_languages_opens_and_is_a_form_without_script(visitor: Visitor) -> None:
    page = visitor.opens("/p/", locale="ar", width=360, javascript=False)
    listed = page.locator("#languages")
    expect(listed).to_be_hidden()
    page.get_by_role("button", name="العربية").click()
    expect(listed).to_be_visible()
    names = listed.get_by_role("button").all_inner_texts()
    assert names == list(LOCALES.values())
    assert listed.locator('[aria-pressed="true"]').inner_text() == "العربية"
    box = listed.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()


def test_identifiers_run_from_left_to_right_on_an_arabic_page(visitor: Visitor) -> None:
    page = visitor.opens("/console/systems", locale="ar")
    for kind in ("code", "time.nums"):
        assert page.locator(kind).first.evaluate("e => getComputedStyle(e).direction") == "ltr"
    history = visitor.opens("/p/you/history", locale="ar")
    history.locator("details").first.evaluate("e => (e.open = true)")
    assert history.locator("bdi.hash").first.evaluate("e => getComputedStyle(e).direction") == "ltr"
    assert history.locator(".timeline").evaluate("e => getComputedStyle(e).borderRightWidth") != "0px"


def test_the_shop_turns_round_with_its_picture(visitor: Visitor) -> None:
    assert a_shop_page("ar").frame.locale == "ar"
    page = visitor.opens("/demo/", locale="ar")
    assert page.locator(".hero svg").evaluate("e => getComputedStyle(e).scale") == "-1 1"
