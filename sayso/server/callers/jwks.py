"""Public keys as clients declare them: a JSON Web Key Set (RFC 7517) of Ed25519 (RFC 8037) and P-256 keys.

    clients:
      shop:
        roles: [recorder]
        sign_in: {keys: [{kty: OKP, crv: Ed25519, kid: shop-1, x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}

The key decides the algorithm, never the token: with `OKP` it is EdDSA (also written Ed25519, RFC 9864), with `EC` it is
ES256. Secret keys are refused, and so is a private one, which must not leave the client. RSA keys (RS256, 2048 bits at
least) are taken only where a standard's participants publish such: `rsa`.
"""

import binascii
from base64 import urlsafe_b64decode
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Struct

from sayso.kernel import Map, Node, Problem, Scalar, Seq, problem

MOST_KEYS: Final = 8
_MEMBERS: Final = ("kty", "crv", "kid", "x", "y", "use", "alg", "key_ops")
_RSA_MEMBERS: Final = (*_MEMBERS, "n", "e")
_HALF: Final = 32
_EXPONENT: Final = "AQAB"
_SHORTEST_RSA: Final = 2_048
_LONGEST_RSA: Final = 8_192


class PublicKey(Struct, frozen=True, array_like=True):
    """One key: `y` is empty for Ed25519; `n` is the modulus of an RSA key, which has neither of the others."""

    kid: str
    x: str = ""
    y: str = ""
    n: str = ""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The names of the one algorithm that this key is for."""
        return ("RS256",) if self.n else ("ES256",) if self.y else ("EdDSA", "Ed25519")

    def holds(self, signature: bytes, signed: bytes) -> bool:
        """Whether this key made the signature (RFC 7518, 3.4: an ECDSA one is `r` and `s`, 32 bytes each)."""
        try:
            if self.n:
                _modulus(self.n).verify(signature, signed, PKCS1v15(), SHA256())
                return True
            if not self.y:
                _edwards(self.x).verify(signature, signed)
                return True
            if len(signature) != 2 * _HALF:
                return False
            r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
            _curve(self.x, self.y).public_key().verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


def parse_jwks(node: Node | None, problems: list[Problem]) -> tuple[PublicKey, ...]:
    """The keys of a set. What is wrong is added to `problems`."""
    if node is None:
        return ()
    keys = node.get("keys") if isinstance(node, Map) and list(node) == ["keys"] else None
    if not isinstance(keys, Seq):
        problems.append(problem(node, "A key set is a mapping with one member, 'keys', which is a list (RFC 7517)."))
        return ()
    return parse_keys(keys, problems)


def parse_keys(keys: Seq, problems: list[Problem], *, rsa: bool = False) -> tuple[PublicKey, ...]:
    """The keys of a list. What is wrong is added to `problems`."""
    if len(keys) > MOST_KEYS:
        problems.append(problem(keys, f"A key set has {MOST_KEYS} keys at most."))
    found: dict[str, PublicKey] = {}
    for child in keys:
        key = _key(child, problems, rsa=rsa)
        if key is not None and key.kid in found:
            problems.append(problem(child, f"Two keys have the kid {key.kid!r}."))
        elif key is not None:
            found[key.kid] = key
    return tuple(found.values())


def decoded(text: str) -> bytes:
    """Bytes of base64url without padding. Raises `ValueError`."""
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError from error


def _key(node: Node, problems: list[Problem], *, rsa: bool) -> PublicKey | None:
    if not isinstance(node, Map):
        problems.append(problem(node, "A key is a mapping (RFC 7517)."))
        return None
    if "d" in node or "k" in node:
        problems.append(problem(node, "This key is secret: make a new one, and declare its public half alone."))
        return None
    for name in node:
        if name not in (_RSA_MEMBERS if rsa else _MEMBERS):
            problems.append(Problem(node.file, node.lines[name], f"{name!r} is no member of a public key."))
    kind, curve, kid, x, y = (_text(node, name) for name in ("kty", "crv", "kid", "x", "y"))
    modulus = _text(node, "n") if rsa and kind == "RSA" and _text(node, "e") == _EXPONENT else ""
    if not modulus and (kind, curve) not in (("OKP", "Ed25519"), ("EC", "P-256")):
        also = f", or kty RSA with e {_EXPONENT}" if rsa else ""
        problems.append(problem(node, f"A key is kty OKP with crv Ed25519, or kty EC with crv P-256{also}."))
        return None
    if not kid or len(kid) > 128:
        problems.append(problem(node, "A key has a kid, 128 characters at most: tokens name it."))
        return None
    try:
        if modulus:
            _modulus(modulus)
            return PublicKey(kid, n=modulus)
        if kind == "OKP":
            _edwards(x)
            return PublicKey(kid, x)
        _curve(x, y).public_key()
        return PublicKey(kid, x, y)
    except ValueError:
        wrong = f"has no modulus of {_SHORTEST_RSA} bits or more" if modulus else "is no point of its curve"
        problems.append(problem(node, f"The key {kid!r} {wrong}."))
        return None


def _edwards(x: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(decoded(x))


def _curve(x: str, y: str) -> EllipticCurvePublicNumbers:
    across, up = decoded(x), decoded(y)
    if (len(across), len(up)) != (_HALF, _HALF):
        raise ValueError
    return EllipticCurvePublicNumbers(int.from_bytes(across, "big"), int.from_bytes(up, "big"), SECP256R1())


def _modulus(n: str) -> RSAPublicKey:
    key = RSAPublicNumbers(65_537, int.from_bytes(decoded(n), "big")).public_key()
    if not _SHORTEST_RSA <= key.key_size <= _LONGEST_RSA:
        raise ValueError
    return key


def _text(node: Map, name: str) -> str:
    child = node.get(name)
    return child.value if isinstance(child, Scalar) and isinstance(child.value, str) else ""
