"""Preferences over HTTP: typed, versioned, with where they come from; and what they mean for decisions."""

from typing import Any

import httpx
import pytest
from freezegun import freeze_time

from tests.server.worlds import World

MANIFEST = """
categories: [contact.email, contact.phone, contact.address]
purposes:
  marketing.email:
    title: {en: News by e-mail, zh-CN: 邮件资讯}
    categories: [contact.email]
    channels: [email, sms]
  marketing.calls: {title: {en: Calls}, categories: [contact.phone], channels: [phone, sms]}
  orders:
    title: {en: Your orders, zh-CN: 您的订单}
    description: {en: We tell you when your tea is on its way.}
    legal_basis: contract
    categories: [contact.email]
    channels: [email, sms]
notices:
  web: {version: 1, purposes: [marketing.email, marketing.calls], text: {en: "Say so."}}
preferences:
  topics:
    type: multi
    title: {en: What you drink, zh-CN: 您喝什么茶}
    gives: {en: "So we write about green tea, not black."}
    purpose: marketing.email
    options: {green: {en: Green, zh-CN: 绿茶}, black: {en: Black}, white: {en: White}}
    most: 2
  cups: {type: number, title: {en: Cups a day}, purpose: orders, min: 0, max: 40, whole: true}
  brewing: {type: choice, title: {en: Brewing}, purpose: orders, options: {pot: {en: Pot}, cup: {en: Cup}}}
  samples: {type: boolean, title: {en: Samples}, purpose: orders}
  since: {type: date, title: {en: Drinking since}, purpose: orders, earliest: "1900-01-01", latest: "2030-01-01"}
  wish: {type: text, title: {en: Your wish}, purpose: orders, longest: 20}
  allergy: {type: text, title: {en: Allergies}, purpose: orders, sensitive: true}
roles: {sender: [], picker: []}
rules:
  - {id: R1, role: sender, action: use, category: contact.email, purpose: marketing, effect: allow, basis: consent}
  - {id: R2, role: sender, action: use, category: contact.email, purpose: orders, effect: allow, basis: contract}
"""

NIGHT = {"from": "21:00", "until": "08:00", "zone": "Europe/Dublin"}


@pytest.fixture
async def tea(world: World) -> World:
    applied = await world.apply(MANIFEST)
    assert applied.status_code == 200, applied.text
    return world


async def prefer(world: World, subject: str, values: dict[str, Any], **more: Any) -> httpx.Response:
    headers = {"if-match": more.pop("if_match")} if "if_match" in more else {}
    path = f"/v1/subjects/{subject}/preferences"
    return await world.admin.put(path, json={"values": values, **more}, headers=headers)


async def preferences(world: World, subject: str, **query: Any) -> dict[str, Any]:
    found = await world.admin.get(f"/v1/subjects/{subject}/preferences", params=query)
    assert found.status_code == 200, found.text
    assert found.headers["etag"] == f'"{found.json()["version"]}"'
    told: dict[str, Any] = found.json()
    return told


async def test_what_is_told_is_kept_with_where_it_comes_from(tea: World) -> None:
    subject = await tea.person()
    nothing = await preferences(tea, subject)
    assert (nothing["version"], nothing["values"], nothing["provenance"]) == (0, {}, {})
    values = {
        "topics": ["white", "green"],
        "cups": 3,
        "brewing": "pot",
        "samples": False,
        "since": "1999-12-31",
        "wish": "  more\r\ntea ",
        "channels": {"sms": False, "email": {"marketing.email": True}},
        "frequency": {"email": {"most": 1, "per": "week"}},
        "quiet_hours": NIGHT,
    }
    told = await prefer(tea, subject, values, method="preference_centre")
    assert told.status_code == 200, told.text
    found = await preferences(tea, subject)
    week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert found["values"] == {
        **values,
        "topics": ["green", "white"],
        "wish": "more\ntea",
        "channels": {"sms": False, "email": True},
        "quiet_hours": {**NIGHT, "days": week},
    }
    origin = found["provenance"]["topics"]
    assert (origin["how"], origin["method"], origin["assurance"]) == ("declared", "preference_centre", "session")
    assert origin["entry"] == told.json()["entry"]
    assert {"channels.sms", "frequency.email", "quiet_hours"} <= found["provenance"].keys()
    again = await prefer(tea, subject, found["values"], method="preference_centre")
    assert again.json()["version"] == 1, "what is told can be told back, and saying it twice writes nothing"
    assert "entry" not in again.json()


async def test_staff_and_imports_are_told_apart(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"cups": 2}, method="phone", assurance="staff")
    await prefer(tea, subject, {"brewing": "cup"}, method="import", source="old shop 2019")
    origins = (await preferences(tea, subject))["provenance"]
    assert origins["cups"]["how"] == "recorded"
    assert (origins["brewing"]["how"], origins["brewing"]["source"]) == ("imported", "old shop 2019")


async def test_a_change_leaves_the_rest_and_null_takes_back(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"cups": 2, "wish": "tea", "channels": {"sms": False}})
    await prefer(tea, subject, {"wish": None, "channels": {"sms": None}})
    assert (await preferences(tea, subject))["values"] == {"cups": 2}
    history = (await tea.admin.get(f"/v1/subjects/{subject}/preferences/history")).json()["items"]
    assert [item["values"] for item in history] == [
        {"wish": None, "channels.sms": None},
        {"cups": 2, "wish": "tea", "channels.sms": False},
    ]


async def test_history_comes_in_pages_for_officers(tea: World) -> None:
    subject = await tea.person()
    for cups in range(5):
        await prefer(tea, subject, {"cups": cups})
    path = f"/v1/subjects/{subject}/preferences/history"
    officer = await tea.key("dpo", "officer")
    first = (await officer.get(path, params={"limit": 3})).json()
    rest = (await officer.get(path, params={"limit": 3, "cursor": first["next"]})).json()
    assert [item["values"]["cups"] for item in first["items"] + rest["items"]] == [4, 3, 2, 1, 0]
    assert rest["next"] is None
    assert (await officer.get(path, params={"cursor": "x y"})).status_code == 400
    recorder = await tea.key("shop", "recorder")
    assert (await recorder.get(path)).status_code == 403
    assert (await officer.get(path.replace(subject, "sub_" + "0" * 32))).status_code == 404


@pytest.mark.parametrize("place", ["version", "if_match"])
async def test_a_change_made_on_an_older_version_is_refused(tea: World, place: str) -> None:
    subject = await tea.person()
    named: Any = {"version": 0} if place == "version" else {"if_match": '"0"'}
    assert (await prefer(tea, subject, {"cups": 1}, **named)).status_code == 200
    stale = await prefer(tea, subject, {"cups": 2}, **named)
    assert (stale.status_code, stale.json()["version"]) == (409, 1)
    assert stale.json()["type"].endswith("#stale-preferences")
    assert (await preferences(tea, subject))["values"] == {"cups": 1}
    assert (await prefer(tea, subject, {"cups": 3}, version=1, if_match='"1"')).status_code == 200
    assert (await prefer(tea, subject, {"cups": 4}, version=1, if_match='"2"')).status_code == 400
    assert (await prefer(tea, subject, {"cups": 4}, if_match="W/x")).status_code == 400


@pytest.mark.parametrize(
    ("values", "member"),
    [
        ({"topics": "green"}, "topics"),
        ({"topics": ["green", "green"]}, "topics"),
        ({"topics": ["green", "black", "white"]}, "topics"),
        ({"topics": ["red"]}, "topics"),
        ({"cups": True}, "cups"),
        ({"cups": 2.5}, "cups"),
        ({"cups": 41}, "cups"),
        ({"cups": "3"}, "cups"),
        ({"brewing": "jug"}, "brewing"),
        ({"samples": 1}, "samples"),
        ({"since": "2026-02-30"}, "since"),
        ({"since": "20260201"}, "since"),
        ({"since": "1899-12-31"}, "since"),
        ({"wish": ""}, "wish"),
        ({"wish": "x" * 21}, "wish"),
        ({"wish": "a\u0000b"}, "wish"),
        ({"wish": ["x"]}, "wish"),
        ({"channels": True}, "channels"),
        ({"channels": {"sms": "no"}}, "channels.sms"),
        ({"channels": {"email": {"orders": False}}}, "channels.email"),
        ({"frequency": {"email": 3}}, "frequency.email"),
        ({"frequency": {"email": {"most": 0, "per": "day"}}}, "frequency.email"),
        ({"frequency": {"email": {"most": 1, "per": "year"}}}, "frequency.email"),
        ({"frequency": {"email": {"most": True, "per": "day"}}}, "frequency.email"),
        ({"quiet_hours": "night"}, "quiet_hours"),
        ({"quiet_hours": {**NIGHT, "from": "24:00"}}, "quiet_hours.from"),
        ({"quiet_hours": {**NIGHT, "until": "21:00"}}, "quiet_hours.until"),
        ({"quiet_hours": {**NIGHT, "zone": "Europe/Dublim"}}, "quiet_hours.zone"),
        ({"quiet_hours": {**NIGHT, "zone": "../../etc/passwd"}}, "quiet_hours.zone"),
        ({"quiet_hours": {**NIGHT, "days": []}}, "quiet_hours.days"),
        ({"quiet_hours": {**NIGHT, "days": ["mon", "mon"]}}, "quiet_hours.days"),
        ({"pause_until": "2020-01-01T00:00:00Z"}, "pause_until"),
        ({"pause_until": "tomorrow"}, "pause_until"),
        ({"pause_until": "2030-01-01T00:00:00"}, "pause_until"),
        ({"pause_until": 5}, "pause_until"),
    ],
)
async def test_what_does_not_fit_is_refused_whole_and_by_name(lite: World, values: Any, member: str) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    refused = await prefer(lite, subject, {"cups": 1, **values})
    assert refused.status_code == 400, refused.text
    problem = refused.json()
    assert (problem["type"].rpartition("#")[2], problem["member"]) == ("unfit-preference", member)
    assert (await preferences(lite, subject))["version"] == 0


@pytest.mark.parametrize(
    ("values", "nearest"),
    [
        ({"topic": ["green"]}, "topics"),
        ({"channels": {"smss": False}}, "sms"),
        ({"channels": {"post": False}}, None),
        ({"channels": {"email": {"marketing.emial": False}}}, "marketing.email"),
        ({"quiet_hours": {**NIGHT, "zones": "x"}}, "zone"),
        ({"colour": None}, None),
    ],
)
async def test_unknown_names_are_refused_with_the_nearest(lite: World, values: Any, nearest: str | None) -> None:
    await lite.apply(MANIFEST)
    refused = await prefer(lite, await lite.person(), values)
    assert refused.status_code == 400, refused.text
    assert refused.json()["type"].endswith("#unknown-preference")
    assert refused.json().get("nearest") == nearest


async def test_a_body_without_a_change_is_refused(lite: World) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    assert (await prefer(lite, subject, {})).status_code == 400
    assert (await prefer(lite, subject, {"cups": 1}, colour="red")).status_code == 400
    assert (await prefer(lite, subject, {"cups": 1}, method="guess")).status_code == 400
    assert (await prefer(lite, subject, {"cups": 1}, occurred_at="2999-01-01T00:00:00Z")).status_code == 400
    assert (await prefer(lite, subject, {"cups": None}, method="import")).status_code == 400
    assert (await prefer(lite, "sub_" + "0" * 32, {"cups": 1})).status_code == 404


async def test_questions_come_in_the_language_that_is_wanted(tea: World) -> None:
    subject = await tea.person()
    assert "asked" not in await preferences(tea, subject)
    asked = (await preferences(tea, subject, locale="zh-CN"))["asked"]
    topics = asked["preferences"]["topics"]
    assert (topics["type"], topics["title"], topics["options"]["green"]) == ("multi", "您喝什么茶", "绿茶")
    assert topics["options"]["black"] == "Black", "what is not translated is told in English"
    assert asked["channels"]["sms"]["purposes"] == {"marketing.email": "邮件资讯", "marketing.calls": "Calls"}
    assert asked["channels"]["email"]["locked"]["orders"] == {
        "title": "您的订单",
        "basis": "contract",
        "reason": "We tell you when your tea is on its way.",
    }
    refused = await tea.admin.get(f"/v1/subjects/{subject}/preferences", params={"locale": "../x"})
    assert refused.status_code == 400


async def test_a_sensitive_answer_is_told_with_a_permit_alone(tea: World) -> None:
    subject = await tea.person()
    said = await prefer(tea, subject, {"allergy": "nuts", "cups": 1})
    assert said.json()["values"]["allergy"] == "nuts"
    quiet = await preferences(tea, subject)
    assert (quiet["values"], quiet["withheld"]) == ({"cups": 1}, {"allergy": "sensitive"})
    assert "allergy" not in (await prefer(tea, subject, {"cups": 2})).json()["values"]
    ignored = (await prefer(tea, subject, {"allergy": "none"}, assurance="device")).json()
    assert (ignored["ignored"], ignored["withheld"]) == ({"allergy": "weaker"}, {"allergy": "sensitive"})
    opened = await preferences(tea, subject, sensitive=True)
    assert opened["values"]["allergy"] == "nuts"
    shop = await tea.key("shop", "recorder")
    refused = await shop.get(f"/v1/subjects/{subject}/preferences", params={"sensitive": True})
    assert refused.status_code == 403


async def test_who_only_uses_answers_is_given_those_whose_purpose_stands(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"topics": ["green"], "cups": 1})
    sender = await tea.key("mailer", "sender")
    path = f"/v1/subjects/{subject}/preferences"
    unasked = (await sender.get(path)).json()
    assert (unasked["values"], unasked["withheld"]) == ({"cups": 1}, {"topics": "unasked"})
    await tea.choose(subject)
    assert (await sender.get(path)).json()["values"] == {"topics": ["green"], "cups": 1}
    await tea.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": ["marketing.email"]})
    assert (await sender.get(path)).json()["withheld"] == {"topics": "withdrawn"}
    assert (await sender.put(path, json={"values": {"cups": 2}})).status_code == 403


async def test_an_answer_to_another_question_is_not_told(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"cups": 30, "wish": "tea"})
    changed = MANIFEST.replace("max: 40", "max: 20").replace(
        "Your wish}, purpose: orders", "W}, purpose: marketing.email"
    )
    assert (await tea.apply(changed)).status_code == 200
    found = await preferences(tea, subject)
    assert (found["values"], found["withheld"]) == ({}, {"cups": "outdated", "wish": "outdated"})


@pytest.mark.parametrize(
    ("said", "loosened"),
    [
        ({"channels": {"sms": False}}, {"channels": {"sms": True}}),
        ({"channels": {"sms": False}}, {"channels": {"sms": None}}),
        ({"channels": {"sms": False}}, {"channels": {"sms": {"marketing.email": True}}}),
        ({"channels": {"email": {"marketing.email": False}}}, {"channels": {"email": True}}),
        ({"frequency": {"email": {"most": 1, "per": "week"}}}, {"frequency": {"email": {"most": 1, "per": "day"}}}),
        ({"frequency": {"email": {"most": 1, "per": "week"}}}, {"frequency": {"email": None}}),
        ({"quiet_hours": NIGHT}, {"quiet_hours": {**NIGHT, "from": "22:00"}}),
        ({"quiet_hours": NIGHT}, {"quiet_hours": {**NIGHT, "zone": "Europe/Paris"}}),
        ({"quiet_hours": NIGHT}, {"quiet_hours": None}),
        ({"pause_until": "2999-01-01T00:00:00Z"}, {"pause_until": "2998-01-01T00:00:00Z"}),
        ({"pause_until": "2999-01-01T00:00:00Z"}, {"pause_until": None}),
    ],
)
async def test_a_weaker_word_never_loosens_a_stronger_one(lite: World, said: Any, loosened: Any) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    await prefer(lite, subject, said)
    before = (await preferences(lite, subject))["values"]
    weak = await prefer(lite, subject, loosened, assurance="link")
    assert weak.status_code == 200
    assert list(weak.json()["ignored"].values()) == ["weaker"]
    assert (await preferences(lite, subject))["values"] == before
    strong = await prefer(lite, subject, loosened, assurance="code")
    assert "ignored" in strong.json()
    assert "ignored" not in (await prefer(lite, subject, loosened)).json()
    assert (await preferences(lite, subject))["values"] != before


async def test_a_weaker_word_may_tighten(lite: World) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    await prefer(lite, subject, {"frequency": {"email": {"most": 2, "per": "week"}}, "quiet_hours": NIGHT})
    tighter = {
        "frequency": {"email": {"most": 2, "per": "month"}},
        "quiet_hours": {**NIGHT, "from": "20:00"},
        "channels": {"email": False},
        "pause_until": "2999-01-01T00:00:00Z",
    }
    assert "ignored" not in (await prefer(lite, subject, tighter, assurance="device")).json()


async def test_an_import_does_not_overwrite_the_persons_word(lite: World) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    with freeze_time("2026-05-01", real_asyncio=True):
        await prefer(lite, subject, {"cups": 2, "channels": {"sms": False}})
    imported = await prefer(lite, subject, {"cups": 9, "wish": "x", "channels": {"sms": True}}, method="import")
    assert imported.json()["ignored"] == {"cups": "declared", "channels.sms": "declared"}
    assert imported.json()["values"] == {"cups": 2, "wish": "x", "channels": {"sms": False}}
    older = await prefer(lite, subject, {"cups": 9}, method="import", occurred_at="2026-04-01T00:00:00Z")
    assert older.json()["ignored"] == {"cups": "late"}
    newer = await prefer(lite, subject, {"cups": 9}, method="import", occurred_at="2026-06-01T00:00:00Z")
    assert newer.json()["values"]["cups"] == 9


async def ask(world: World, subject: str, purpose: str = "marketing.email", **context: Any) -> dict[str, Any]:
    body = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": purpose, **context},
    }
    pep = await world.key(f"pep{id(body)}", "pep")
    answer = await pep.post("/access/v1/evaluation", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_channel_that_is_off_denies_and_service_messages_go_on(tea: World) -> None:
    subject = await tea.person()
    await tea.key("mailer", "sender")
    await tea.choose(subject)
    await tea.admin.put(f"/v1/subjects/{subject}/relations/o-1", json={"kind": "contract"})
    assert (await ask(tea, subject, channel="email"))["decision"] is True
    await prefer(tea, subject, {"channels": {"email": False}})
    denied = await ask(tea, subject, channel="email")
    assert (denied["decision"], denied["context"]["reason"]) == (False, "channel")
    assert (await ask(tea, subject, channel="sms"))["decision"] is True
    assert (await ask(tea, subject))["decision"] is True, "who names no channel reaches nobody by it"
    assert (await ask(tea, subject, "orders", channel="email"))["decision"] is True
    await prefer(tea, subject, {"channels": {"email": {"marketing.email": True}}})
    assert (await ask(tea, subject, channel="email"))["decision"] is True


async def test_a_channel_that_the_purpose_does_not_use_denies(tea: World) -> None:
    subject = await tea.person()
    await tea.key("mailer", "sender")
    await tea.choose(subject)
    assert (await ask(tea, subject, channel="post"))["context"]["reason"] == "channel"
    unknown = await ask(tea, subject, channel="e-mail")
    assert (unknown["context"]["reason"], unknown["context"]["nearest"]) == ("unknown_name", "email")


async def test_in_quiet_hours_and_pauses_the_answer_is_later(tea: World) -> None:
    subject = await tea.person()
    await tea.key("mailer", "sender")
    await tea.choose(subject)
    await prefer(tea, subject, {"quiet_hours": NIGHT})
    with freeze_time("2027-01-10T22:00:00Z", real_asyncio=True):
        night = await ask(tea, subject, channel="email")
        assert night["context"]["reason"] == "later"
        assert night["context"]["retry_after"] == "2027-01-11T08:00:00.000000Z"
        assert (await ask(tea, subject))["decision"] is True
    with freeze_time("2027-01-11T08:00:00Z", real_asyncio=True):
        assert (await ask(tea, subject, channel="email"))["decision"] is True
        await prefer(tea, subject, {"pause_until": "2027-03-28T03:00:00Z"})
        paused = await ask(tea, subject, channel="email")
        # The pause ends in the night, in which summer time began: eight o'clock is seven by then.
        assert paused["context"]["retry_after"] == "2027-03-28T07:00:00.000000Z"


async def test_a_refusal_is_told_before_a_channel(tea: World) -> None:
    subject = await tea.person()
    await tea.key("mailer", "sender")
    await prefer(tea, subject, {"channels": {"email": True}})
    assert (await ask(tea, subject, channel="email"))["context"]["reason"] == "no_consent"


async def test_a_manifest_says_where_a_preference_is_wrong(lite: World) -> None:
    refused = await lite.apply(
        MANIFEST.replace("type: number", "type: numbr")
        .replace("longest: 20", "longest: 20000")
        .replace("most: 2", "most: 9")
        .replace('earliest: "1900-01-01"', 'earlyest: "1900-01-01"')
    )
    assert refused.status_code == 400
    said = refused.json()["problems"]
    assert [(each["line"], each["nearest"]) for each in said] == [
        (24, None),
        (25, "number"),
        (28, "earliest"),
        (29, None),
    ]
