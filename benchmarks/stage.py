"""A stage: a real `sayso serve` on a real database, a brand, its services, and a hundred thousand people.

The load generator (and PostgreSQL) are kept on one core. Everything goes over a socket.
"""

import asyncio
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from benchmarks.load import Outcome, Plan, request
from tests.builders.postgres import PostgresServer
from tests.builders.served import HOST, Served

CONNECTIONS = 64
LOAD_CORE = 1
"""The core of the load generator and of PostgreSQL. The server is one process and may use what is left."""
MANIFEST = """
categories: [contact.email, contact.phone]
purposes:
  marketing.email: {title: {en: News by e-mail, zh-CN: 邮件资讯}, legal_basis: consent, categories: [contact.email]}
  marketing.profile: {title: {en: Profiles, zh-CN: 画像}, legal_basis: consent, categories: [contact.email]}
  marketing.sms: {title: {en: Text messages, zh-CN: 短信}, legal_basis: consent, categories: [contact.phone]}
  ads: {title: {en: Advertising, zh-CN: 广告}, legal_basis: consent, categories: [contact.email]}
  analytics: {title: {en: Statistics, zh-CN: 统计}, legal_basis: consent, categories: [contact.email]}
notices:
  web:
    version: 1
    purposes: [marketing.email, marketing.profile, marketing.sms, ads, analytics]
    text: {en: "We write to you only if you say so.", zh-CN: "只有经您同意，我们才会给您写信。"}
collections:
  customers:
    fields:
      email: {type: email, category: contact.email, index: [exact]}
      phone: {type: phone, category: contact.email, region: DE, index: [exact]}
      customer: {type: customer_id, category: contact.email, index: [exact]}
      name: {type: name, category: contact.email}
      birthday: {type: date, category: contact.email}
      postcode: {type: postcode, category: contact.email, region: DE}
roles: {mailer: []}
rules:
  - {id: R1, role: mailer, action: use, category: contact, purpose: marketing.email, effect: allow, basis: consent}
  - {id: R2, role: mailer, action: reveal, category: contact, purpose: marketing.email, effect: allow, basis: consent}
"""
PURPOSES = ("marketing.email", "marketing.profile", "marketing.sms", "ads", "analytics")


class Stage:
    """`with Stage("sqlite") as stage:` gives a served brand without people; `stage.people(n)` records them."""

    def __init__(self, engine: str, *, slow_disk: int = 0) -> None:
        """`slow_disk`: milliseconds that are added to each fsync."""
        self.engine = engine
        self.slow_disk = slow_disk
        self.folder = Path(tempfile.mkdtemp(prefix="sayso-bench-"))
        self.server: Served
        self.subjects: list[str] = []
        self._postgres: PostgresServer | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.server.stop()
        if self._postgres is not None:
            self._postgres.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        environment = self._environment()
        database: str | None = None
        if self.engine == "postgres":
            self._postgres = PostgresServer(environment)
            self._postgres.__enter__()
            self._postgres.pin(LOAD_CORE)
            database = self._postgres.create("bench")
        self.server = Served(self.folder, database, environment=environment)
        self.server.lay()
        manifest = self.folder / "bench.yaml"
        manifest.write_text(MANIFEST, encoding="utf-8")
        self.server.apply(manifest)
        self.mailer = self.server.key("mailer", "mailer")
        self.recorder = self.server.key("recorder", "recorder")
        self.writer = self.server.key("writer", "vault_writer")
        self.start_seconds = self.server.start()

    def memory(self) -> float:
        """Resident memory of the server in MB."""
        pages = int(Path(f"/proc/{self.server.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu(self) -> float:
        """Processor seconds the server has used."""
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def load(
        self,
        requests: list[bytes],
        seconds: float,
        *,
        rate: float = 0,
        keep: bool = False,
        warm_up: float = 1.0,
        connections: int = CONNECTIONS,
    ) -> Outcome:
        """Send `requests` for `seconds` from the other core."""
        path = self.folder / f"plan-{secrets.token_hex(4)}"
        plan = Plan(HOST, self.server.port, connections, seconds, warm_up, requests, rate, int(keep))
        path.write_bytes(msgspec.msgpack.encode(plan))
        subprocess.run(
            [sys.executable, "-m", "benchmarks.load", str(path)],
            check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CORE}),
            cwd=Path(__file__).parent.parent,
        )
        outcome = msgspec.msgpack.decode(Path(f"{path}.out").read_bytes(), type=Outcome)
        path.unlink()
        Path(f"{path}.out").unlink()
        return outcome

    def get(self, path: str, key: str) -> bytes:
        return request("GET", path, HOST, self.server.port, b"", key)

    def post(self, path: str, body: object, key: str) -> bytes:
        return request("POST", path, HOST, self.server.port, msgspec.json.encode(body), key)

    def choice(self, number: int) -> bytes:
        """One record: person `number` says yes or no to five purposes."""
        word = random.Random(number)
        choices = {purpose: word.choice(("granted", "refused")) for purpose in PURPOSES}
        choices["marketing.email"] = "granted" if number % 10 else "refused"
        body = {
            "subject": {"identifier": {"type": "customer_id", "value": f"c-{number}"}},
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": choices,
            "method": "api",
        }
        return self.post("/v1/consents", body, self.recorder)

    def people(self, count: int) -> None:
        """Record `count` people through the front door, and remember who they are."""
        requests = [self.choice(number) for number in range(count)]
        chunk = 20_000
        for first in range(0, count, chunk):
            part = requests[first : first + chunk]
            outcome = self.drain(part)
            self.subjects += [json.loads(body)["subject"] for body in outcome]

    def drain(self, requests: list[bytes]) -> list[bytes]:
        """Send each request once, over many connections; the bodies of the answers, in no order."""

        async def send(queue: list[bytes]) -> list[bytes]:
            reader, writer = await asyncio.open_connection(HOST, self.server.port)
            bodies = []
            for raw in queue:
                writer.write(raw)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                if not head.startswith(b"HTTP/1.1 2"):
                    raise RuntimeError((head + body).decode())
                bodies.append(body)
            writer.close()
            return bodies

        async def all_of_them() -> list[bytes]:
            lanes = [requests[lane::CONNECTIONS] for lane in range(CONNECTIONS)]
            return [body for part in await asyncio.gather(*map(send, lanes)) for body in part]

        return asyncio.run(all_of_them())

    def _environment(self) -> dict[str, str]:
        if not self.slow_disk:
            return {}
        return {"LD_PRELOAD": str(_slow_fsync(self.folder)), "SLOW_FSYNC_MS": str(self.slow_disk)}


def _slow_fsync(folder: Path) -> Path:
    """The shim that adds milliseconds to every fsync, compiled once per stage."""
    library = folder / "slow_fsync.so"
    if not library.exists():
        source = Path(__file__).with_name("slow_fsync.c")
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
        library.chmod(0o755)
        folder.chmod(0o755)
    return library
