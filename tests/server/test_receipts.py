"""Receipts again over HTTP: in every form, under keys that are rotated, and checked by strangers."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time

from audit import verify
from tests.server.worlds import World

PDF, TEXT, JOSE = "application/pdf", "text/plain", "application/jose"


async def choose(world: World, value: str = "c-1", **changes: Any) -> dict[str, Any]:
    """A choice on the notice `web`, as answered."""
    body = {
        "subject": {"identifier": {"type": "customer_id", "value": value}},
        "notice": "web",
        "notice_version": 1,
        "locale": "en",
        "choices": {"marketing.email": "granted"},
        **changes,
    }
    answer = await world.admin.post("/v1/consents", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def again(world: World, record: str, accept: str | None = None, **headers: str) -> Any:
    named = {"accept": accept} if accept else {}
    answer = await world.admin.get(f"/v1/consents/{record}/receipt", headers={**named, **headers})
    assert answer.status_code == 200, answer.text
    return answer


def header_of(jws: str) -> dict[str, Any]:
    part = jws.split(".", maxsplit=1)[0]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


async def trust_file(world: World, path: Path) -> Path:
    return written(path, (await world.admin.get("/v1/audit/keys")).content)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


async def test_a_receipt_is_given_in_the_form_that_is_asked_for(world: World) -> None:
    await world.smallest()
    made = await choose(world)
    plain = await again(world, made["record"], TEXT)
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    assert "News by e-mail\n  What you chose: You agreed" in plain.text
    jose = await again(world, made["record"], JOSE)
    assert (jose.text, jose.headers["content-type"]) == (made["receipt"], JOSE)
    for accept in (None, "application/json", "*/*", "image/png", "application/pdf;q=0", "application/pdf;q=x"):
        assert (await again(world, made["record"], accept)).json()["receipt"] == made["receipt"]
    preferred = await again(world, made["record"], "application/json;q=0.2, application/jose;q=0.9, text/plain;q=0.5")
    assert preferred.headers["content-type"] == JOSE


async def test_the_person_reads_the_language_in_which_they_chose(lite: World) -> None:
    await lite.smallest()
    chinese = await choose(lite, locale="zh-CN")
    text = (await again(lite, chinese["record"], TEXT, **{"accept-language": "en"})).text
    assert text.startswith("您的选择凭证")
    assert "邮件资讯\n  您的选择: 您已同意" in text
    withdrawn = await lite.admin.post(f"/v1/subjects/{chinese['subject']}/withdrawals", json={"purposes": "all"})
    spoken = await again(lite, withdrawn.json()["record"], TEXT, **{"accept-language": "zh"})
    assert "您已撤回同意" in spoken.text


async def test_the_printed_receipt_is_the_same_every_time_and_carries_the_signed_one(lite: World) -> None:
    await lite.smallest()
    for locale in ("en", "zh-CN"):
        made = await choose(lite, locale=locale)
        first, second = [await again(lite, made["record"], PDF) for _ in range(2)]
        assert first.headers["content-type"] == PDF
        assert first.content == second.content
        assert first.content.startswith(b"%PDF-1.7")
        assert f"receipt-{made['record']}.jws".encode() in first.content


async def test_receipts_read_the_same_before_and_after_their_parts_are_stored_apart(world: World) -> None:
    await world.smallest()
    whole = await choose(world, "c-1")
    await world.services.keep_receipt_parts()
    apart = await choose(world, "c-2", choices={"marketing.email": "refused"})
    for made in (whole, apart):
        assert (await again(world, made["record"], JOSE)).text == made["receipt"]
    await world.services.keep_receipt_parts()
    assert not world.services.registry.receipts.parts("default").fresh


async def test_a_receipt_with_its_proof_verifies_offline(world: World, tmp_path: Path) -> None:
    await world.smallest()
    made = await choose(world)
    await world.services.settle()
    trust = await trust_file(world, tmp_path / "trust.json")
    file = written(tmp_path / "receipt", (await again(world, made["record"])).content)
    verdict = verify(file, trust)
    assert verdict.code == 0, verdict.lines
    assert any("consent.choice.recorded" in line for line in verdict.lines)
    assert verify(written(file, made["receipt"].encode()), trust).code == 0


async def test_no_character_of_a_receipt_can_be_changed(lite: World, tmp_path: Path) -> None:
    await lite.smallest()
    made = await choose(lite)
    file, jws = tmp_path / "receipt", made["receipt"]
    for place in [*range(0, len(jws), 29), len(jws) - 1]:
        other = "A" if jws[place] != "A" else "B"
        damaged = jws[:place] + other + jws[place + 1 :]
        assert verify(written(file, damaged.encode())).code in (1, 2), place


async def test_a_rotated_key_is_published_first_signs_later_and_retires_for_ever(world: World, tmp_path: Path) -> None:
    await world.smallest()
    start = datetime.now(UTC)
    old = await choose(world, "c-1")
    made = await world.admin.post("/v1/receipt-keys", json={"after": "PT1H"})
    assert (made.status_code, made.json()["state"]) == (201, "next")
    waiting = await choose(world, "c-2")
    assert header_of(waiting["receipt"])["kid"] == header_of(old["receipt"])["kid"]
    assert await states(world) == ["next", "active"]
    assert (await world.admin.post("/v1/receipt-keys", json={})).json()["type"].endswith("#rotation-pending")
    with freeze_time(start + timedelta(hours=2), real_asyncio=True):
        new = await choose(world, "c-3")
        assert header_of(new["receipt"])["kid"] == made.json()["kid"]
        assert await states(world) == ["active", "retired"]
        again_old = await again(world, old["record"], JOSE)
    assert again_old.text == old["receipt"]
    published = (await world.nobody.get("/.well-known/jwks.json")).json()["keys"]
    trust = await trust_file(world, tmp_path / "trust.json")
    for each in (old, waiting, new):
        assert header_of(each["receipt"])["kid"] in [key["kid"] for key in published]
        assert verify(written(tmp_path / each["record"], each["receipt"].encode()), trust).code == 0


@pytest.mark.parametrize("after", ["PT0S", "P", "-P1D", "tomorrow", "P99999Y"])
async def test_a_rotation_at_no_time_is_refused(lite: World, after: str) -> None:
    refused = await lite.admin.post("/v1/receipt-keys", json={"after": after})
    assert (refused.status_code, refused.json()["type"]) == (400, "/docs/problems#invalid-duration")


async def test_keys_are_rotated_by_administrators_alone(lite: World) -> None:
    await lite.smallest()
    officer = await lite.key("officer", "officer")
    assert (await officer.post("/v1/receipt-keys", json={})).status_code == 403
    assert (await lite.nobody.get("/v1/receipt-keys")).status_code == 401


async def states(world: World) -> list[str]:
    return [key["state"] for key in (await world.admin.get("/v1/receipt-keys")).json()["keys"]]
