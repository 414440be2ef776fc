"""A visitor whose language the brand did not write in: our words in theirs, the brand's in its own, and marked."""

import secrets
from typing import Any

import msgspec
import pytest

from sayso.kernel import Document, Section, now
from sayso.server.pages import LOCALES
from sayso.server.typesetting import Typesetter
from tests.server.test_person_pages import a_brand, asks
from tests.server.test_preferences import enter
from tests.server.test_sites import ORIGIN, send
from tests.server.worlds import World


async def shown(world: World, languages: str = "", query: str = "") -> dict[str, Any]:
    headers = ORIGIN | ({"accept-language": languages} if languages else {})
    answer = await world.nobody.get(f"/v1/sites/shop/banner.json{query}", headers=headers)
    found: dict[str, Any] = answer.json()
    return found


async def test_the_banner_speaks_german_around_an_english_notice(lite: World) -> None:
    await lite.smallest()
    banner = await shown(lite, "de-AT,de;q=0.9,en;q=0.5")
    assert (banner["locale"], banner["lang"], banner["dir"]) == ("en", "de", "ltr")
    assert banner["text"] == "We write to you only if you say so."
    assert banner["strings"]["refuse"] == "Alle ablehnen"
    assert banner["purposes"][0]["lang"] == "en"
    taken = await send(lite, banner["token"], secrets.token_urlsafe(16), locale=banner["locale"])
    assert taken.status_code == 201, taken.text


@pytest.mark.parametrize(
    ("languages", "query", "locale", "interface"),
    [
        ("ar", "", "en", "ar"),
        ("ja, zh;q=0.5", "", "zh-CN", "ja"),
        ("zh-TW", "", "zh-CN", "zh-CN"),
        ("sv", "", "en", "en"),
        ("", "", "en", "en"),
        ("zh-CN", "?locale=pt-PT", "en", "pt-BR"),
        ("zh-CN", "?locale=xx", "en", "en"),
        ("de", f"?locale={'x' * 2_000}", "en", "en"),
    ],
)
async def test_notice_and_interface_are_each_in_the_language_that_fits_best(
    lite: World, languages: str, query: str, locale: str, interface: str
) -> None:
    await lite.smallest()
    banner = await shown(lite, languages, query)
    assert (banner["locale"], banner.get("lang", banner["locale"])) == (locale, interface)
    assert banner["dir"] == ("rtl" if interface == "ar" else "ltr")


async def test_the_preference_page_marks_what_the_brand_said_in_another_language(lite: World) -> None:
    await a_brand(lite)
    browser, _ = await enter(lite, await lite.person())
    page = await browser.get("/p/you", headers={"accept-language": "ar"})
    assert page.status_code == 200, page.text
    assert '<html lang="ar" dir="rtl">' in page.text
    assert '<span lang="en" dir="ltr">News by e-mail</span>' in page.text
    assert 'aria-label="News by e-mail"' in page.text
    english = await browser.get("/p/you", headers={"accept-language": "en"})
    assert "<span lang=" not in english.text


async def test_every_page_of_a_person_opens_in_every_language(lite: World) -> None:
    await a_brand(lite)
    subject = await lite.person()
    browser, _ = await enter(lite, subject)
    await asks(lite, subject)
    for locale in LOCALES:
        for path in ("/p/you", "/p/you/history", "/p/you/uses", "/p/you/data", "/notices/default/web"):
            page = await browser.get(path, headers={"accept-language": locale})
            assert page.status_code == 200, page.text
            assert f'<html lang="{locale}"' in page.text


async def test_the_copy_is_taken_home_in_a_language_that_the_brand_does_not_write(lite: World) -> None:
    await a_brand(lite)
    subject = await lite.person()
    browser, _ = await enter(lite, subject)
    await asks(lite, subject)
    copy = await browser.get("/p/you/data/copy", headers={"accept-language": "de"})
    assert copy.status_code == 200, copy.text
    told: dict[str, Any] = msgspec.json.decode(copy.content)
    assert [use["purpose"] for use in told["uses"]] == ["News by e-mail"]


async def test_a_document_in_arabic_is_set_in_letters_that_have_them() -> None:
    typesetter = Typesetter()
    for locale, words, face in (("ar", "إيصال باختياراتك", b"NotoSansArabic"), ("ja", "選択の控え", b"NotoSansCJKjp")):
        section = Section(words, ((words, "cns_1"),), "")
        document = Document(
            title=words, lead="", locale=locale, at=now(), sections=(section,), footer="", attachments=()
        )
        assert face in await typesetter.pdf(document)
