"""The trust file: which keys a verifier believes. A JWKS (RFC 7517) with one more member, `vkeys`. Pure.

    {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "…", "x": "…"}], "vkeys": ["origin+hash+key"]}

A text file of vkey lines alone, as other log tools keep them, is read as well.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from audit.jws import parse_jwk, thumbprint
from audit.note import VerifierKey
from audit.strict import Malformed, print_base64url, utf8


class _Key(msgspec.Struct, frozen=True):
    kty: str
    crv: str = ""
    x: str = ""


class _File(msgspec.Struct, frozen=True):
    keys: list[_Key] = []
    vkeys: list[str] = []


class Trust(NamedTuple):
    """Keys that were learnt elsewhere: of logs, and of receipts and certificates by thumbprint."""

    logs: tuple[VerifierKey, ...]
    signers: dict[str, bytes]


def read_trust(raw: bytes) -> Trust:
    """The keys in a trust file. Raises `Malformed` when it holds none, or anything that is not one."""
    text = utf8(raw, "the trust file")
    if text.lstrip().startswith("{"):
        try:
            held = msgspec.json.decode(raw, type=_File)
        except msgspec.DecodeError as error:
            raise Malformed("the trust file is not the JSON it should be") from error
    else:
        held = _File(vkeys=[line for line in text.splitlines() if line.strip()])
    logs = tuple(VerifierKey.parse(line) for line in held.vkeys)
    signers = [parse_jwk(key.kty, key.crv, key.x) for key in held.keys if key.crv == "Ed25519"]
    if not logs and not signers:
        raise Malformed("the trust file holds no key that can be used")
    return Trust(logs, {thumbprint(key): key for key in signers})


def print_trust(logs: Iterable[VerifierKey], signers: Iterable[bytes]) -> bytes:
    """A trust file for those keys, as `sayso audit keys` writes it."""
    shape = {"alg": "Ed25519", "crv": "Ed25519", "kty": "OKP", "use": "sig"}
    keys = [{**shape, "kid": thumbprint(key), "x": print_base64url(key)} for key in dict.fromkeys(signers)]
    file = {"keys": keys, "vkeys": [key.line for key in logs]}
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
