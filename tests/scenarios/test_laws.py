"""One story for each law, over HTTP: what it asks of a registry, done by a brand and its people."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from freezegun import freeze_time

from sayso.kernel import iso, now
from tests.server.test_preferences import enter, post
from tests.server.worlds import SUBJECT, World, a_world

BRAND = """
categories: [contact.email, behaviour, health]
recipients:
  adco: {role: third_party, country: cn, title: {en: Ad Company}, contact: {email: dpo@adco.example}}
purposes:
  letter:
    title: {en: The letter, zh-CN: 邮件资讯}
    categories: [contact.email]
    direct_marketing: true
    channels: [email]
    double_opt_in: [de, at]
  similar:
    title: {en: Similar goods}
    legal_basis: {eea: legitimate_interest, any: consent}
    categories: [contact.email]
    direct_marketing: true
  partners:
    title: {en: Partners, zh-CN: 合作伙伴}
    categories: [behaviour]
    separate_consent: third_party
    recipients: [adco]
  diet:
    title: {en: Your diet}
    categories: [health]
    sensitive: true
  club:
    title: {en: The club}
    categories: [contact.email]
notices:
  web:
    version: 1
    purposes: [letter, club]
    text: {en: "We write to you only if you say so.", zh-CN: "只有经您同意，我们才会给您写信。"}
  all:
    version: 1
    purposes: [letter, club, similar, partners, diet]
    text: {en: "Everything, one by one.", zh-CN: "逐项同意。"}
roles: {mailer: []}
rules:
  - {id: R1, role: mailer, action: use, category: contact.email, purpose: letter, effect: allow, basis: consent}
  - {id: R2, role: mailer, action: use, category: contact.email, purpose: club, effect: allow, basis: consent}
  - {id: R3, role: mailer, action: use, category: contact.email, purpose: similar, effect: allow,
     basis: legitimate_interest, jurisdiction: eea}
sites:
  shop: {origins: ["http://127.0.0.1:8080"], notice: web}
"""


class Brand:
    """A brand's services, in few words."""

    def __init__(self, world: World, mailer: httpx.AsyncClient) -> None:
        self.world = world
        self.admin = world.admin
        self.mailer = mailer

    async def person(self, name: str, *laws: str) -> str:
        subject = await self.world.person(name)
        for law in laws:
            placed = await self.admin.put(f"/v1/subjects/{subject}/jurisdictions/{law}", json={"source": "shipping"})
            assert placed.status_code == 200, placed.text
        return subject

    async def choose(self, subject: str, notice: str = "web", **choices: str) -> httpx.Response:
        return await self.record(subject, notice=notice, choices=choices)

    async def record(self, subject: str, **more: Any) -> httpx.Response:
        body = {"subject": subject, "notice": "web", "notice_version": 1, "locale": "en", "method": "api"}
        return await self.admin.post("/v1/consents", json=body | more)

    async def status(self, subject: str, purpose: str) -> dict[str, Any]:
        response = await self.admin.get(f"/v1/subjects/{subject}/consents")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()["purposes"][purpose]
        return found

    async def history(self, subject: str) -> list[dict[str, Any]]:
        response = await self.admin.get(f"/v1/subjects/{subject}/history")
        assert response.status_code == 200, response.text
        items: list[dict[str, Any]] = response.json()["items"]
        return items

    async def may(self, subject: str, purpose: str = "letter") -> str:
        body = {
            "subject": {"type": "service", "id": "mailer"},
            "action": {"name": "use"},
            "resource": {"type": "contact.email", "id": subject},
            "context": {"purpose": purpose},
        }
        answer = (await self.mailer.post("/access/v1/evaluation", json=body)).json()
        assert answer["decision"] == (answer["context"]["reason"] == "permitted")
        reason: str = answer["context"]["reason"]
        return reason


@pytest_asyncio.fixture
async def brand(tmp_path: Path, database_url: str) -> Any:
    async with a_world(tmp_path, database_url) as world:
        applied = await world.apply(BRAND)
        assert applied.status_code == 200, applied.text
        yield Brand(world, await world.key("mailer", "mailer"))


def problem(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["type"].rpartition("#")[2]


async def test_gdpr_withdrawing_is_as_easy_as_giving(brand: Brand) -> None:
    """GDPR Art. 7(3): one call gives, one call takes back, at once and for every purpose, asked or not."""
    subject = await brand.person("ann", "fr")
    assert (await brand.choose(subject, letter="granted")).status_code == 201
    assert await brand.may(subject) == "permitted"
    assert await brand.may(subject, "similar") == "permitted"
    gone = await brand.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": "all"})
    assert gone.status_code == 201
    assert gone.json()["receipt"].count(".") == 2
    assert await brand.may(subject) == "withdrawn"
    assert await brand.may(subject, "similar") == "objected"
    # Art. 7(1): both are on record, with who, when, how and on which words.
    withdrawn, given = await brand.history(subject)
    assert given["choices"] == {"letter": "granted"}
    assert len(given["notice_hash"]) == 64
    assert set(withdrawn["choices"].values()) == {"withdrawn"}


async def test_gdpr_an_objection_to_direct_marketing_stands_beside_a_later_yes(brand: Brand) -> None:
    """GDPR Art. 21(2), (3): marketing on interest ends at once; a yes to one letter does not bring it back."""
    subject = await brand.person("bob", "fr")
    assert await brand.may(subject, "similar") == "permitted"
    objected = await brand.admin.post(f"/v1/subjects/{subject}/objections", json={"purposes": ["similar"]})
    assert objected.status_code == 201, objected.text
    assert (await brand.status(subject, "similar"))["status"] == "objected"
    assert await brand.may(subject, "similar") == "objected"
    granted = await brand.choose(subject, "all", similar="granted")
    assert granted.json()["state"]["similar"]["objected"] is True
    assert await brand.may(subject, "similar") == "objected"
    back = await brand.admin.post(f"/v1/subjects/{subject}/objections/withdrawals", json={})
    assert back.status_code == 201, back.text
    assert await brand.may(subject, "similar") == "permitted"


async def test_pipl_a_separate_consent_is_refused_in_a_bundle(brand: Brand) -> None:
    """PIPL Art. 23, 29: a consent of its own, never in a bundle; a no is never hindered."""
    subject = await brand.person("mei", "cn")
    bundled = await brand.choose(subject, "all", partners="granted", club="granted")
    assert problem(bundled) == (400, "separate-consent-needed")
    assert bundled.json()["purposes"] == ["partners"]
    assert (await brand.status(subject, "club"))["status"] == "unasked"
    joined = await brand.record(
        subject, notice="all", choices={"partners": "granted"}, bundle="bnd_" + "0" * 31 + "1", locale="zh-CN"
    )
    assert problem(joined) == (400, "separate-consent-needed")
    alone = await brand.choose(subject, "all", partners="granted", club="refused")
    assert alone.status_code == 201, alone.text
    assert alone.json()["state"]["partners"]["status"] == "granted"
    both = await brand.choose(subject, "all", partners="refused", club="refused", diet="refused")
    assert both.status_code == 201
    # Sensitive data (Art. 29, GDPR Art. 9(2)(a)): an express statement, not a click.
    assert problem(await brand.choose(subject, "all", diet="granted")) == (400, "explicit-method-needed")
    statement = {"statement": "I agree that you use what I eat to advise me.", "interface": "diet-3"}
    said = await brand.record(subject, notice="all", choices={"diet": "granted"}, evidence=statement)
    assert said.status_code == 201, said.text
    on_paper = await brand.record(subject, notice="all", choices={"diet": "granted"}, method="paper")
    assert on_paper.json()["state"]["diet"]["status"] == "granted"


async def test_pipl_the_preference_page_gives_a_separate_consent_a_record_of_its_own(brand: Brand) -> None:
    subject = await brand.person("mei", "cn")
    browser, csrf = await enter(brand.world, subject)
    fields = {"csrf": csrf, "notice": "all", "notice_version": "1", "decide": "changed"}
    saved = await post(browser, "/p/you/choices", **fields, shown=["partners", "club"], granted=["partners", "club"])
    assert saved.status_code == 303, saved.text
    assert [item["choices"] for item in await brand.history(subject)] == [{"partners": "granted"}, {"club": "granted"}]


async def test_german_double_opt_in(brand: Brand) -> None:
    """UWG s. 7 with case law: no mail before the address is confirmed; both times are kept; the code works once."""
    with freeze_time("2026-11-21T09:00:00", real_asyncio=True) as clock:
        subject = await brand.person("jens", "de")
        asked = await brand.choose(subject, letter="granted", club="granted")
        assert asked.status_code == 201, asked.text
        state = asked.json()["state"]
        assert (state["letter"]["status"], state["club"]["status"]) == ("pending", "granted")
        assert await brand.may(subject) == "no_consent"
        issued = await brand.admin.post(f"/v1/consents/{asked.json()['record']}/confirmations")
        assert issued.status_code == 201, issued.text
        assert issued.json()["url"] == f"http://127.0.0.1:8080/p/confirm#{issued.json()['code']}"
        assert issued.json()["expires_at"].startswith("2026-11-28T09:00:00")
        code = {"code": issued.json()["code"]}
        nobody = brand.world.nobody
        # A scanner that opens addresses confirms nothing.
        assert (await nobody.get("/v1/confirmations")).status_code == 405
        assert (await brand.status(subject, "letter"))["status"] == "pending"
        clock.tick(timedelta(hours=2))
        done = await nobody.post("/v1/confirmations", json=code)
        assert done.status_code == 201, done.text
        assert done.json()["purposes"] == {"letter": "granted"}
        assert not SUBJECT.search(done.text)
        assert await brand.may(subject) == "permitted"
        assert problem(await nobody.post("/v1/confirmations", json=code)) == (404, "code-unusable")
        second, first = await brand.history(subject)
        assert (second["requested_at"], second["confirmed_at"]) == (first["at"], second["at"])
        assert second["confirms"] == first["record"]


async def test_the_page_confirms_when_a_person_presses_and_not_when_it_is_opened(brand: Brand) -> None:
    subject = await brand.person("jens", "de")
    asked = (await brand.choose(subject, letter="granted")).json()
    code = (await brand.admin.post(f"/v1/consents/{asked['record']}/confirmations")).json()["code"]
    nobody = brand.world.nobody
    opened = await nobody.get("/p/confirm", headers={"accept-language": "zh-CN"})
    assert opened.status_code == 200
    assert "确认您的选择" in opened.text
    assert (await brand.status(subject, "letter"))["status"] == "pending"
    for wrong in ("", "default.x", "nobody." + "A" * 32, "x" * 9_000):
        assert (await nobody.post("/p/confirm", data={"code": wrong})).status_code == 400
    pressed = await nobody.post("/p/confirm", data={"code": code})
    assert pressed.status_code == 200, pressed.text
    assert "The letter" in pressed.text
    assert (await brand.status(subject, "letter"))["status"] == "granted"
    assert (await nobody.post("/p/confirm", data={"code": code})).status_code == 400


async def test_a_request_that_nobody_confirms_ends(brand: Brand) -> None:
    with freeze_time("2026-11-21T09:00:00", real_asyncio=True) as clock:
        subject = await brand.person("jens", "de")
        asked = (await brand.choose(subject, letter="granted")).json()
        code = (await brand.admin.post(f"/v1/consents/{asked['record']}/confirmations")).json()["code"]
        clock.move_to(datetime(2026, 11, 28, 9, 0, 1, tzinfo=UTC))
        assert (await brand.status(subject, "letter"))["status"] == "unasked"
        late = await brand.world.nobody.post("/v1/confirmations", json={"code": code})
        assert problem(late) == (404, "code-unusable")
        # Evidence of a double opt-in that the brand ran by itself is taken, with both times.
        own = {"requested_at": iso(now() - 7_200_000_000), "confirmed_at": iso(now() - 3_600_000_000)}
        done = await brand.record(subject, choices={"letter": "granted"}, double_opt_in=own)
        assert done.json()["state"]["letter"]["status"] == "granted"
        assert (await brand.history(subject))[0]["confirmed_at"] == own["confirmed_at"]


async def test_a_child_and_a_guardian(brand: Brand) -> None:
    """GDPR Art. 8, PIPL Art. 31: a guardian says yes, and is named; a no is the child's own; at majority all is asked
    again.
    """
    with freeze_time("2026-11-21T09:00:00", real_asyncio=True) as clock:
        child, mother = await brand.person("kim", "fr"), await brand.person("kims-mother", "fr")
        before = await brand.choose(child, club="granted")
        assert before.status_code == 201
        assert await brand.may(child, "club") == "permitted"
        aged = await brand.admin.put(
            f"/v1/subjects/{child}/age-band", json={"youngest": 13, "below": 15, "source": "declared"}
        )
        assert aged.status_code == 200, aged.text
        # What the child said alone holds no more, and no interest outweighs a child's.
        assert await brand.may(child, "club") == "guardian"
        assert await brand.may(child, "similar") == "guardian"
        alone = await brand.choose(child, club="granted")
        assert (*problem(alone), alone.json()["below"]) == (409, "guardian-needed", 15)
        assert (await brand.choose(child, club="refused")).status_code == 201
        stranger = await brand.record(child, choices={"club": "granted"}, indicated_by=mother)
        assert problem(stranger) == (400, "not-a-guardian")
        kin = await brand.admin.put(
            f"/v1/subjects/{child}/guardians/{mother}", json={"verified_by": "document", "source": "shop"}
        )
        assert kin.status_code == 200, kin.text
        given = await brand.record(child, choices={"club": "granted"}, indicated_by=mother)
        assert given.status_code == 201, given.text
        assert given.json()["state"]["club"]["indicated_by"] == mother
        assert (await brand.history(child))[0]["indicated_by"] == mother
        assert await brand.may(child, "club") == "permitted"

        facts = (await brand.admin.get(f"/v1/subjects/{child}/facts")).json()
        assert [each["code"] for each in facts["jurisdictions"]] == ["fr"]
        age = facts["age_band"]
        assert (age["youngest"], age["below"], age["child"], age["of_age_at"][:10]) == (13, 15, True, "2028-11-21")
        assert [each["subject"] for each in facts["guardians"]] == [mother]
        clock.move_to(datetime(2028, 11, 21, 9, 0, 1, tzinfo=UTC))
        assert (await brand.status(child, "club"))["status"] == "stale"
        assert await brand.may(child, "club") == "stale_notice"
        assert (await brand.choose(child, club="granted")).status_code == 201
        assert await brand.may(child, "club") == "permitted"


async def test_cnil_a_refusal_is_remembered_for_six_months(brand: Brand) -> None:
    """CNIL guidelines on trackers: a choice is kept, a refusal too; then one may ask, and it is still a no."""
    with freeze_time("2026-11-21T09:00:00", real_asyncio=True) as clock:
        subject = await brand.person("luc", "fr")
        assert (await brand.choose(subject, club="refused")).status_code == 201
        told = await brand.status(subject, "club")
        assert (told["status"], told["reask_not_before"]) == ("refused", "2027-05-21T09:00:00.000000Z")
        clock.move_to(datetime(2027, 5, 21, 9, 0, 1, tzinfo=UTC))
        later = await brand.status(subject, "club")
        assert (later["status"], later["reask_not_before"]) == ("refused", told["reask_not_before"])
        assert await brand.may(subject, "club") == "refused"


async def test_a_material_change_asks_again_and_an_editorial_one_does_not(brand: Brand) -> None:
    """PIPL Art. 14(2), GDPR Art. 13(3): new data, new yes; new words, same yes."""
    subject = await brand.person("mei", "fr")
    await brand.choose(subject, club="granted")
    reworded = BRAND.replace("title: {en: The club}", "title: {en: Our club}")
    assert (await brand.world.apply(reworded)).status_code == 200
    assert await brand.may(subject, "club") == "permitted"
    wider = reworded.replace(
        "title: {en: Our club}\n    categories: [contact.email]",
        "title: {en: Our club}\n    categories: [contact.email, behaviour]",
    )
    assert wider != reworded
    assert (await brand.world.apply(wider)).status_code == 200
    assert (await brand.status(subject, "club"))["status"] == "stale"
    assert await brand.may(subject, "club") == "stale_notice"
    again = await brand.choose(subject, club="granted")
    assert again.json()["state"]["club"]["status"] == "granted"
    assert await brand.may(subject, "club") == "permitted"


async def test_facts_are_read_together_and_written_with_their_source(brand: Brand) -> None:
    subject = await brand.person("ann", "fr", "de")
    at = f"/v1/subjects/{subject}"
    related = await brand.admin.put(f"{at}/relations/o-1", json={"kind": "contract", "source": "shop"})
    assert related.json()["source"] == "shop"
    assert (await brand.admin.put(f"{at}/restriction")).status_code == 200
    assert (await brand.admin.delete(f"{at}/jurisdictions/de")).status_code == 200
    facts = (await brand.admin.get(f"{at}/facts")).json()
    assert [(each["code"], each["source"]) for each in facts["jurisdictions"]] == [("fr", "shipping")]
    (relation,) = facts["relations"]
    assert (relation["ref"], relation["source"], relation["live"]) == ("o-1", "shop", True)
    assert facts["restricted_at"]
    assert (facts["holds"], facts["suppressed_until"], facts["age_band"], facts["guardians"]) == (0, None, None, [])
    ended = await brand.admin.delete(f"{at}/relations/o-1")
    assert ended.json()["until"]
    assert (await brand.admin.delete(f"{at}/restriction")).status_code == 200
    facts = (await brand.admin.get(f"{at}/facts")).json()
    assert (facts["relations"][0]["live"], facts["restricted_at"]) == (False, None)
    for gone in ("relations/o-2", "jurisdictions/jp", f"guardians/{subject}"):
        assert problem(await brand.admin.delete(f"{at}/{gone}")) == (404, "no-fact")
    for body in ({"youngest": -1}, {"youngest": 14, "below": 13}, {"youngest": 200}):
        assert problem(await brand.admin.put(f"{at}/age-band", json=body | {"source": "declared"}))[0] == 400
    own = await brand.admin.put(f"{at}/guardians/{subject}", json={"verified_by": "document"})
    assert problem(own) == (400, "own-guardian")
    # Each has its entry, and only the right roles may write.
    auditor = await brand.world.key("auditor", "auditor")
    assert (await auditor.get(f"{at}/facts")).status_code == 200
    assert (await auditor.put(f"{at}/restriction")).status_code == 403
    recorder = await brand.world.key("till", "recorder")
    assert (await recorder.put(f"{at}/restriction")).status_code == 403
    for response, kind in ((related, "recorded"), (ended, "ended")):
        entry = (await brand.admin.get(f"/v1/audit/entries/{response.json()['entry']}")).json()
        assert entry["type"] == f"consent.relation.{kind}"


async def test_evidence_is_small_flat_and_names_no_whole_address(brand: Brand) -> None:
    subject = await brand.person("ann")
    kept = {"interface": "web-7", "steps_shown": 1, "address": "203.0.113.0/24", "user_agent": "Firefox/150"}
    assert (await brand.record(subject, choices={"club": "granted"}, evidence=kept)).status_code == 201
    assert (await brand.history(subject))[0]["evidence"] == kept
    for evidence, status in (
        ({"address": "203.0.113.7"}, 400),
        ({"address": "2001:db8::1"}, 400),
        ({"steps_shown": "two"}, 400),
        ({"steps_shown": -1}, 400),
        ({"interface": 7}, 400),
        ({"Name": 1}, 400),
        ({"deep": {"er": 1}}, 400),
        ({"many": ["x"] * 33}, 413),
        ({"big": "x" * 5_000}, 413),
        ({f"m{number}": 1 for number in range(33)}, 413),
    ):
        response = await brand.record(subject, choices={"club": "granted"}, evidence=evidence)
        assert response.status_code == status, (evidence, response.text)
    deep = b'{"evidence": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    sent = await brand.admin.post("/v1/consents", content=deep, headers={"content-type": "application/json"})
    assert sent.status_code == 400, sent.text
