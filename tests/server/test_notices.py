"""The page of a notice: every version with its text and hash, and what changed, in words."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.server.pages import differing
from tests.server.worlds import World

FIRST = """
purposes:
  marketing.email: {title: {en: News by e-mail, zh-CN: 邮件资讯}, legal_basis: consent}
  ads: {title: {en: Advertising, zh-CN: 广告}, legal_basis: consent}
notices:
  web: {version: 1, purposes: [marketing.email], text: {en: We write if you say so., zh-CN: 经您同意我们才写信。}}
sites:
  shop: {origins: ["http://127.0.0.1:8080"], notice: web}
"""
SECOND = """
notices:
  web:
    version: 2
    purposes: [marketing.email, ads]
    material: [ads]
    title: {en: Our <news>, zh-CN: 资讯}
    text: {en: We write twice a month if you say so., zh-CN: 经您同意我们每月写两封信。}
"""


async def published(world: World) -> None:
    for content in (FIRST, SECOND):
        applied = await world.apply(content)
        assert applied.status_code == 200, applied.text


async def test_everybody_reads_every_version_with_its_hash(lite: World) -> None:
    await published(lite)
    page = await lite.nobody.get("/notices/default/web")
    assert page.status_code == 200
    assert "Our &lt;news&gt;" in page.text
    for version in (1, 2):
        content = (await lite.admin.get(f"/v1/notices/web/versions/{version}/content")).content
        digest = hashlib.sha256(content).hexdigest()
        assert " ".join(digest[at : at + 4] for at in range(0, 64, 4)) in page.text
    for text in ("We write if you say so.", "经您同意我们才写信。", "We write twice a month if you say so."):
        assert text in page.text
    assert "With it we asked again about: Advertising." in page.text


async def test_what_changed_is_told_in_words(lite: World) -> None:
    await published(lite)
    page = (await lite.nobody.get("/notices/default/web")).text
    assert '<ins><span class="quiet" lang="en">added: </span> twice a month<span' in page
    assert "Now asked as well: <strong>Advertising</strong>." in page
    back = (await lite.nobody.get("/notices/default/web?from=2&to=1")).text
    assert '<del><span class="quiet" lang="en">removed: </span> twice a month<span' in back
    assert "No longer asked: <strong>Advertising</strong>." in back
    assert "Nothing differs" in (await lite.nobody.get("/notices/default/web?from=2&to=2")).text
    chinese = (await lite.nobody.get("/notices/default/web?text=zh-CN")).text
    assert "每月" in chinese


async def test_an_older_version_says_that_it_was_replaced(lite: World) -> None:
    await published(lite)
    old = (await lite.nobody.get("/notices/default/web?version=1")).text
    assert "replaced by a newer version" in old
    assert "replaced by a newer version" not in (await lite.nobody.get("/notices/default/web?version=7&text=xx")).text


async def test_banner_and_site_lead_to_it(lite: World) -> None:
    await published(lite)
    banner = (await lite.nobody.get("/v1/sites/shop/banner.json")).json()
    address = banner["notice_url"]
    assert address == "http://127.0.0.1:8080/notices/default/web"
    assert (await lite.nobody.get(address)).status_code == 200
    assert (await lite.nobody.get("/notices/shop/web")).status_code == 200


@pytest.mark.parametrize("path", ["/notices/default/wep", "/notices/nobody/web", "/notices/a.b.c/web"])
async def test_a_notice_that_is_not_published_is_not_there(lite: World, path: str) -> None:
    await published(lite)
    answer = await lite.nobody.get(path)
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs/problems#unpublished-notice")


texts = st.text(alphabet="ab c.\n我们信", max_size=40)


@given(texts, texts)
def test_a_difference_holds_both_texts_and_nothing_else(before: str, after: str) -> None:
    pieces = differing(before, after)
    assert "".join(each.text for each in pieces if each.kind != "added") == before
    assert "".join(each.text for each in pieces if each.kind != "removed") == after
    assert all(each.text for each in pieces)
    assert (before == after) == all(each.kind == "same" for each in pieces)


def test_a_long_text_is_compared_in_no_time() -> None:
    before = "\n".join(f"Line {number} says the same as ever it said." for number in range(2_000))
    after = before.replace("Line 1000 says", "Line 1000 tells")
    changed = [each for each in differing(before, after) if each.kind != "same"]
    assert [each.text for each in changed] == ["says", "tells"]
    whole = differing("a b " * 5_000, "c d " * 5_000)
    assert [each.kind for each in whole] == ["removed", "added"]
