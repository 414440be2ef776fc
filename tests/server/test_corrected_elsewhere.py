"""A correction reaches other systems: they find the person by what was wrong, and store what should stand there."""

import sqlite3
from pathlib import Path

from sayso.server.connectors.secrets import FOLDER
from tests.server.test_systems import ready, slug
from tests.server.worlds import World

MANIFEST = """
systems:
  shop:
    holds: [contact]
    connector: sql
    kinds: [rectification]
    identify: {mail: customers.email, phone: customers.phone}
    statements:
      rectification:
        customers: "UPDATE customers SET mail = :new_mail WHERE mail = :mail"
        calls: "UPDATE calls SET phone = :new_phone WHERE phone = :phone"
"""
RIGHT = {"collection": "customers", "field": "email", "value": "right@example.com"}


async def test_a_customer_database_is_corrected_where_something_was_wrong(lite: World) -> None:
    folder = lite.services.settings.key_folder / FOLDER
    folder.mkdir()
    path = Path(lite.services.settings.data) / "shop.db"
    with sqlite3.connect(path) as shop:
        shop.execute("CREATE TABLE customers (mail text)")
        shop.execute("CREATE TABLE calls (phone text)")
        shop.execute("INSERT INTO customers VALUES ('lin@example.com'), ('ann@example.com')")
    (folder / "shop").write_text(f"sqlite:///{path}\n")
    told = await ready(lite, MANIFEST)
    subject = await told.customer()
    body = {"subject": subject, "kind": "rectification", "law": "gdpr", "corrections": [RIGHT]}
    request = (await told.ines.post("/v1/rights/requests", json=body)).json()["request"]
    await told.ines.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    served = await told.ines.post(f"/v1/rights/requests/{request}/fulfil", json={})
    assert served.json()["status"] == "in_progress", served.text
    while await told.services.connectors.round():
        pass
    assert (await told.request(request))["status"] == "fulfilled"
    with sqlite3.connect(path) as shop:
        assert shop.execute("SELECT mail FROM customers ORDER BY mail").fetchall() == [
            ("ann@example.com",),
            ("right@example.com",),
        ]


async def test_a_statement_that_erases_has_nothing_new_to_bind(lite: World) -> None:
    await lite.smallest()
    wrong = MANIFEST.replace("rectification", "erasure").replace("UPDATE", "update")
    applied = await lite.apply(wrong)
    assert (applied.status_code, slug(applied)) == (400, "manifest-refused"), applied.text
    assert "new_mail" in applied.text


async def test_corrections_that_mean_nothing_are_refused_by_name(lite: World) -> None:
    told = await ready(lite, "")
    subject = await told.customer()
    for corrections, expected in (
        ([RIGHT, RIGHT], "invalid-correction"),
        ([RIGHT | {"value": " "}], "invalid-value"),
        ([RIGHT | {"value": "nobody"}], "invalid-value"),
        ([RIGHT | {"field": "mail"}], "unknown-field"),
        ([RIGHT | {"collection": "custom"}], "unknown-collection"),
    ):
        body = {"subject": subject, "kind": "rectification", "corrections": corrections}
        refused = await told.ines.post("/v1/rights/requests", json=body)
        assert (refused.status_code, slug(refused)) == (400, expected)
    other = await told.ines.post(
        "/v1/rights/requests", json={"subject": subject, "kind": "access", "corrections": [RIGHT]}
    )
    assert (other.status_code, slug(other)) == (400, "corrections-not-taken")


async def test_whether_the_person_exists_is_not_told_to_who_opens_a_correction(lite: World) -> None:
    told = await ready(lite, "")
    shop = await lite.key("shop", "recorder")
    answers = []
    for subject in (await told.customer(), "sub_" + "0" * 31 + "1"):
        body = {"subject": subject, "kind": "rectification", "corrections": [RIGHT]}
        answer = await shop.post("/v1/rights/requests", json=body)
        assert answer.status_code == 201, answer.text
        answers.append(sorted(answer.json()))
    assert answers[0] == answers[1]


async def test_values_that_will_never_be_stored_go_when_the_request_ends(lite: World) -> None:
    told = await ready(lite, "")
    body = {"subject": await told.customer(), "kind": "rectification", "corrections": [RIGHT]}
    request = (await told.ines.post("/v1/rights/requests", json=body)).json()["request"]
    at = f"/v1/rights/requests/{request}"
    assert (await told.ines.post(f"{at}/refuse", json={"reason": "other"})).status_code == 200
    assert (await told.ines.get(f"{at}/corrections")).json() == {"corrections": [RIGHT]}
    await told.ines.post(f"{at}/appeal", json={"statement": "They are mine."})
    decision = {"outcome": "overturned", "statement": "They are."}
    anew = (await told.ines.post(f"{at}/appeal/decision", json=decision)).json()["anew"]["request"]
    assert slug(await told.ines.get(f"{at}/corrections")) == "no-corrections"
    assert (await told.ines.get(f"/v1/rights/requests/{anew}/corrections")).json() == {"corrections": [RIGHT]}
