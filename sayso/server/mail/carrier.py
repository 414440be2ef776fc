"""Brings letters to the mail server. At least once: who dies between the server's yes and ours sends a letter twice."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sayso.kernel import SYSTEM, Context, Database, SaysoError, now
from sayso.server.logs import Log
from sayso.server.mail.letters import compose
from sayso.server.mail.outbox import Attempt, Outbox
from sayso.server.settings import Settings

if TYPE_CHECKING:
    # Imported with the first letter: most installations start without one waiting.
    import aiosmtplib

EVERY: Final = 1.0
"""Seconds between two looks at what is to be sent."""

AT_ONCE: Final = 20
"""Letters of one brand in a round, over one connection; then the next brand has its turn."""


class Carrier:
    """Sends what waits. Nothing about a person goes into its log: an error is told by its type and code."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        log: Log,
        tenants: Callable[[], tuple[str, ...]],
        brand: Callable[[str], str],
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._log = log
        self._tenants = tenants
        self._brand = brand
        self.database: Database
        self.sent = 0

    async def round(self) -> None:
        """One round for every brand."""
        if not self._outbox.configured:
            return
        for tenant in self._tenants():
            waiting = await self._look(tenant)
            if waiting:
                await self._carry(tenant, waiting)

    async def _look(self, tenant: str) -> list[bytes]:
        context = Context(tenant, SYSTEM, now(), "mail")
        found = await self.database.look(context, lambda tx: self._outbox.due(tx, AT_ONCE))
        await self.database.look(context, self._outbox.count)
        return found

    async def _carry(self, tenant: str, waiting: list[bytes]) -> None:
        """These letters over one connection. A server that cannot be reached fails the first and ends the round."""
        import aiosmtplib

        unreachable = _unreachable()
        client: aiosmtplib.SMTP | None = None
        try:
            for mail in waiting:
                attempt = await self._run(tenant, lambda tx, mail=mail: self._outbox.take(tx, mail))
                if attempt is None:
                    continue
                try:
                    if client is None or not client.is_connected:
                        client = await self._connected()
                    await self._send(client, tenant, attempt)
                except unreachable as error:
                    await self._fail(tenant, attempt, error, "unreachable", for_good=False)
                    return
                except aiosmtplib.SMTPException as error:
                    await self._fail(tenant, attempt, error, "refused", for_good=_permanent(error))
                except (SaysoError, ValueError, UnicodeError) as error:
                    await self._fail(tenant, attempt, error, "unsendable", for_good=True)
        finally:
            if client is not None:
                with suppress(aiosmtplib.SMTPException, OSError):
                    await client.quit()
                client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        import aiosmtplib

        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.mail_host,
            port=settings.mail_port,
            use_tls=settings.mail_tls == "tls",
            start_tls=settings.mail_tls == "starttls",
            timeout=settings.mail_timeout,
            local_hostname=settings.mail_from.rpartition("@")[2].strip(" >") or None,
        )
        await client.connect()
        if settings.mail_user:
            try:
                await client.login(settings.mail_user, _password(settings.mail_password_file))
            except BaseException:
                client.close()
                raise
        return client

    async def _send(self, client: aiosmtplib.SMTP, tenant: str, attempt: Attempt) -> None:
        message = compose(attempt.letter, self._brand(tenant), self._settings.mail_from, now())
        await client.send_message(message, recipients=[attempt.letter.to])
        await self._run(tenant, lambda tx: self._outbox.sent(tx, attempt.mail))
        self.sent += 1

    async def _fail(self, tenant: str, attempt: Attempt, error: Exception, why: str, *, for_good: bool) -> None:
        code = getattr(error, "code", 0)
        self._log.warning("mail not sent", kind=attempt.letter.kind, error=type(error).__name__, code=code, why=why)
        await self._run(tenant, lambda tx: self._outbox.failed(tx, attempt.mail, why, for_good=for_good))

    def _run(self, tenant: str, unit: Callable[..., object]) -> Awaitable[Attempt | None]:
        return self.database.run(Context(tenant, SYSTEM, now(), "mail"), unit)  # type: ignore[arg-type]


def _unreachable() -> tuple[type[Exception], ...]:
    """What is wrong with the way to the server and not with a letter."""
    import aiosmtplib

    # Authentication and missing features are ours to set right, and no fault of the letter.
    ours = (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPNotSupported)
    way = (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError)
    return (*way, *ours, OSError, ssl.SSLError)


def _permanent(error: aiosmtplib.SMTPException) -> bool:
    """Whether trying again is useless: a reply of the 500s (RFC 5321, section 4.2.1)."""
    import aiosmtplib

    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(_permanent(each) for each in error.recipients)
    return 500 <= getattr(error, "code", 0) < 600


def _password(file: str) -> str:
    """Read anew for every connection, so that a changed one is taken without a restart."""
    return Path(file).read_text("utf-8").strip() if file else ""
