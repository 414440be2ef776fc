"""A mail server on this machine: it takes, refuses, stalls or is down, as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope


class Mailbox:
    """What the server took. `reply` answers each letter, `stall` is how many seconds it thinks before that."""

    def __init__(self) -> None:
        self.port = 0
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.reply = "250 OK"
        self.stall = 0.0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        await asyncio.sleep(self.stall)
        if self.reply.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            letter = message_from_bytes(content, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
            self.recipients.append(list(envelope.rcpt_tos))
        return self.reply

    def text(self, nth: int = -1) -> str:
        """The plain text of a letter."""
        body = self.letters[nth].get_body(("plain",))
        assert body is not None
        found: str = body.get_content()
        return found

    def html(self, nth: int = -1) -> str:
        """The same as HTML."""
        body = self.letters[nth].get_body(("html",))
        assert body is not None
        found: str = body.get_content()
        return found


@asynccontextmanager
async def a_mail_server() -> AsyncIterator[Mailbox]:
    """A server that listens; its port is in the mailbox."""
    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, enable_SMTPUTF8=True, hostname="mail.test"), "127.0.0.1", 0
    )
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()
