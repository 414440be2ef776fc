"""A Californian opts out by Global Privacy Control, and it is honoured and shown as honoured (CCPA; 11 CCR 7025).

Over HTTP, against a server of its own, on both databases.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders.served import Served

MANIFEST = Path(__file__).with_name("gpc.yaml")
ORIGIN = {"origin": "https://shop.example"}
GPC = {"sec-gpc": "1"}


class Story:
    """The shop's clients, and a browser of a visitor."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.admin = served.admin
        self.advertiser = served.client(served.key("advertiser", "advertiser"))
        self.nobody = httpx.Client(base_url=served.url(""), timeout=30)

    def close(self) -> None:
        for client in (self.admin, self.advertiser, self.nobody):
            client.close()

    def banner(self, **headers: str) -> dict[str, Any]:
        found: dict[str, Any] = self.nobody.get("/v1/sites/shop/banner.json", headers=ORIGIN | headers).json()
        return found

    def chooses(self, device: str, choices: dict[str, str], *, headers: dict[str, str] = GPC, **more: Any) -> Any:
        body = {
            "token": self.banner()["token"],
            "device": device,
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": choices,
            **more,
        }
        answer = self.nobody.post("/v1/sites/shop/choices", json=body, headers=ORIGIN | headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def signals(self, device: str, *, headers: dict[str, str] = GPC, site: str = "shop", **more: Any) -> httpx.Response:
        origin = {"origin": f"https://{site}.example"}
        token = self.nobody.get(f"/v1/sites/{site}/banner.json", headers=origin).json()["token"]
        body = {"token": token, "device": device, **more}
        return self.nobody.post(f"/v1/sites/{site}/signals", json=body, headers=origin | headers)

    def resolve(self, kind: str, value: str, *, create: bool = False) -> httpx.Response:
        body = {"identifier": {"type": kind, "value": value}, "create": create}
        return self.admin.post("/v1/subjects/resolve", json=body)

    def person(self, value: str, law: str | None = "us-ca") -> str:
        subject: str = self.resolve("customer_id", value, create=True).json()["subject"]
        if law is not None:
            placed = self.admin.put(f"/v1/subjects/{subject}/jurisdictions/{law}", json={"source": "shipping"})
            assert placed.status_code == 200, placed.text
        return subject

    def grants(self, subject: str, *purposes: str, **more: Any) -> Any:
        body = {
            "subject": subject,
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": dict.fromkeys(purposes, "granted"),
            "method": "preference_centre",
            **more,
        }
        answer = self.admin.post("/v1/consents", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def state(self, subject: str) -> Any:
        return self.admin.get(f"/v1/subjects/{subject}/consents").json()

    def may(self, subject: str, action: str, category: str, purpose: str) -> tuple[bool, str]:
        body = {
            "subject": {"type": "service", "id": "advertiser"},
            "action": {"name": action},
            "resource": {"type": category, "id": subject},
            "context": {"purpose": purpose},
        }
        answer = self.advertiser.post("/access/v1/evaluation", json=body).json()
        return answer["decision"], answer["context"]["reason"]

    def may_advertise(self, subject: str) -> tuple[bool, str]:
        return self.may(subject, "share", "behaviour", "ads")

    def signal(self, subject: str, **body: Any) -> httpx.Response:
        return self.admin.post(f"/v1/subjects/{subject}/signals", json={"signal": "gpc", "source": "header", **body})


@pytest.fixture(params=["sqlite", "postgres"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    database = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with Served(tmp_path, database) as served:
        served.apply(MANIFEST)
        story = Story(served)
        yield story
        story.close()


def test_a_californian_opts_out_by_the_signal_of_their_browser_and_sees_that_it_was_honoured(story: Story) -> None:
    device = secrets.token_urlsafe(16)
    # The banner tells the browser that its signal is honoured, and caches keep the two answers apart.
    assert "gpc" not in story.banner()
    shown = story.banner(**GPC)
    assert shown["gpc"] is True
    assert shown["days"] >= 365
    assert [each["name"] for each in shown["purposes"] if each.get("gpc")] == ["ads"]
    script = story.nobody.get("/v1/sites/shop/banner.js", headers=GPC)
    assert "sec-gpc" in script.headers["vary"].lower()
    assert '"gpc":true' in script.text

    # They agree to statistics; the yes to advertising was not given knowing of the conflict, so the signal wins.
    made = story.chooses(device, {"statistics": "granted", "ads": "granted"})
    assert made["gpc"] == {"purposes": ["ads"], "lifted": [], "status": "honoured"}
    subject = story.resolve("device", device).json()["subject"]
    story.admin.put(f"/v1/subjects/{subject}/jurisdictions/us-ca", json={"source": "shipping"})
    state = story.state(subject)
    assert state["purposes"]["statistics"]["status"] == "granted"
    ads = state["purposes"]["ads"]
    assert (ads["status"], ads["directive"], ads["objected"]) == ("objected", "gpc", True)
    # California: nobody asks again for twelve months (1798.135(c)(4)).
    assert int(ads["reask_not_before"][:4]) == int(ads["since"][:4]) + 1
    (directive,) = state["directives"]
    assert (directive["kind"], directive["source"], directive["honoured"]) == ("gpc", "header", True)
    assert directive["purposes"] == ["ads"]
    assert story.may_advertise(subject) == (False, "objected")

    # Their preference page shows it too (11 CCR 7025(c)(6)).
    link = story.admin.post(f"/v1/subjects/{subject}/links", json={}).json()["url"]
    with httpx.Client(base_url=story.served.url(""), timeout=30, follow_redirects=True) as browser:
        page = browser.post("/p/session", data={"code": link.partition("#")[2]})
        assert "opt-out signal was honoured" in page.text
        assert "Advertising on other sites" in page.text

    # What the tags are told.
    told = story.admin.get(f"/v1/subjects/{subject}/projections/google_consent_mode?site=shop").json()
    assert (told["update"]["ad_storage"], told["update"]["analytics_storage"]) == ("denied", "granted")
    assert told["call"] == ["gtag", "consent", "update"]
    other = story.admin.get(f"/v1/subjects/{subject}/projections/microsoft_clarity?site=strict").json()
    assert other["update"] == {"ad_Storage": "denied", "analytics_Storage": "denied"}

    # And it is in the log, without saying of whom.
    waited = story.admin.get(f"/v1/audit/entries/{made['entry']}/proof", params={"wait": "integrated"})
    assert waited.status_code == 200
    kinds = [entry["type"] for entry in story.served.entries()]
    assert "consent.choice.recorded" in kinds


def test_the_signal_of_a_known_customer_is_effective_over_earlier_grants_until_they_answer_it(story: Story) -> None:
    subject = story.person("c-1")
    assert story.may_advertise(subject) == (True, "permitted")  # told, and not objected to: an opt-out law
    story.grants(subject, "ads", "news")
    first = story.signal(subject, browser="laptop")
    assert first.status_code == 201, first.text
    assert first.json()["state"]["ads"]["status"] == "objected"
    assert story.may_advertise(subject) == (False, "objected")
    # Not a withdrawal of every consent.
    assert story.may(subject, "use", "contact.email", "news") == (True, "permitted")

    # The same browser repeats itself with every request; that is one standing signal.
    again = story.signal(subject, browser="laptop")
    assert (again.status_code, "record" in again.json()) == (200, False)
    history = story.admin.get(f"/v1/subjects/{subject}/history").json()["items"]
    assert [item["directives"] for item in history if "directives" in item] == [["gpc"]]

    # A yes that was not given knowing of the conflict is recorded, and changes nothing.
    made = story.grants(subject, "ads")
    assert made["ignored"] == {"ads": "signal"}
    assert story.may_advertise(subject) == (False, "objected")
    # One that was is a later, specific opt-in.
    made = story.grants(subject, "ads", conflict_shown=True)
    assert "ignored" not in made
    assert made["directives"][0]["lifted"] == ["ads"]
    assert story.may_advertise(subject) == (True, "permitted")
    assert story.signal(subject, browser="laptop").status_code == 200
    assert story.may_advertise(subject) == (True, "permitted")
    # Another browser's signal is a new one.
    assert story.signal(subject, browser="phone").status_code == 201
    assert story.may_advertise(subject) == (False, "objected")
