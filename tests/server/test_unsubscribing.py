"""One-click unsubscribe over HTTP: the header pair, the POST that says no, the page, and the undo."""

from typing import Any

import httpx
import pytest
from freezegun import freeze_time

from tests.server.worlds import World

LIST = "marketing.email"
BODY = {"List-Unsubscribe": "One-Click"}


async def wanted(world: World, subject: Any, **more: Any) -> httpx.Response:
    body = {"subject": subject, "purpose": LIST, "message": "<spring-7@tea.example>", **more}
    return await world.admin.post("/v1/unsubscribe-headers", json=body)


async def path_for(world: World, subject: Any) -> str:
    """The address in the headers, as a path."""
    response = await wanted(world, subject)
    assert response.status_code == 200, response.text
    url: str = response.json()["url"]
    return url.removeprefix("http://127.0.0.1:8080")


async def subscriber(world: World, value: str = "c-1") -> str:
    subject = await world.person(value)
    assert (await world.choose(subject)).status_code == 201
    return subject


async def standing(world: World, subject: str) -> dict[str, Any]:
    found = (await world.admin.get(f"/v1/subjects/{subject}/consents")).json()
    state: dict[str, Any] = found["purposes"][LIST]
    return state


async def newest(world: World, subject: str) -> dict[str, Any]:
    item: dict[str, Any] = (await world.admin.get(f"/v1/subjects/{subject}/history")).json()["items"][0]
    return item


async def records(world: World, subject: str) -> int:
    return len((await world.admin.get(f"/v1/subjects/{subject}/history")).json()["items"])


async def test_the_header_pair_is_ready_to_use_and_says_nothing(world: World) -> None:
    await world.smallest()
    subject = await subscriber(world)
    made = (await wanted(world, subject)).json()
    assert made["headers"] == {
        "List-Unsubscribe": f"<{made['url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    token = made["url"].rpartition("/u/default.")[2]
    assert len(token) > 80
    assert not {subject[4:], LIST, "spring"} & {part for part in (subject[4:], LIST, "spring") if part in token}
    assert made["url"] != (await wanted(world, subject)).json()["url"]
    assert len(made["headers"]["List-Unsubscribe"]) < 998 - len("List-Unsubscribe: ")

    by_mail = (await wanted(world, subject, mailto="stop+now@tea.example")).json()
    assert by_mail["headers"]["List-Unsubscribe"].startswith(
        f"<{by_mail['url']}>, <mailto:stop%2Bnow@tea.example?subject="
    )


async def test_a_person_is_named_by_an_identifier_and_never_made(world: World) -> None:
    await world.smallest()
    await subscriber(world)
    known = {"identifier": {"type": "customer_id", "value": "c-1"}}
    assert (await wanted(world, known)).status_code == 200
    nobody = await wanted(world, {"identifier": {"type": "customer_id", "value": "c-2"}})
    assert (nobody.status_code, nobody.json()["type"]) == (404, "/docs/problems#no-subject")


async def test_only_who_records_or_asks_may_have_headers_made(lite: World) -> None:
    await lite.smallest()
    subject = await subscriber(lite)
    body = {"subject": subject, "purpose": LIST, "message": "m-1"}
    for role, status in (("recorder", 200), ("pep", 200), ("auditor", 403), ("vault_writer", 403)):
        client = await lite.key(role.replace("_", "-"), role)
        assert (await client.post("/v1/unsubscribe-headers", json=body)).status_code == status
    assert (await lite.nobody.post("/v1/unsubscribe-headers", json=body)).status_code == 401


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"purpose": "marketing.emial"}, "unknown-purpose"),
        ({"purpose": "support"}, "not-a-list"),
        ({"message": ""}, "invalid-message-id"),
        ({"message": "m\r\nBcc: x@example.org"}, "invalid-message-id"),
        ({"message": "m" * 251}, "invalid-message-id"),
        ({"mailto": "a@b.example>, <x"}, "invalid-value"),
        ({"mailto": "a@b.example\r\nX: y"}, "invalid-value"),
        ({"subject": "sub_1"}, "malformed-id"),
    ],
)
async def test_what_cannot_become_a_header_is_refused(lite: World, changes: dict[str, Any], slug: str) -> None:
    await lite.smallest()
    subject = await subscriber(lite)
    response = await wanted(lite, **{"subject": subject, **changes})
    assert (response.status_code, response.json()["type"]) == (400, f"/docs/problems#{slug}")


@pytest.mark.parametrize("form", [{"data": BODY}, {"files": {"List-Unsubscribe": (None, "One-Click")}}])
async def test_the_post_says_no_at_once_without_cookie_or_redirect(world: World, form: dict[str, Any]) -> None:
    await world.smallest()
    subject = await subscriber(world)
    path = await path_for(world, subject)
    answer = await world.nobody.post(path, **form)
    assert answer.status_code == 200
    assert not {"set-cookie", "location"} & answer.headers.keys()
    assert (await standing(world, subject))["status"] == "withdrawn"
    record = await newest(world, subject)
    assert (record["method"], record["assurance"]) == ("list_unsubscribe_one_click", "link")
    assert record["evidence"] == {"message": "<spring-7@tea.example>"}
    for _ in range(3):
        assert (await world.nobody.post(path, **form)).status_code == 200
    assert await records(world, subject) == 2, "a repeat writes nothing"


async def test_every_way_of_asking_is_denied_after_it(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender")
    subject = await subscriber(world)
    ask = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": LIST},
    }
    assert (await mailer.post("/access/v1/evaluation", json=ask)).json()["decision"] is True
    await world.nobody.post(await path_for(world, subject), data=BODY)
    denied = (await mailer.post("/access/v1/evaluation", json=ask)).json()
    assert (denied["decision"], denied["context"]["reason"]) == (False, "withdrawn")


async def test_for_direct_marketing_it_is_an_objection_that_a_later_yes_does_not_clear(world: World) -> None:
    applied = await world.apply(
        "purposes: {marketing.email: {title: {en: News}, legal_basis: consent, direct_marketing: true}}\n"
        "notices: {web: {version: 1, purposes: [marketing.email], text: {en: We write if you say so.}}}\n"
    )
    assert applied.status_code == 200, applied.text
    subject = await world.person()
    await world.nobody.post(await path_for(world, subject), data=BODY)
    assert (await standing(world, subject))["objected"] is True
    await world.choose(subject)
    again = await standing(world, subject)
    assert (again["status"], again["objected"]) == ("granted", True)
    # The old letter still works: a no to it is a no.
    await world.nobody.post(await path_for(world, subject), data=BODY)
    assert (await standing(world, subject))["status"] == "withdrawn"


async def test_opening_the_address_changes_nothing(world: World) -> None:
    await world.smallest()
    subject = await subscriber(world)
    path = await path_for(world, subject)
    opened = await world.nobody.get(path)
    assert opened.status_code == 200
    assert 'name="List-Unsubscribe" value="One-Click"' in opened.text
    assert "News by e-mail" in opened.text
    assert "set-cookie" not in opened.headers
    assert (await standing(world, subject))["status"] == "granted"
    assert "邮件资讯" in (await world.nobody.get(path, headers={"accept-language": "zh-CN"})).text


@pytest.mark.parametrize("form", [{}, {"data": {"List-Unsubscribe": "yes"}}, {"json": BODY}, {"content": b"\xff\xfe"}])
async def test_a_post_that_does_not_say_one_click_changes_nothing(lite: World, form: dict[str, Any]) -> None:
    await lite.smallest()
    subject = await subscriber(lite)
    answer = await lite.nobody.post(await path_for(lite, subject), **form)
    assert (answer.status_code, answer.json()["type"]) == (400, "/docs/problems#not-one-click")
    assert (await standing(lite, subject))["status"] == "granted"


async def test_an_undo_gives_the_state_back_as_it_stood_with_a_record_of_its_own(world: World) -> None:
    await world.smallest()
    subject = await subscriber(world)
    before = await standing(world, subject)
    path = await path_for(world, subject)
    page = await world.nobody.post(path, data=BODY)
    withdrawal = await newest(world, subject)
    assert f'action="{path}/undo"' in page.text
    assert f'action="{path}/undo"' in (await world.nobody.get(path)).text

    undone = await world.nobody.post(f"{path}/undo")
    assert undone.status_code == 200, undone.text
    assert await standing(world, subject) == before
    record = await newest(world, subject)
    assert (record["choices"], record["undoes"]) == ({LIST: "undone"}, withdrawal["record"])
    assert (await world.nobody.post(f"{path}/undo")).status_code == 409
    receipt = await world.admin.get(f"/v1/consents/{record['record']}/receipt", headers={"accept": "text/plain"})
    assert receipt.status_code == 200

    await world.nobody.post(path, data=BODY)
    assert (await standing(world, subject))["status"] == "withdrawn"


async def test_an_undo_comes_too_late_after_a_day_or_after_another_choice(world: World) -> None:
    await world.smallest()
    with freeze_time("2026-11-22T10:00:00Z", real_asyncio=True) as clock:
        subject = await subscriber(world)
        path = await path_for(world, subject)
        await world.nobody.post(path, data=BODY)
        clock.tick(86_401)
        assert "/undo" not in (await world.nobody.get(path)).text
        assert (await world.nobody.post(f"{path}/undo")).status_code == 409
        assert (await standing(world, subject))["status"] == "withdrawn"

        other = await subscriber(world, "c-2")
        path = await path_for(world, other)
        await world.nobody.post(path, data=BODY)
        await world.admin.post(f"/v1/subjects/{other}/withdrawals", json={"purposes": "all"})
        assert (await world.nobody.post(f"{path}/undo")).status_code == 409
        assert (await standing(world, other))["status"] == "withdrawn"


async def test_a_no_said_elsewhere_is_not_undone_by_a_letter(lite: World) -> None:
    await lite.smallest()
    subject = await subscriber(lite)
    path = await path_for(lite, subject)
    await lite.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": [LIST]})
    page = await lite.nobody.get(path)
    assert "/undo" not in page.text
    assert "You are unsubscribed" in page.text
    assert (await lite.nobody.post(f"{path}/undo")).status_code == 409


async def test_what_was_never_made_and_who_was_erased_are_answered_alike(world: World) -> None:
    await world.smallest()
    subject = await subscriber(world)
    path = await path_for(world, subject)
    opened = await world.admin.post("/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": "gdpr"})
    request = f"/v1/rights/requests/{opened.json()['request']}"
    await world.admin.post(f"{request}/verify", json={"method": "officer"})
    assert (await world.admin.post(f"{request}/fulfil", json={})).status_code == 200
    changed = path[:-1] + ("A" if path[-1] != "A" else "B")
    paths = [path, changed, "/u/default.AAAA", "/u/nobody.AAAA", "/u/x", f"/u/default.{'A' * 901}"]
    gets = [await world.nobody.get(each) for each in paths]
    posts = [await world.nobody.post(each, data=BODY) for each in paths]
    undos = [await world.nobody.post(f"{each}/undo") for each in paths]
    answers = {(each.status_code, each.text) for each in (*gets, *posts, *undos)}
    assert len(answers) == 1
    assert answers.pop()[0] == 404


async def test_another_brands_key_opens_nothing(lite: World) -> None:
    await lite.smallest()
    path = await path_for(lite, await subscriber(lite))
    made = await lite.operator.post("/v1/tenants", json={"name": "other", "controller": "Other Ltd, Ireland"})
    assert made.status_code == 201, made.text
    assert (await lite.nobody.post(path.replace("default.", "other."), data=BODY)).status_code == 404


async def test_one_address_is_pressed_only_so_often(lite: World) -> None:
    await lite.smallest()
    path = await path_for(lite, await subscriber(lite))
    statuses = [(await lite.nobody.post(path, data=BODY)).status_code for _ in range(40)]
    assert statuses[:20] == [200] * 20
    assert statuses[-1] == 429
