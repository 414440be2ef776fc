"""What cannot be understood is refused, with its place and without its words."""

from typing import Any

import pytest

from tests.server.worlds import World

SECRET = "alice-secret@example.org"

MALFORMED: list[tuple[str, bytes, str]] = [
    ("no json", b"{", "malformed"),
    ("empty", b"", "malformed"),
    ("not an object", b"[]", "malformed"),
    ("wrong type", b'{"subject": 5}', "malformed"),
    (
        "text for a number",
        b'{"subject":"sub_0","notice":"web","notice_version":"1","locale":"en","choices":{}}',
        "malformed",
    ),
    ("unknown member", b'{"%s": 1}' % SECRET.encode(), "malformed"),
    (
        "unknown choice",
        b'{"subject":"x","notice":"web","notice_version":1,"locale":"en","choices":{"a":"%s"}}' % SECRET.encode(),
        "malformed",
    ),
    ("not utf-8", b'{"subject":"\xff\xfe"}', "malformed"),
    ("a nest of lists", b"[" * 100_000, "malformed"),
    ("a nest of objects", b'{"evidence":' * 5_000, "malformed"),
]


@pytest.mark.parametrize(("name", "body", "slug"), MALFORMED, ids=[case[0] for case in MALFORMED])
async def test_a_malformed_body_is_400_and_is_not_repeated(lite: World, name: str, body: bytes, slug: str) -> None:
    headers = {"content-type": "application/json"}
    response = await lite.admin.post("/v1/consents", content=body, headers=headers)
    assert response.status_code == 400, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    assert response.json()["type"].endswith(f"#{slug}")
    assert SECRET not in response.text


async def test_the_place_of_a_wrong_member_is_named(lite: World) -> None:
    body = {
        "subject": {"identifier": {"type": "email", "value": 5}},
        "notice": "web",
        "notice_version": 1,
        "locale": "en",
        "choices": {},
    }
    response = await lite.admin.post("/v1/consents", json=body)
    assert response.json()["at"] == "subject.identifier.value"


async def test_huge_bodies_are_413_with_and_without_an_announced_length(lite: World) -> None:
    big = b'{"subject":"' + b"x" * (2 << 20) + b'"}'

    async def stream() -> Any:
        for start in range(0, len(big), 65536):
            yield big[start : start + 65536]

    headers = {"content-type": "application/json"}
    for path in ("/v1/consents", "/v1/vault/records", "/access/v1/evaluation"):
        announced = await lite.admin.post(path, content=big, headers=headers)
        streamed = await lite.admin.post(path, content=stream(), headers=headers)
        assert (announced.status_code, streamed.status_code) == (413, 413), path


async def test_a_manifest_may_be_larger_than_other_bodies_and_has_its_limit_too(lite: World) -> None:
    padding = "# " + "x" * (2 << 20) + "\n"
    assert (await lite.apply(padding + "categories: [contact]\n")).status_code == 200
    refused = await lite.apply("# " + "x" * (16 << 20))
    assert refused.status_code == 413
    assert refused.json()["limit"] == 16 << 20


async def test_another_media_type_is_refused(lite: World) -> None:
    for path in ("/v1/consents", "/access/v1/evaluation", "/v1/vault/reveal"):
        response = await lite.admin.post(path, content=b"{}", headers={"content-type": "text/plain"})
        assert response.status_code == 400, path


async def test_an_unknown_address_says_nothing_of_it(lite: World) -> None:
    response = await lite.admin.get(f"/v1/nothing/{SECRET}?q={SECRET}")
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("application/problem+json")
    assert SECRET not in response.text
    assert (await lite.admin.patch("/v1/consents")).status_code == 405


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=many", f"since={SECRET}", "since=2026-01-01", "outcome=maybe", "cursor=x"]
)
async def test_a_wrong_query_is_400_and_is_not_repeated(lite: World, query: str) -> None:
    response = await lite.admin.get(f"/v1/audit/entries?{query}")
    assert response.status_code == 400, response.text
    assert SECRET not in response.text


async def test_names_that_nobody_declared_are_refused_with_the_nearest(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    unknown = await lite.choose(subject, choices={"marketing.emal": "granted"})
    assert (unknown.status_code, unknown.json()["nearest"]) == (400, "marketing.email")
    assert unknown.json()["type"].endswith("#unknown-purpose")
    elsewhere = await lite.choose(subject, choices={"support": "granted"})
    assert elsewhere.json()["type"].endswith("#purpose-not-in-notice")
    assert (await lite.choose(subject, notice="wep")).json()["nearest"] == "web"
    stored = await lite.admin.post(
        "/v1/vault/records", json={"subject": subject, "collection": "custmers", "fields": {"email": "a@b.example"}}
    )
    assert stored.json()["nearest"] == "customers"


async def test_another_version_takes_a_no_and_refuses_a_yes(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    granted = await lite.choose(subject, notice_version=2)
    assert (granted.status_code, granted.json()["published_version"]) == (409, 1)
    refused = await lite.choose(subject, notice_version=2, choices={"marketing.email": "refused"})
    assert refused.status_code == 201


async def test_authzen_errors_are_strings(lite: World) -> None:
    for body in (b"{", b"", b"{}", b'{"subject": 1}'):
        response = await lite.admin.post(
            "/access/v1/evaluation", content=body, headers={"content-type": "application/json", "x-request-id": "abc-1"}
        )
        assert response.status_code == 400
        assert isinstance(response.json(), str)
        assert response.headers["x-request-id"] == "abc-1"
    nobody = await lite.nobody.post("/access/v1/evaluation", content=b"{}")
    assert (nobody.status_code, type(nobody.json())) == (401, str)


async def test_values_that_are_none_of_their_kind_are_refused_without_being_told(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    for fields in ({"email": "no address"}, {"phone": "none"}):
        body = {"subject": subject, "collection": "customers", "fields": fields}
        response = await lite.admin.post("/v1/vault/records", json=body)
        assert response.status_code == 400, response.text
        assert "no address" not in response.text
    malformed = {"identifier": {"type": "email", "value": "not-an-address"}, "create": True}
    assert (await lite.admin.post("/v1/subjects/resolve", json=malformed)).status_code == 400


BEYOND = 10**30
NUMBERS: list[tuple[str, str, Any]] = [
    ("POST", "/v1/subjects/{subject}/withdrawals", {"purposes": "all", "evidence": {"step": BEYOND}}),
    ("POST", "/v1/subjects/{subject}/objections", {"purposes": "all", "evidence": {"step": BEYOND}}),
    ("POST", "/v1/subjects/{subject}/links", {"ttl_s": BEYOND}),
    ("PUT", "/v1/subjects/{subject}/age-band", {"youngest": BEYOND, "source": "declared"}),
    ("GET", f"/v1/manifest/versions?before={BEYOND}", None),
    ("GET", f"/v1/manifest/versions/{BEYOND}", None),
    ("POST", "/v1/manifest/rollbacks", {"version": BEYOND}),
    ("POST", "/v1/policy/diff", {"old": {"version": BEYOND}}),
    ("GET", f"/v1/notices/web/versions/{BEYOND}/content", None),
    ("GET", f"/notices/default/web?version={BEYOND}&from={BEYOND}&to={-BEYOND}", None),
    ("GET", f"/log/default.main/tile/{BEYOND}/000", None),
    ("GET", f"/v1/subjects/{{subject}}/history?cursor=-{BEYOND}", None),
    ("GET", f"/v1/subjects/{{subject}}/preferences/history?cursor=-{BEYOND}.00", None),
]


async def test_a_number_that_no_column_holds_is_the_callers_mistake(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    answers = [(await lite.choose(subject, evidence={"step": BEYOND})).status_code]
    for method, path, body in NUMBERS:
        answer = await lite.admin.request(method, path.format(subject=subject), json=body)
        answers.append(answer.status_code)
    assert max(answers) < 500, answers


async def test_a_text_that_no_column_holds_is_the_callers_mistake(world: World) -> None:
    answers = [
        (await world.admin.get(path)).status_code
        for path in (
            "/log/default.ma%00in/checkpoint",
            "/v1/audiences/a%00",
            "/v1/rights/tasks?system=a%00",
            "/v1/audit/entries?log=a%00",
            "/v1/audit/entries?type=external.a%00",
        )
    ]
    for log in ("a\0", "none"):
        ordered = await world.admin.post("/v1/exports", json={"what": "entries", "format": "csv", "log": log})
        answers.append(ordered.status_code)
    assert answers == [404, 404, 200, 200, 200, 404, 404]
