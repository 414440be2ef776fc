"""What cannot be answered is a page to people and a problem document to programs."""

import httpx
import pytest

from tests.server.test_preferences import enter
from tests.server.worlds import World

BROWSER = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "accept-language": "de"}


def is_page(answer: httpx.Response, status: int, title: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert f"<h1>{title}</h1>" in answer.text
    assert answer.headers["x-request-id"] in answer.text


@pytest.mark.parametrize("path", ["/nowhere", "/p/you/nowhere", "/notices/default/none", "/static/none.js"])
async def test_a_reader_is_shown_a_page_in_their_language(world: World, path: str) -> None:
    await world.smallest()
    is_page(await world.nobody.get(path, headers=BROWSER), 404, "Hier ist nichts")
    answer = await world.nobody.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_an_operator_is_also_told_the_detail_and_led_back_to_the_console(world: World) -> None:
    await world.smallest()
    answer = await world.nobody.get("/console/nowhere", headers=BROWSER)
    is_page(answer, 404, "Hier ist nichts")
    assert "There is nothing here." in answer.text
    assert 'href="/console/"' in answer.text
    assert "There is nothing here." not in (await world.nobody.get("/p/nowhere", headers=BROWSER)).text


async def test_a_form_from_elsewhere_is_refused_on_a_page_whose_switches_lead_to_one(world: World) -> None:
    await world.smallest()
    elsewhere = BROWSER | {"sec-fetch-site": "cross-site"}
    answer = await world.nobody.post("/settings", data={"theme": "dark"}, headers=elsewhere)
    is_page(answer, 403, "Das steht Ihnen nicht offen")
    assert 'name="back" value="/p/"' in answer.text


async def test_nothing_that_was_sent_is_repeated(world: World) -> None:
    await world.smallest()
    answer = await world.nobody.get("/nowhere/person@example.org?name=Ada", headers=BROWSER)
    assert answer.status_code == 404
    assert "person@example.org" not in answer.text
    assert "Ada" not in answer.text


async def test_the_api_answers_everybody_with_a_problem_document(world: World) -> None:
    for path in ("/v1/nowhere", "/v1/subjects", "/access/v1/nowhere"):
        answer = await world.nobody.get(path, headers=BROWSER)
        assert "json" in answer.headers["content-type"]


async def test_what_a_signed_in_person_cannot_have_is_a_page_too(world: World) -> None:
    await world.smallest()
    page, _ = await enter(world, await world.person())
    answer = await page.get("/p/you/records/rec_1/receipt", headers=BROWSER)
    is_page(answer, 400, "Das war nicht möglich")


async def test_the_root_leads_to_the_preference_page(world: World) -> None:
    answer = await world.nobody.get("/", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/")
