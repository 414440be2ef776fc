"""OpenDSR 2.0 as bytes: the request that leaves (section 7), and what a processor signs (sections 7.3, 8.3, 8.6). Pure.

https://github.com/opengdpr/OpenDSR, specification.md; dormant since 2020 and in use.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Struct

from rights import System, TaskView, regulation_of
from sayso.kernel import to_datetime
from sayso.server.connectors.failures import Refused

VERSION: Final = "2.0"
DOMAIN_HEADER: Final = "x-opendsr-processor-domain"
SIGNATURE_HEADER: Final = "x-opendsr-signature"
_LABEL: Final = b"sayso.opendsr.v1\0"
_LONGEST: Final = 2_048

Progress = Literal["pending", "in_progress", "completed", "cancelled"]


class Heard(Struct, frozen=True):
    """What a processor says of a request: in a status, a callback, or (without a status) an acknowledgement."""

    subject_request_id: str
    request_status: Progress = "pending"
    status_callback_url: str = ""
    results_url: str | None = None
    results_count: int | None = None

    @property
    def count(self) -> int:
        return max(self.results_count or 0, 0)

    @property
    def where(self) -> dict[str, str]:
        """Where the person finds what an access request brought, when it cannot be fetched for them."""
        url = self.results_url or ""
        return {"results_url": url} if url.startswith("https://") and len(url) <= _LONGEST else {}


class Discovery(Struct, frozen=True):
    """What a processor takes (section 6.3)."""

    supported_identities: list[dict[str, str]]
    supported_subject_request_types: list[str]
    processor_certificate: str


def request_id(task: TaskView) -> str:
    """The id by which a processor knows a task: a UUID of version 4 as the protocol wants, the same however often it is
    sent. When an officer has the system told again it is another, since a cancelled one stays cancelled.
    """
    digest = sha256(_LABEL + f"{task.task}\0{task.rounds}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def request_of(task: TaskView, system: System, callback: str) -> bytes:
    """The body of `POST /requests` (section 7.1.1)."""
    identities = [
        {
            "identity_type": kind,
            "identity_value": value if system.identity_format == "raw" else sha256(value.encode()).hexdigest(),
            "identity_format": system.identity_format,
        }
        for kind, values in task.identify.items()
        for value in values
    ]
    return msgspec.json.encode(
        {
            "regulation": regulation_of(task.law),  # type: ignore[arg-type]
            "subject_request_id": request_id(task),
            "subject_request_type": task.kind,
            "submitted_time": task.created_at,
            "subject_identities": identities,
            "api_version": VERSION,
            "status_callback_urls": [callback],
        }
    )


def read(body: bytes, headers: Mapping[str, str], certificate: str, at: int) -> Heard:
    """What a processor said, once it is known that it did.

    Raises `Refused`: `forged`, `certificate-expired`, `garbled`.

    The signature is checked on the very bytes, before anything is read (section 8.8).
    """
    demand_signed(body, headers, certificate, at)
    try:
        return msgspec.json.decode(body, type=Heard)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("garbled") from None


def demand_signed(body: bytes, headers: Mapping[str, str], certificate: str, at: int) -> None:
    """Raises `Refused` unless the certificate's owner signed this, in its own name, while the certificate holds."""
    found = x509.load_pem_x509_certificate(certificate.encode())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if headers.get(DOMAIN_HEADER, "").lower() not in names.get_values_for_type(x509.DNSName):
        raise Refused("forged")
    if not found.not_valid_before_utc <= to_datetime(at) < found.not_valid_after_utc:
        raise Refused("certificate-expired")
    key = found.public_key()
    assert isinstance(key, RSAPublicKey)
    try:
        signature = b64decode("".join(headers.get(SIGNATURE_HEADER, "").split()), validate=True)
        key.verify(signature, body, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        raise Refused("forged") from None


def same_certificate(one: bytes, other: str) -> bool:
    """Whether two PEM texts are one certificate."""
    try:
        return x509.load_pem_x509_certificate(one) == x509.load_pem_x509_certificate(other.encode())
    except ValueError:
        return False
