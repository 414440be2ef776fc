"""Time stamps (RFC 3161): once a day the newest checkpoint of each brand is stamped by the authority of the settings.

Needs the extra `timestamp`, a library that builds requests and checks answers.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
from cryptography import x509

from audit import Timestamping, TimestampRefused
from sayso.kernel import SECOND, SYSTEM, Context, Instant, Invalid, now
from sayso.server.settings import Settings

if TYPE_CHECKING:
    from sayso.server.wiring import Services

EVERY: Final = 60.0
"""Seconds between two looks at whether a stamp is due."""

LONGEST_ANSWER: Final = 1 << 16
"""Bytes of an authority's answer that are read."""

_TIMEOUT: Final = 20.0
_REQUEST: Final = {"content-type": "application/timestamp-query"}


class Timestamps:
    """The time stamps of one process. Without `timestamp_url` there are none."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        settings = services.settings
        self.timestamping = Timestamping(_asker(settings)) if settings.timestamp_url else None
        self._stamps: dict[tuple[str, str], Instant] = {}

    @property
    def age(self) -> float:
        """Seconds since the log that is furthest behind was known to be stamped."""
        return (now() - min(self._stamps.values())) / SECOND if self._stamps else 0.0

    async def round(self) -> None:
        """Have the newest checkpoint of each log stamped, once a day. Raises `TimestampRefused`."""
        if self.timestamping is None:
            return
        services, failed = self._services, None
        for tenant in services.configurations.tenants():
            context = Context(tenant, SYSTEM, now(), "timestamp")
            for log, _ in await services.database.look(context, services.audit.shown):
                self._stamps.setdefault((tenant, log), now())
                try:
                    stamped = await self.timestamping.round(services.database, context, log)
                except TimestampRefused as error:
                    failed = error
                    continue
                if stamped is not None:
                    self._stamps[tenant, log] = stamped
        if failed is not None:
            raise failed


class _Authority:
    """One time-stamp authority."""

    def __init__(self, url: str, verifier: Any) -> None:
        self._url = url
        self._verifier = verifier

    async def ask(self, message: bytes) -> bytes:
        """Its answer over these bytes, checked against the roots of the settings. Raises `TimestampRefused`."""
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerificationError, decode_timestamp_response

        request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
        raw = await self._fetch(request.as_bytes())
        try:
            response = decode_timestamp_response(raw)
            verifier = self._verifier.nonce(request.nonce).build()
            await asyncio.to_thread(verifier.verify_message, response, message)
        except (ValueError, VerificationError) as error:
            raise TimestampRefused("its answer does not hold") from error
        return raw

    async def _fetch(self, request: bytes) -> bytes:
        content = b""
        try:
            async with (
                httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as client,
                asyncio.timeout(_TIMEOUT),
                client.stream("POST", self._url, content=request, headers=_REQUEST) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    raise TimestampRefused(f"it answered {answer.status_code}")
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > LONGEST_ANSWER:
                        raise TimestampRefused("its answer is too long")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise TimestampRefused("it did not answer") from error
        return content


def _asker(settings: Settings) -> Any:
    try:
        from rfc3161_client import VerifierBuilder
    except ImportError:
        raise Invalid(
            "invalid-setting", "timestamp_url needs the optional part: pip install 'sayso[timestamp]'."
        ) from None
    try:
        held = x509.load_pem_x509_certificates(Path(settings.timestamp_roots).read_bytes())
    except (OSError, ValueError):
        raise Invalid("invalid-setting", "The certificates in timestamp_roots cannot be used.") from None
    roots = [each for each in held if each.issuer == each.subject]
    if not roots:
        raise Invalid("invalid-setting", "timestamp_roots holds no root certificate.")
    between = [each for each in held if each not in roots]
    return _Authority(settings.timestamp_url, VerifierBuilder(roots=roots, intermediates=between)).ask
