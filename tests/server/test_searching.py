"""AuthZEN's searches as a service sees them: equal to single questions, page by page, each page an entry."""

import itertools
from typing import Any

import httpx
import msgspec

from audit import Opening
from consent import PERSON, AgeBand, Choice, Minority, PersonState, pack, unpack
from policies import unpack_list
from sayso.kernel import Context, Tx, Work, new_id, new_raw, now, text
from sayso.server.calls import searching
from tests.server.questionnaire import prefer
from tests.server.worlds import MANIFEST, World

CONTEXT = {"purpose": "marketing.email"}
SEARCH = {"action": {"name": "use"}, "resource": {"type": "contact.email"}, "context": CONTEXT}
MAILER = {"subject": {"type": "service", "id": "mailer"}}


async def search(client: httpx.AsyncClient, what: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/access/v1/search/{what}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["page"]["count"] == len(found["results"])
    return found


async def people(client: httpx.AsyncClient, limit: int = 100, **more: Any) -> list[str]:
    """All that a search finds, however many pages that takes."""
    found: list[str] = []
    page: dict[str, Any] = {"limit": limit}
    while True:
        answer = await search(client, "resource", **MAILER | SEARCH | more | {"page": page})
        assert {each["type"] for each in answer["results"]} <= {"contact.email"}
        assert len(answer["results"]) <= limit
        found += [each["id"] for each in answer["results"]]
        page = {"token": answer["page"]["next_token"]}
        if not page["token"]:
            return found


async def permitted(client: httpx.AsyncClient, person: str, **more: Any) -> bool:
    resource = {"type": "contact.email", "id": person}
    answer = await client.post("/access/v1/evaluation", json=MAILER | SEARCH | more | {"resource": resource})
    decision: bool = answer.json()["decision"]
    return decision


async def crowd(world: World, states: list[PersonState]) -> list[str]:
    """People in these states, as if they had come there."""
    subjects = [new_raw() for _ in states]

    def unit(tx: Tx) -> Work[None]:
        for subject, state in zip(subjects, states, strict=True):
            aid = int.from_bytes(subject[-7:])
            tx.put(PERSON, (subject,), (1, aid, 0, pack(state)), was=None)
        yield ()

    principal = world.services.principals.find(f"Bearer {world.admin_key}".encode())
    assert principal is not None
    context = Context("default", principal.actor, now(), new_id("req"))
    await world.services.database.run_alone(context, unit)
    return [text("sub", subject) for subject in subjects]


YES = PersonState({"marketing.email": Choice("granted", 5, "web", 1, 1)})
NO = PersonState({"marketing.email": Choice("refused", 5, "web", 1, 1)})


async def test_those_found_are_those_whom_single_questions_permit(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender")
    granted, refused, unasked, withdrawn, erased = [await world.person(f"c-{n}") for n in range(5)]
    for subject in (granted, withdrawn, erased):
        await world.choose(subject)
    await world.choose(refused, choices={"marketing.email": "refused"})
    await world.admin.post(f"/v1/subjects/{withdrawn}/withdrawals", json={"purposes": "all", "method": "api"})
    opened = await world.admin.post("/v1/rights/requests", json={"subject": erased, "kind": "erasure", "law": "gdpr"})
    for step, body in (("verify", {"method": "officer"}), ("fulfil", {})):
        await world.admin.post(f"/v1/rights/requests/{opened.json()['request']}/{step}", json=body)
    # The same person twice: two ids, one of which stayed.
    device = await world.person("ann@example.org", "email")
    linked = await world.admin.post(
        f"/v1/subjects/{granted}/identifiers", json={"identifier": {"type": "email", "value": "ann@example.org"}}
    )
    assert linked.status_code == 201, linked.text
    more = await crowd(world, [YES, NO] * 20)
    everybody = [granted, refused, unasked, withdrawn, erased, *more]
    yes = {subject for subject in everybody if await permitted(mailer, subject)}
    assert yes == {granted, *more[::2]}
    assert await permitted(mailer, device), "the other id is permitted too, but it is no further person"
    for limit in (1, 7, 100):
        found = await people(mailer, limit)
        assert len(found) == len(set(found))
        assert set(found) == yes
    assert await people(mailer, 3, context={"purpose": "ads"}) == []
    assert await people(mailer, 3, action={"name": "export"}) == []
    assert await people(mailer, 3, subject={"type": "service", "id": "somebody"}) == []


async def test_each_page_is_an_entry_that_holds_whom_it_named(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    await crowd(lite, [YES, NO] * 3)
    answer = await search(mailer, "resource", **MAILER | SEARCH | {"page": {"limit": 2}})
    entry = (await lite.admin.get(f"/v1/audit/entries/{answer['context']['entry']}")).json()
    assert (entry["type"], entry["res"]) == ("access.list.decided", {"count": "2", "permitted": "2"})
    services = lite.services
    principal = services.principals.find(f"Bearer {lite.admin_key}".encode())
    assert principal is not None

    def opened(tx: Tx) -> Work[list[Opening]]:
        return (yield from services.audit.openings(tx, answer["context"]["entry"], None))

    openings = await services.database.look(principal.context("req"), opened)
    (detail,) = [msgspec.json.decode(each.payload) for each in openings if each.compartment == "d"]
    (group,) = unpack_list(msgspec.convert(detail["list"], bytes, strict=False))
    assert (group.action, group.purpose) == ("use", "marketing.email")
    assert len(list(group.rows())) == 2
    nobody = await search(mailer, "resource", **MAILER | SEARCH | {"context": {"purpose": "ads"}})
    assert nobody["context"]["entry"], "that nobody may be used is an answer too"


async def test_who_comes_and_goes_between_pages_disturbs_nobody_else(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    two = [await lite.person(f"c-{n}") for n in range(2)]
    for subject in two:
        await lite.choose(subject)
    there = two + await crowd(lite, [YES] * 10)
    first = await search(mailer, "resource", **MAILER | SEARCH | {"page": {"limit": 1}})
    found = [each["id"] for each in first["results"]]
    late = await crowd(lite, [YES] * 12)
    gone = next(each for each in two if each not in found)
    taken_back = {"purposes": "all", "method": "api"}
    assert (await lite.admin.post(f"/v1/subjects/{gone}/withdrawals", json=taken_back)).status_code == 201
    token = first["page"]["next_token"]
    while token:
        page = await search(mailer, "resource", **MAILER | SEARCH | {"page": {"token": token}})
        found += [each["id"] for each in page["results"]]
        token = page["page"]["next_token"]
    assert len(found) == len(set(found))
    assert set(there) - {gone} <= set(found) <= {*there, *late} - {gone}


async def test_a_page_looks_through_so_many_people_and_no_more(lite: World, monkeypatch: Any) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    (one,) = await crowd(lite, [YES])
    await crowd(lite, [NO] * 30)
    monkeypatch.setattr(searching, "MOST_LOOKED_AT", 8)
    monkeypatch.setattr(searching, "AT_ONCE", 4)
    pages, token, found = 0, None, []
    while token != "":
        page = {"token": token} if token else {}
        answer = await search(mailer, "resource", **MAILER | SEARCH | {"page": page})
        pages, token = pages + 1, answer["page"]["next_token"]
        found += [each["id"] for each in answer["results"]]
    assert found == [one]
    assert pages >= 4, "31 people, 8 to a page"


async def test_a_search_counts_no_message(tea: World) -> None:
    mailer = await tea.key("mailer", "sender", "pep")
    subject = await tea.person()
    await tea.choose(subject)
    await prefer(tea, subject, {"frequency": {"email": {"most": 1, "per": "week"}}})
    mail = {"context": CONTEXT | {"channel": "email"}}
    person = {"resource": {"type": "contact.email", "id": subject}}
    for _ in range(3):
        assert await people(mailer, **mail) == [subject]
        assert len((await search(mailer, "action", **MAILER | person | mail))["results"]) == 1
        assert len((await search(mailer, "subject", **MAILER | SEARCH | person | mail))["results"]) == 1
    assert await permitted(mailer, subject, **mail)
    assert await people(mailer, **mail) == [], "the use itself was the one message of the week"
    assert (await search(mailer, "action", **MAILER | person | mail))["results"] == []


async def test_callers_and_actions_are_those_of_single_questions(world: World) -> None:
    await world.smallest()
    mailer = await world.key("mailer", "marketing_sender")
    pep = await world.key("gate", "pep")
    for n, role in enumerate(("marketing_sender", "support_agent", "marketing_sender", "recorder")):
        await world.key(f"client-{n}", role)
    subject = await world.person()
    await world.choose(subject)
    person = {"resource": {"type": "contact.email", "id": subject}}
    asked = {"subject": {"type": "service", "id": "anybody"}, "action": {"name": "use"}, "context": CONTEXT} | person
    found = await search(pep, "subject", **asked)
    names = [each["id"] for each in found["results"]]
    assert names == ["client-0", "client-2", "mailer"]
    for name in ("client-0", "client-1", "client-2", "client-3", "gate", "mailer", "admin"):
        assert await permitted(pep, subject, subject={"type": "service", "id": name}) is (name in names)
    assert [each["id"] for each in (await search(world.admin, "subject", **asked))["results"]] == names
    own = await search(mailer, "subject", **asked)
    assert own["results"] == [{"type": "service", "id": "mailer"}], "no client is told of others"
    paged, token = [], None
    while token != "":
        page = await search(pep, "subject", **asked, page={"token": token} if token else {"limit": 1})
        paged += [each["id"] for each in page["results"]]
        token = page["page"]["next_token"]
    assert paged == names
    entry = (await world.admin.get(f"/v1/audit/entries/{found['context']['entry']}")).json()
    assert entry["res"] == {"count": "7", "permitted": "3"}

    actions = await search(mailer, "action", **MAILER | person, context=CONTEXT)
    assert actions["results"] == [{"name": "use"}, {"name": "reveal"}]
    first = await search(mailer, "action", **MAILER | person, context=CONTEXT, page={"limit": 1})
    assert first["results"] == [{"name": "use"}]
    behind = {"token": first["page"]["next_token"]}
    rest = await search(mailer, "action", **MAILER | person, context=CONTEXT, page=behind)
    assert (rest["results"], rest["page"]["next_token"]) == ([{"name": "reveal"}], "")
    await world.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": "all", "method": "api"})
    assert (await search(pep, "subject", **asked))["results"] == []
    assert (await search(mailer, "action", **MAILER | person, context=CONTEXT))["results"] == []


async def test_a_token_of_the_vault_says_who_may_and_what(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    subject = await lite.person()
    await lite.choose(subject)
    body = {"subject": subject, "collection": "customers", "fields": {"email": "ann@example.org"}}
    token = (await lite.admin.post("/v1/vault/records", json=body)).json()["tokens"]["email"]
    resource = {"resource": {"type": "token", "id": token}}
    found = await search(mailer, "action", **MAILER | resource, context=CONTEXT)
    assert found["results"] == [{"name": "use"}, {"name": "reveal"}]
    callers = await search(mailer, "subject", **MAILER | SEARCH | resource)
    assert callers["results"] == [{"type": "service", "id": "mailer"}]
    nowhere = {"resource": {"type": "token", "id": "tok_x"}}
    assert (await search(mailer, "action", **MAILER | nowhere, context=CONTEXT))["results"] == []
    assert (await search(mailer, "resource", **MAILER | SEARCH | {"resource": {"type": "token"}}))["results"] == []


async def test_a_page_token_holds_for_its_search_its_caller_and_its_rules(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    twin = await lite.key("twin", "marketing_sender", "pep")
    await crowd(lite, [YES] * 5)
    body = MAILER | SEARCH
    token = (await search(mailer, "resource", **body, page={"limit": 2}))["page"]["next_token"]

    async def refused(client: httpx.AsyncClient, what: str = "resource", **more: Any) -> None:
        answer = await client.post(f"/access/v1/search/{what}", json=body | {"page": {"token": token}} | more)
        assert (answer.status_code, type(answer.json())) == (400, str), answer.text

    await refused(twin)
    await refused(mailer, page={"token": token, "limit": 3})
    await refused(mailer, page={"token": token[:-4] + "AAAA"})
    await refused(mailer, context=CONTEXT | {"channel": "sms"})
    await refused(mailer, "subject", resource={"type": "contact.email", "id": "sub_" + "0" * 32})
    await search(mailer, "resource", **body, page={"token": token, "limit": 2})
    rule = (
        "{id: R099, role: support_lead, action: use, category: behaviour, purpose: ads, effect: allow, basis: consent}"
    )
    applied = await lite.apply(f"rules:\n{rules()}  - {rule}\n")
    assert applied.status_code == 200, applied.text
    await refused(mailer)


def rules() -> str:
    """The rules of the smallest manifest, as its lines."""
    _, _, behind = MANIFEST.read_text("utf-8").partition("rules:\n")
    return "".join(itertools.takewhile(lambda line: not line[:1].isalpha(), behind.splitlines(keepends=True)))


async def test_a_child_is_found_only_where_a_single_question_permits(lite: World) -> None:
    await lite.smallest()
    mailer = await lite.key("mailer", "marketing_sender")
    child = PersonState(YES.choices, minority=Minority(AgeBand(9, 11, "declared", 1)))
    (subject,) = await crowd(lite, [child])
    assert unpack(pack(child)).minority is not None
    assert (await people(mailer) == [subject]) is await permitted(mailer, subject)
