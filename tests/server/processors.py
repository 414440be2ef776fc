"""A real processor that speaks OpenDSR on loopback: it behaves, or does not."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.builders.listening import listening
from tests.builders.served import HOST

DOMAIN = "opendsr.processor.example"


class Identity(NamedTuple):
    """A key and the certificate that names it."""

    key: RSAPrivateKey
    certificate: str

    def signs(self, body: bytes, domain: str = DOMAIN) -> dict[str, str]:
        """The headers of what this processor says."""
        signature = b64encode(self.key.sign(body, PKCS1v15(), SHA256())).decode()
        return {"X-OpenDSR-Processor-Domain": domain, "X-OpenDSR-Signature": signature}


@cache
def an_identity(name: str = DOMAIN, years: int = 50) -> Identity:
    """Made once for a session: RSA keys take their time."""
    key = generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365 * years))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    return Identity(key, made.public_bytes(Encoding.PEM).decode())


class Asked(NamedTuple):
    """One call."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


Behaviour = Callable[["Processor", Asked], Awaitable[tuple[int, dict[str, str], bytes] | None]]


async def honest(processor: "Processor", asked: Asked) -> tuple[int, dict[str, str], bytes]:
    """Takes requests, and says how far it is with them."""
    if asked.path.endswith("/discovery"):
        return 200, {}, json.dumps(processor.discovery).encode()
    if asked.path.endswith("/cert.pem"):
        return 200, {}, processor.identity.certificate.encode()
    if asked.method == "POST":
        request = asked.body["subject_request_id"]
        processor.requests[request] = {"request_status": "pending"}
        processor.callbacks[request] = asked.body["status_callback_urls"][0]
        return processor.said(201, {"subject_request_id": request})
    request = asked.path.rpartition("/")[2]
    if request not in processor.requests:
        return 404, {}, b""
    return processor.said(200, {"subject_request_id": request, **processor.requests[request]})


class Processor:
    """Keeps what it was asked. `behave` may be replaced at any time; None from it hangs up."""

    def __init__(self) -> None:
        self.identity = an_identity()
        self.asked: list[Asked] = []
        self.requests: dict[str, dict[str, Any]] = {}
        self.callbacks: dict[str, str] = {}
        self.behave: Behaviour = honest
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://key:s%40cret@{HOST}:{self.port}/v2"

    @property
    def discovery(self) -> dict[str, Any]:
        return {
            "api_version": "2.0",
            "supported_identities": [{"identity_type": "email", "identity_format": "raw"}],
            "supported_subject_request_types": ["erasure", "access"],
            "processor_certificate": f"http://{HOST}:{self.port}/cert.pem",
        }

    def said(self, status: int, content: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """Signed words."""
        body = json.dumps(
            {"controller_id": "tea", "expected_completion_time": "2030-01-01T00:00:00Z", **content}
        ).encode()
        return status, self.identity.signs(body), body

    def callback(self, request: str, status: str, **more: Any) -> tuple[dict[str, str], bytes]:
        """Headers and body of a callback."""
        content = {"subject_request_id": request, "request_status": status, **more}
        _, headers, body = self.said(0, {"status_callback_url": self.callbacks[request], **content})
        return headers, body

    def posted(self) -> list[Asked]:
        return [each for each in self.asked if each.method == "POST"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ")
                asked = Asked(method, path, headers, json.loads(body) if body else None)
                self.asked.append(asked)
                answer = await self.behave(self, asked)
                if answer is None:
                    return
                status, more, content = answer
                more = {"content-length": str(len(content)), **more}
                head = "".join(f"{name}: {value}\r\n" for name, value in more.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def a_processor() -> AsyncIterator[Processor]:
    """One that listens on a port of its own."""
    processor = Processor()
    async with listening(processor.serve) as processor.port:
        yield processor
