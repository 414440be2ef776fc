"""The trust file: which keys a verifier believes. A JWKS (RFC 7517) with one more member, `vkeys`. Pure.

    {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "…", "x": "…"}], "vkeys": ["origin+hash+key"]}

A text file of vkey lines alone, as other log tools keep them, is read as well: by `offline/sayso_verify.py`.
"""

from collections.abc import Iterable

import msgspec

from audit.jws import thumbprint
from audit.tlog.cosignature import WitnessKey
from audit.tlog.note import VerifierKey
from audit.tlog.strict import print_base64url


def print_trust(logs: Iterable[VerifierKey | WitnessKey], signers: Iterable[bytes]) -> bytes:
    """A trust file for those keys, as `sayso audit keys` writes it."""
    shape = {"alg": "Ed25519", "crv": "Ed25519", "kty": "OKP", "use": "sig"}
    keys = [{**shape, "kid": thumbprint(key), "x": print_base64url(key)} for key in dict.fromkeys(signers)]
    file = {"keys": keys, "vkeys": [key.line for key in logs]}
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
