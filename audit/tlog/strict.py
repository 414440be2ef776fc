"""Strict parsing for signed texts: what does not print back to the very same bytes is malformed.

A lenient decoder gives one signature many spellings; then "the same checkpoint" is no longer a question about bytes.
Standard library only, because the offline verifier stands on it.
"""

import binascii
from base64 import b64encode, urlsafe_b64encode

HASH_SIZE = 32
"""Bytes of a SHA-256 value."""

_LARGEST = 2**63 - 1


class Malformed(ValueError):
    """Bytes that are not in the format they claim; the message says where and never repeats their content."""


def base64(text: str, what: str) -> bytes:
    """Bytes of standard, padded base64 (RFC 4648, section 4), spare bits zero.

    Raises `Malformed`, naming `what`.
    """
    try:
        raw = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise Malformed(f"{what} is not base64") from error
    if b64encode(raw).decode() != text:
        raise Malformed(f"{what} has base64 spare bits that are not zero")
    return raw


def base64url(text: str, what: str) -> bytes:
    """Bytes of unpadded base64url (RFC 7515, section 2), spare bits zero. Raises `Malformed`, naming `what`."""
    if "+" in text or "/" in text or "=" in text:
        raise Malformed(f"{what} is not base64url")
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    return base64(padded, what)


def print_base64url(raw: bytes) -> str:
    """Unpadded base64url of `raw`."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def digest(text: str, what: str) -> bytes:
    """A SHA-256 value in base64. Raises `Malformed` unless it is 32 bytes long."""
    raw = base64(text, what)
    if len(raw) != HASH_SIZE:
        # A zero-length "hash" equal to a zero-length "root" once passed for a proof elsewhere: lengths come first.
        raise Malformed(f"{what} is {len(raw)} bytes long, not {HASH_SIZE}")
    return raw


def decimal(text: str, what: str) -> int:
    """A number from 0 to 2^63 - 1 in ASCII digits without leading zeroes. Raises `Malformed`, naming `what`."""
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > 19:
        raise Malformed(f"{what} is not a decimal number")
    number = int(text)
    if number > _LARGEST:
        raise Malformed(f"{what} is too large")
    return number


def utf8(raw: bytes, what: str) -> str:
    """`raw` as text. Raises `Malformed` on anything that is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"{what} is not UTF-8") from error
