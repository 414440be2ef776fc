"""A server that is killed under load: every acknowledged record is there with its entry, none twice."""

import asyncio
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders.served import Served

LANES = 16


def choice(customer: str) -> dict[str, Any]:
    return {
        "subject": {"identifier": {"type": "customer_id", "value": customer}},
        "notice": "web",
        "notice_version": 1,
        "locale": "en",
        "choices": {"marketing.email": "granted"},
        "method": "api",
    }


class Load:
    """Lanes of clients that record until the server is gone, and remember what they were told."""

    def __init__(self, served: Served, key: str) -> None:
        self.served = served
        self.headers = {"authorization": f"Bearer {key}"}
        self.told: dict[str, dict[str, Any]] = {}
        self.asked: set[str] = set()
        self.enough = asyncio.Event()

    async def run(self, seconds: float) -> None:
        lanes = [asyncio.create_task(self._lane(lane)) for lane in range(LANES)]
        await asyncio.sleep(seconds)
        # However slow this machine is today, the server is killed in the middle.
        await asyncio.wait_for(self.enough.wait(), 60)
        await asyncio.to_thread(self.served.stop, signal.SIGKILL)
        await asyncio.gather(*lanes)

    async def again(self) -> None:
        """What was asked and never answered is asked again, under the same Idempotency-Key."""
        async with httpx.AsyncClient(base_url=self.served.url(""), headers=self.headers, timeout=30) as client:
            for customer in sorted(self.asked - self.told.keys()):
                await self._record(client, customer)

    async def _lane(self, lane: int) -> None:
        async with httpx.AsyncClient(base_url=self.served.url(""), headers=self.headers, timeout=30) as client:
            for number in range(1_000_000):
                try:
                    await self._record(client, f"c-{lane}-{number}")
                except httpx.TransportError:
                    return

    async def _record(self, client: httpx.AsyncClient, customer: str) -> None:
        self.asked.add(customer)
        response = await client.post("/v1/consents", json=choice(customer), headers={"idempotency-key": customer})
        assert response.status_code == 201, response.text
        self.told[customer] = response.json()
        if len(self.told) > 2 * LANES:
            self.enough.set()


@pytest.mark.slow
async def test_what_was_acknowledged_survives_a_kill_and_nothing_is_there_twice(served: Served, tmp_path: Path) -> None:
    load = Load(served, served.key("till", "recorder"))
    await load.run(seconds=0.5)
    acknowledged = dict(load.told)
    assert acknowledged
    await asyncio.to_thread(served.start)
    await load.again()

    with served.admin as admin:
        admin.get(f"/v1/audit/entries/{next(iter(load.told.values()))['entry']}/proof", params={"wait": "integrated"})
        for told in load.told.values():
            assert admin.get(f"/v1/consents/{told['record']}/receipt").status_code == 200
            assert admin.get(f"/v1/audit/entries/{told['entry']}/proof?wait=integrated").status_code == 200
    entries = Counter(entry["entry"] for entry in served.entries(type="consent.choice.recorded", limit=200))
    assert entries == Counter({told["entry"]: 1 for told in load.told.values()})
    assert {told["entry"] for told in acknowledged.values()} <= entries.keys()
    assert len({told["subject"] for told in load.told.values()}) == len(load.asked)
    served.at("audit", "export", "--out", str(tmp_path / "log"))
    served.sayso("audit", "verify", str(tmp_path / "log"))
