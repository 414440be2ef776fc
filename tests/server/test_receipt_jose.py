"""A stranger's library (npm `jose`, `tests/oracles`) verifies our receipts by our key set."""

import json
import subprocess
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.server.test_receipts import choose, header_of
from tests.server.worlds import World
from tests.source import ROOT

ORACLES = ROOT / "tests" / "oracles"


def asked(receipts: list[str], jwks: Any) -> list[dict[str, str]]:
    """What `jose` says of each receipt. Run by the Node that comes with Playwright."""
    if not (ORACLES / "node_modules").is_dir():
        pytest.fail("The second opinion on receipts needs its library: run npm ci in tests/oracles.")
    node, _ = compute_driver_executable()
    done = subprocess.run(
        [node, "receipt.mjs"],
        cwd=ORACLES,
        input=json.dumps({"receipts": receipts, "jwks": jwks}),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    said: list[dict[str, str]] = json.loads(done.stdout)
    return said


async def test_a_strangers_library_verifies_a_receipt_and_refuses_a_changed_one(lite: World) -> None:
    await lite.smallest()
    made = [await choose(lite, f"c-{number}", locale=locale) for number, locale in enumerate(("en", "zh-CN"))]
    jwks = (await lite.nobody.get("/.well-known/jwks.json")).json()
    header, payload, signature = made[0]["receipt"].split(".")
    swapped = ".".join((header, made[1]["receipt"].split(".")[1], signature))
    stripped = f"{header}.{payload}."
    *good, first, second = asked([*(each["receipt"] for each in made), swapped, stripped], jwks)
    for each, said in zip(made, good, strict=True):
        kid = header_of(each["receipt"])["kid"]
        assert said == {"jti": each["record"], "thumbprint": kid, "kid": kid, "type": "dpv:ConsentReceipt"}
    assert "refused" in first
    assert "refused" in second
