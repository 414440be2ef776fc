"""Erased, and imported again by table, by a system's message and by a banner: no marketing is ever permitted (6.4)."""

import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders.served import Served

BRAND = """
categories: [contact.email, behaviour]
purposes:
  letter: {title: {en: The letter}, categories: [contact.email], direct_marketing: true,
           legal_basis: {us: notice, any: consent}}
  similar: {title: {en: Similar goods}, categories: [contact.email], direct_marketing: true,
            legal_basis: {eea: legitimate_interest, us: notice, any: consent}}
  ads: {title: {en: Advertising}, categories: [behaviour], direct_marketing: true, opt_out: [sale],
        legal_basis: {us: notice, any: consent}}
notices:
  web: {version: 1, purposes: [letter, similar, ads], text: {en: "We write to you.", zh-CN: "我们会给您写信。"}}
collections:
  customers:
    fields:
      email: {type: email, category: contact.email, index: [exact]}
roles: {mailer: []}
rules:
  - {id: C1, role: mailer, action: use, category: contact.email, purpose: letter, effect: allow, basis: consent}
  - {id: C2, role: mailer, action: use, category: contact.email, purpose: similar, effect: allow, basis: consent}
  - {id: C3, role: mailer, action: use, category: behaviour, purpose: ads, effect: allow, basis: consent}
  - {id: L2, role: mailer, action: use, category: contact.email, purpose: similar, effect: allow,
     basis: legitimate_interest, jurisdiction: eea}
  - {id: N1, role: mailer, action: use, category: contact.email, purpose: letter, effect: allow,
     basis: notice, jurisdiction: us}
  - {id: N2, role: mailer, action: use, category: contact.email, purpose: similar, effect: allow,
     basis: notice, jurisdiction: us}
  - {id: N3, role: mailer, action: use, category: behaviour, purpose: ads, effect: allow,
     basis: notice, jurisdiction: us}
sites:
  shop: {origins: ["http://127.0.0.1:8080"], notice: web}
"""
ASKS = (("letter", "contact.email"), ("similar", "contact.email"), ("ads", "behaviour"))
ORIGIN = {"origin": "http://127.0.0.1:8080"}
YES = dict.fromkeys(("letter", "similar", "ads"), "granted")


class Person:
    """Somebody under a law, known by a number, an address and a browser."""

    def __init__(self, admin: httpx.Client, law: str, place: str) -> None:
        self.admin, self.law, self.place = admin, law, place
        self.names = {
            "customer_id": f"c-{law}",
            "email": f"{law}@example.com",
            "device": secrets.token_urlsafe(16),
        }

    def banner(self) -> None:
        """A yes to everything, in the browser they have."""
        token = self.admin.get("/v1/sites/shop/banner.json", headers=ORIGIN).json()["token"]
        body = {"token": token, "device": self.names["device"], "notice": "web", "notice_version": 1, "locale": "en",
                "choices": YES, "method": "banner"}  # fmt: skip
        sent = self.admin.post("/v1/sites/shop/choices", json=body, headers=ORIGIN)
        assert sent.status_code == 201, sent.text

    def consents(self, kind: str, method: str) -> None:
        """What another system reports, by the name that it has for them."""
        who = {"identifier": {"type": kind, "value": self.names[kind]}}
        body = {"subject": who, "notice": "web", "notice_version": 1, "locale": "en", "choices": YES, "method": method}
        assert self.admin.post("/v1/consents", json=body).status_code == 201

    def subject(self, kind: str) -> str:
        body = {"identifier": {"type": kind, "value": self.names[kind]}, "create": True}
        found: str = self.admin.post("/v1/subjects/resolve", json=body).json()["subject"]
        placed = self.admin.put(f"/v1/subjects/{found}/jurisdictions/{self.place}", json={"source": "declared"})
        assert placed.status_code == 200, placed.text
        return found

    def linked(self) -> str:
        subject = self.subject("customer_id")
        for kind in ("email", "device"):
            body = {"identifier": {"type": kind, "value": self.names[kind]}}
            assert self.admin.post(f"/v1/subjects/{subject}/identifiers", json=body).status_code in (200, 201)
        return subject


def imported(served: Served, people: list[Person], folder: Path) -> None:
    """A table of them all, by the command, and what its rows say about their consents."""
    file = folder / "customers.csv"
    rows = "".join(f"{each.names['customer_id']},{each.names['email']}\n" for each in people)
    file.write_text("customer,email\n" + rows, "utf-8")
    served.at("import", str(file), "--collection", "customers", "--id-column", "customer")
    for each in people:
        each.consents("customer_id", "import")


def answers(mailer: httpx.Client, subject: str) -> dict[str, tuple[bool, str]]:
    """What the mailer is told about each marketing purpose."""
    found = {}
    for purpose, category in ASKS:
        body: dict[str, Any] = {
            "subject": {"type": "service", "id": "mailer"},
            "action": {"name": "use"},
            "resource": {"type": category, "id": subject},
            "context": {"purpose": purpose},
        }
        answer = mailer.post("/access/v1/evaluation", json=body).json()
        found[purpose] = (answer["decision"], answer["context"]["reason"])
    return found


def erased(admin: httpx.Client, subject: str, law: str) -> None:
    request = admin.post("/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": law}).json()[
        "request"
    ]
    admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    done = admin.post(f"/v1/rights/requests/{request}/fulfil", json={})
    assert (done.status_code, done.json()["status"]) == (200, "fulfilled"), done.text


@pytest.mark.slow
def test_nobody_erased_is_ever_marketed_to_again_however_they_come_back(tmp_path: Path) -> None:
    with Served(tmp_path) as served, served.admin as admin:
        applied = admin.post("/v1/manifest", json={"files": [{"name": "brand.yaml", "content": BRAND}]})
        assert applied.status_code == 200, applied.text
        key = admin.post("/v1/keys", json={"name": "mailer", "roles": ["mailer"]}).json()["key"]
        with served.client(key) as mailer:
            people = [Person(admin, *each) for each in (("gdpr", "de"), ("pipl", "cn"), ("ccpa", "us-ca"))]
            before = {}
            for person in people:
                person.consents("customer_id", "import")
                person.banner()
                before[person.law] = person.linked()
                assert any(permitted for permitted, _ in answers(mailer, before[person.law]).values()), person.law
                erased(admin, before[person.law], person.law)
                assert {permitted for permitted, _ in answers(mailer, before[person.law]).values()} == {False}
            imported(served, people, tmp_path)
            for person in people:
                person.consents("email", "api")
                person.banner()
                for kind in person.names:
                    again = person.subject(kind)
                    assert again != before[person.law]
                    assert answers(mailer, again) == dict.fromkeys(YES, (False, "suppressed")), (person.law, kind)
                together = person.linked()
                assert answers(mailer, together) == dict.fromkeys(YES, (False, "suppressed")), person.law
                body = {"purpose": "letter", "action": "use", "category": "contact.email", "subjects": [together]}
                filtered = mailer.post("/v1/audiences/filter", json=body).json()
                assert (filtered["permitted"], filtered["counts"]["suppressed"]) == ([], 1)
