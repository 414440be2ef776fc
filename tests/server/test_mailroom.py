"""The demo's mailer drops a queued letter because a person said no: over real sockets, by a signed message."""

import os
import re
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.builders.served import free_port
from tests.server.processes import PATIENCE_S
from tests.server.test_demo import demo


@pytest.mark.slow
def test_a_queued_letter_is_dropped_because_its_reader_unsubscribed(data_dir: Path) -> None:
    port = free_port()
    process = demo(data_dir, port)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=30) as client:
            assert "Taken out" not in client.get("/demo/mailer").text
            signed = client.post("/demo/signup", data={"email": "reader@example.org", "news": "on"})
            assert signed.status_code == 200
            client.post("/demo/signup", data={"email": "other@example.org", "news": "on"})
            client.post("/demo/signup", data={"email": "quiet@example.org"})
            queue = client.get("/demo/mailer").text
            tokens = re.findall(r'name="token" value="(tok_\w+)"', queue)
            assert len(tokens) == 2
            assert client.post("/demo/mailer/unsubscribe", data={"token": tokens[1]}).status_code == 200
            until = time.monotonic() + PATIENCE_S
            while "Taken out" not in (page := client.get("/demo/mailer").text):
                assert time.monotonic() < until
                time.sleep(0.05)
            assert re.findall(r'name="token" value="(tok_\w+)"', page) == tokens[:1]
            assert tokens[1] in page
            forged = client.post("/demo/mailer/changes", content=b"{}", headers={"webhook-id": "msg_1"})
            assert forged.status_code == 400
    finally:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
