"""What the Authorization API 1.0 and its certification scenario ask of every endpoint, whatever the rules say."""

from typing import Any

import msgspec

from tests.server.worlds import World

CALLER = {"type": "service", "id": "mailer"}
PERSON = {"type": "contact.email", "id": "sub_" + "0" * 32}
ACTION = {"name": "use"}
CONTEXT = {"purpose": "marketing.email", "time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}
WHOLE = {"subject": CALLER, "action": ACTION, "resource": PERSON, "context": CONTEXT}

NEEDED = {
    "evaluation": ("subject.type", "subject.id", "action.name", "resource.type", "resource.id"),
    "evaluations": ("subject.type", "subject.id", "action.name", "resource.type", "resource.id"),
    "search/subject": ("subject.type", "action.name", "resource.type", "resource.id"),
    "search/resource": ("subject.type", "subject.id", "action.name", "resource.type"),
    "search/action": ("subject.type", "subject.id", "resource.type", "resource.id"),
}
"""What may be left out of no request, by endpoint."""


def without(path: str) -> dict[str, Any]:
    entity, member = path.split(".")
    return WHOLE | {entity: {name: value for name, value in WHOLE[entity].items() if name != member}}  # type: ignore[attr-defined]


def with_value(path: str, value: object) -> dict[str, Any]:
    entity, member = path.split(".")
    return WHOLE | {entity: WHOLE[entity] | {member: value}}  # type: ignore[operator]


def wrong_bodies(endpoint: str) -> list[bytes]:
    needed = NEEDED[endpoint]
    entities = {path.split(".")[0] for path in needed}
    bodies: list[Any] = [without(path) for path in needed]
    bodies += [with_value(path, value) for path in needed for value in (7, None, [], "x" * 1_025)]
    bodies += [{name: value for name, value in WHOLE.items() if name != entity} for entity in entities]
    bodies += [WHOLE | {entity: value} for entity in entities for value in ("alice", None, 1, [])]
    bodies += [WHOLE | {"context": 7}, WHOLE | {"context": {"purpose": 7}}, [], 7, "x"]
    if endpoint.startswith("search"):
        for page in (7, {"token": 7}, {"limit": -1}, {"limit": "1"}, {"limit": 1.5}, {"token": "none of ours"}):
            bodies.append(WHOLE | {"page": page})
    if endpoint == "evaluations":
        bodies += [WHOLE | {"evaluations": 7}, WHOLE | {"evaluations": {}}, WHOLE | {"options": 7}]
        bodies += [WHOLE | {"evaluations": [{}], "options": {"evaluations_semantic": "first"}}]
    encoded = [msgspec.json.encode(body) for body in bodies]
    return [*encoded, b"", b"{", b"null", b"\xff", b"[" * 50_000, msgspec.json.encode(WHOLE)[:-1]]


async def test_a_body_that_is_wrong_is_400_with_a_string_and_the_callers_request_id(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    for endpoint in NEEDED:
        path = f"/access/v1/{endpoint}"
        for body in wrong_bodies(endpoint):
            headers = {"content-type": "application/json", "x-request-id": "Root=1-67891233-abc;a/b+c=="}
            answer = await mailer.post(path, content=body, headers=headers)
            assert (answer.status_code, type(answer.json())) == (400, str), (endpoint, body[:200], answer.text)
            assert answer.headers["content-type"].startswith("application/json")
            assert answer.headers["x-request-id"] == "Root=1-67891233-abc;a/b+c=="
            assert "x" * 20 not in answer.text
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
            answer = await mailer.post(path, content=msgspec.json.encode(WHOLE), headers={"content-type": kind})
            assert (answer.status_code, type(answer.json())) == (400, str), (endpoint, kind, answer.text)


async def test_what_the_standard_lets_through_goes_through(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    unknown = {"foo": "bar", "futureField": {"nested": True}}
    more = {"properties": {"department": "Sales", "role": "manager"}, "later": 1}
    full = {"subject": CALLER | more, "action": ACTION | more, "resource": PERSON | more, "context": CONTEXT} | unknown
    for endpoint in NEEDED:
        for body in (WHOLE, full, WHOLE | {"page": {"limit": 1, "properties": {"sort": "x"}}}):
            for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
                answer = await mailer.post(
                    f"/access/v1/{endpoint}", content=msgspec.json.encode(body), headers={"content-type": kind}
                )
                assert answer.status_code == 200, (endpoint, answer.text)
                assert answer.headers["content-type"].startswith("application/json")
                assert answer.headers["x-request-id"], "one of our own"
                found = answer.json()
                if endpoint.startswith("search"):
                    assert found["results"] == []
                    assert (next(iter(found)), found["page"]) == ("page", {"next_token": "", "count": 0})
                else:
                    assert found["decision"] is False


async def test_what_does_not_exist_is_found_nowhere(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    nobody, spaceship = CALLER | {"id": "nonexistent-user"}, {"type": "spaceship", "id": "1"}
    for endpoint, changed in (
        ("search/action", {"subject": nobody}),
        ("search/action", {"subject": spaceship}),
        ("search/action", {"resource": spaceship}),
        ("search/subject", {"subject": {"type": "spaceship"}}),
        ("search/subject", {"resource": spaceship}),
        ("search/subject", {"action": {"name": "fly"}}),
        ("search/resource", {"resource": {"type": "spaceship"}}),
        ("search/resource", {"subject": spaceship}),
        ("search/resource", {"context": {}}),
    ):
        answer = await mailer.post(f"/access/v1/{endpoint}", json=WHOLE | changed)
        assert (answer.status_code, answer.json()["results"]) == (200, []), (endpoint, changed, answer.text)


async def test_a_request_id_comes_back_whoever_asks_and_however_it_ends(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    recorder = await lite.key("writer", "recorder")
    for endpoint in NEEDED:
        for client, status in ((mailer, 200), (recorder, 403), (lite.nobody, 401)):
            for sent, back in (
                ("bfe9eb29-ab87-4ca3-be83-a1d5d8305716", True),
                ("a" * 128, True),
                ("a" * 129, False),
                ("two words", False),
                ("<script>", False),
                ("ann@example.org", False),
                ('"', False),
            ):
                headers = {"x-request-id": sent}
                answer = await client.post(f"/access/v1/{endpoint}", json=WHOLE, headers=headers)
                assert answer.status_code == status
                assert (answer.headers["x-request-id"] == sent) is back, (endpoint, status, sent)
                assert answer.headers["x-request-id"]


async def test_discovery_names_every_endpoint(lite: World) -> None:
    answer = await lite.nobody.get("/.well-known/authzen-configuration")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    base = answer.json()["policy_decision_point"]
    assert answer.json() == {
        "policy_decision_point": base,
        "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
        "search_subject_endpoint": f"{base}/access/v1/search/subject",
        "search_resource_endpoint": f"{base}/access/v1/search/resource",
        "search_action_endpoint": f"{base}/access/v1/search/action",
    }


async def test_a_batch_denies_what_it_cannot_read_and_answers_the_rest(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    subject = await lite.person()
    await lite.choose(subject)
    person = {"type": "contact.email", "id": subject}
    batch = {"subject": CALLER, "action": ACTION, "context": {"purpose": "marketing.email"}}
    several = batch | {"evaluations": [{"resource": person}, {}], "options": {"evaluations_semantic": "execute_all"}}
    answer = (await mailer.post("/access/v1/evaluations", json=several)).json()
    assert [each["decision"] for each in answer["evaluations"]] == [True, False]
    assert answer["evaluations"][1]["context"]["error"]["status"] == 400
    for single in (batch | {"resource": person}, batch | {"resource": person, "evaluations": []}):
        assert (await mailer.post("/access/v1/evaluations", json=single)).json()["decision"] is True
