"""The demo brand's mailer: a queue of letters, and a receiver of webhooks that takes letters out of it.

It is written as a brand would write it: it holds tokens in place of addresses, believes only signed messages, and drops
what a person no longer wants, also when the letter was queued long before. Lives in memory; only `sayso demo` has one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sayso.kernel import SECOND, now
from sayso.server.feed import verify

PURPOSE: Final = "marketing.email"
SECRET: Final = "mailer_webhook"  # noqa: S105 - the name under which it lies among the demo's keys
DEMO_KEYS: Final = "demo-keys.json"
"""The file in the key folder that holds the keys of the demo's services."""

MAILER_PATH: Final = "/demo/mailer/changes"
"""Where its webhook listens."""

MOST: Final = 50


class Letter(Struct, frozen=True):
    """A letter that waits for the next post. `dropped_at` is 0 while it still does."""

    token: str
    subject: str
    queued_at: int
    dropped_at: int = 0
    seq: str = ""


class Mailroom:
    """The queue, newest first."""

    def __init__(self, keys: Path) -> None:
        """`keys` is the file with the demo's keys, where the webhook's secret lies."""
        self._keys = keys
        self._letters: dict[str, Letter] = {}

    @property
    def letters(self) -> tuple[Letter, ...]:
        return tuple(reversed(self._letters.values()))

    def queue(self, token: str, subject: str) -> None:
        """A letter to whoever is behind the token. The oldest makes room."""
        self._letters.pop(token, None)
        self._letters[token] = Letter(token, subject, now())
        while len(self._letters) > MOST:
            del self._letters[next(iter(self._letters))]

    def told(self, headers: Mapping[str, str], body: bytes) -> None:
        """One message of the feed. Raises `ForgedMessage` for one that is not signed with our secret."""
        secret = msgspec.json.decode(self._keys.read_bytes(), type=dict[str, str]).get(SECRET, "")
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        message, seconds, signature = (headers.get(name, "") for name in names)
        verify(secret, message, seconds, signature, body, now() // SECOND)
        data: dict[str, Any] = msgspec.json.decode(body)["data"]
        if data.get("state", {}).get(PURPOSE, {}).get("status", "granted") != "granted":
            self._drop(data)

    def _drop(self, data: dict[str, Any]) -> None:
        for tokens in data.get("tokens", {}).values():
            for token in tokens:
                letter = self._letters.get(token)
                if letter is not None and not letter.dropped_at:
                    self._letters[token] = replace(letter, dropped_at=now(), seq=data["registry_seq"])
