"""What a processor that speaks OpenDSR 2.0 can be told: kinds, laws, identities, and its certificate. Pure.

A processor signs what it says. Whose signature counts is declared: the certificate that its `/discovery` names, copied
into the manifest by somebody who looked, so that whoever answers in its name tomorrow gains nothing.
"""

from typing import Final, Literal, get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from rights.model import Kind, Law

IDENTITIES: Final = (
    "controller_customer_id",
    "email",
    "android_advertising_id",
    "android_id",
    "fire_advertising_id",
    "ios_advertising_id",
    "ios_vendor_id",
    "microsoft_advertising_id",
    "microsoft_publisher_id",
    "roku_advertising_id",
    "roku_publisher_id",
)
"""Section 5.1."""

Format = Literal["raw", "sha256"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
"""Section 5.2, without what can be reversed by guessing faster than anything (SHA-1, MD5)."""

TYPES: Final[tuple[Kind, ...]] = ("access", "portability", "erasure")
"""Section 6.2: their names are ours."""


def regulation_of(law: Law) -> str:
    """Section 7.1.1 knows two. The states' laws are of California's kind, every other of the GDPR's."""
    return "ccpa" if law in ("ccpa", "us_state") else "gdpr"


def certificate_refusal(pem: str) -> str:
    """Why this certificate is not taken, empty when it is."""
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return "'certificate' is the processor's certificate (PEM) with its domain in it."
    if not names.get_values_for_type(x509.DNSName):
        return "The processor's certificate names no domain."
    if not isinstance(found.public_key(), RSAPublicKey):
        return "The processor's certificate has no RSA key: OpenDSR signs with RSA and SHA-256."
    return ""
