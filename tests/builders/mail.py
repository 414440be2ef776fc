"""A mail server on this machine: it takes, refuses, stalls or is down, as it is told; in clear or not, with a login."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword


class Mailbox:
    """What the server took. `reply` answers each letter, `stall` is how many seconds it thinks before that."""

    def __init__(self) -> None:
        self.port = 0
        self.letters: list[EmailMessage] = []
        self.encrypted: list[bool] = []
        self.users: list[str] = []
        self.recipients: list[list[str]] = []
        self.reply = "250 OK"
        self.stall = 0.0

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        await asyncio.sleep(self.stall)
        if self.reply.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            letter = message_from_bytes(content, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
            self.recipients.append(list(envelope.rcpt_tos))
            self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
            self.users.append(session.auth_data.login.decode() if session.auth_data is not None else "")
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
async def a_mail_server(
    secure: ssl.SSLContext | None = None,
    begins: Literal["starttls", "tls"] = "starttls",
    login: tuple[str, str] | None = None,
) -> AsyncIterator[Mailbox]:
    """A server that listens; its port is in the mailbox. `secure`: it takes nothing in clear, and speaks TLS when asked
    to or from the first byte. `login`: it takes letters from that user with that password alone.
    """
    mailbox = Mailbox()
    at_once = secure if begins == "tls" else None

    def authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, said: Any) -> AuthResult:
        known = isinstance(said, LoginPassword) and (said.login.decode(), said.password.decode()) == login
        return AuthResult(success=known, auth_data=said if known else None, handled=False)

    def speaking() -> SMTP:
        with warnings.catch_warnings():
            # It knows of no encryption but the one that it began itself.
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
            return SMTP(
                mailbox,
                enable_SMTPUTF8=True,
                hostname="mail.test",
                tls_context=secure if at_once is None else None,
                require_starttls=secure is not None and at_once is None,
                auth_required=login is not None,
                auth_require_tls=at_once is None,
                authenticator=authenticated,
            )

    server = await asyncio.get_running_loop().create_server(speaking, "127.0.0.1", 0, ssl=at_once)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()
