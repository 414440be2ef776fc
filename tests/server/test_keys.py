"""API keys: made once, shown once, ended at once."""

from typing import Any

from freezegun import freeze_time

from sayso.kernel import Context, Tx, Work, now
from sayso.server import store
from sayso.server.callers.auth import fingerprint
from tests.server.worlds import World


async def test_a_key_is_stored_as_its_hash_alone(world: World) -> None:
    def unit(tx: Tx) -> Work[list[tuple[Any, ...]]]:
        (rows,) = yield (tx.select(store.all_keys()),)
        return list(rows)

    context = Context(
        "default", world.services.principals.find(b"Bearer " + world.admin_key.encode()).actor, now(), "t"
    )
    rows = await world.services.database.look(context, unit)
    assert [bytes(row[0]) for row in rows] == [fingerprint(world.admin_key)]
    assert world.admin_key.encode() not in b"".join(
        bytes(part) for row in rows for part in row if isinstance(part, bytes)
    )


async def test_a_revoked_key_ends_at_once_and_for_ever(world: World) -> None:
    made = (await world.admin.post("/v1/keys", json={"name": "till", "roles": ["auditor"]})).json()
    client = await world.client(made["key"])
    assert (await client.get("/v1/audit/logs")).status_code == 200
    assert (await world.admin.delete(f"/v1/keys/{made['id']}")).status_code == 204
    assert (await client.get("/v1/audit/logs")).status_code == 401
    assert (await world.admin.delete(f"/v1/keys/{made['id']}")).status_code == 204
    listed = {item["id"]: item for item in (await world.admin.get("/v1/keys")).json()["keys"]}
    assert listed[made["id"]]["revoked_at"]


async def test_a_key_ends_when_its_time_has_come(lite: World) -> None:
    made = (await lite.admin.post("/v1/keys", json={"name": "guest", "roles": ["auditor"], "expires_in": "P1D"})).json()
    client = await lite.client(made["key"])
    assert (await client.get("/v1/audit/logs")).status_code == 200
    with freeze_time("2099-01-01", real_asyncio=True):
        assert (await client.get("/v1/audit/logs")).status_code == 401


async def test_a_second_key_of_a_client_is_the_same_caller(lite: World) -> None:
    body = {"name": "crm", "roles": ["recorder"]}
    first, second = [(await lite.admin.post("/v1/keys", json=body)).json() for _ in range(2)]
    assert first["client"] == second["client"]
    assert first["key"] != second["key"]
    differs = await lite.admin.post("/v1/keys", json={"name": "crm", "roles": ["auditor"]})
    assert differs.status_code == 409
    assert differs.json()["type"].endswith("#client-exists")


async def test_what_is_wrong_with_a_credential_is_not_told(lite: World) -> None:
    answers = set()
    for header in ("Bearer sk_unknown", "Bearer", "Basic abc", "sk_x", "Bearer " + "x" * 5000):
        response = await lite.nobody.get("/v1/audit/logs", headers={"authorization": header})
        answers.add((response.status_code, response.text))
    assert len(answers) == 1


async def test_a_role_of_the_manifest_can_be_given_and_an_unknown_one_names_the_nearest(lite: World) -> None:
    await lite.smallest()
    await lite.key("mailer", "marketing_sender")
    wrong = await lite.admin.post("/v1/keys", json={"name": "typo", "roles": ["marketing_sendr"]})
    assert wrong.status_code == 400
    assert wrong.json()["nearest"] == "marketing_sender"


async def test_making_and_ending_keys_are_entries(lite: World) -> None:
    made = (await lite.admin.post("/v1/keys", json={"name": "till", "roles": ["auditor"]})).json()
    await lite.admin.delete(f"/v1/keys/{made['id']}")
    await lite.services.settle()
    types = [entry["type"] for entry in (await lite.admin.get("/v1/audit/entries")).json()["entries"]]
    assert {"server.key.created", "server.key.revoked", "server.tenant.founded"} <= set(types)
