"""Keyed tags: blind indexes, token fingerprints and row MACs, each under a key of its own.

A tag says nothing without its key. Whoever has an index key can try out all telephone numbers there are, therefore
these keys are stored wrapped only, and never leave the process.
"""

from functools import lru_cache
from typing import Final, Never

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from vault.ciphers.derive import expand, pair, parts
from vault.fields.normalise import canonical, normaliser_of

TAG_BYTES: Final = 16
EXACT: Final = "exact"
_INDEX: Final = b"sayso.index.v1"
_TOKEN: Final = b"sayso.token.v1"
_SHA256: Final = SHA256()


class KeyedHash:
    """HMAC-SHA256 under one key, cut to 16 bytes. The keyed state is made once and copied for each tag."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = HMAC(key, _SHA256)

    def __reduce__(self) -> Never:
        raise TypeError("a key is not to be pickled")

    def __call__(self, message: bytes) -> bytes:
        state = self._keyed.copy()
        state.update(message)
        return state.finalize()[:TAG_BYTES]


class IndexKeys:
    """The blind indexes under one index root."""

    __slots__ = ("_keys", "_root", "version")

    def __init__(self, root: bytes, version: int) -> None:
        self.version = version
        self._root = root
        self._keys: dict[tuple[str, str, str, str], KeyedHash] = {}

    def tag(self, scope: str, name: str, kind: str, value: str) -> bytes:
        """The tag of `value`, which is normalised first as its `kind` demands. Raises `Invalid`.

        `scope` and `name` say what is indexed: the identifiers of one kind, or one field of one collection.
        """
        return self.tag_of_canonical(scope, name, kind, canonical(kind, value))

    def tag_of_canonical(self, scope: str, name: str, kind: str, normal: str, *, index: str = EXACT) -> bytes:
        """The tag of a value that is normalised already."""
        keyed = self._keys.get((scope, name, kind, index))
        return (keyed or self._derive(scope, name, kind, index))(normal.encode())

    def _derive(self, scope: str, name: str, kind: str, index: str) -> KeyedHash:
        names = (scope.encode(), name.encode(), kind.encode(), index.encode())
        label = parts(_INDEX, *names) + normaliser_of(kind).version.to_bytes(4, "big")
        keyed = self._keys[scope, name, kind, index] = KeyedHash(expand(self._root, label))
        return keyed


class TokenKeys:
    """What belongs to tokens under one token root: fingerprints, row MACs, and the hashes that masks show."""

    __slots__ = ("_root", "fingerprint", "row_mac", "version")

    def __init__(self, root: bytes, version: int) -> None:
        self.version = version
        self._root = root
        self.fingerprint = KeyedHash(expand(root, parts(_TOKEN, b"fingerprint")))
        self.row_mac = KeyedHash(expand(root, parts(_TOKEN, b"row")))

    def mask_key(self, reader: str) -> bytes:
        """The key of `mask_hash` for one reader: two readers cannot join what they were shown."""
        return expand(self._root, parts(_TOKEN, b"mask", reader.encode()))


def row_message(
    tenant: str, fingerprint: bytes, subject: bytes, collection: str, field: str, audience: str, at: int
) -> bytes:
    """The columns of a token's row as its MAC covers them."""
    place = _row_place(collection, field, audience)
    return _row_lead(tenant) + pair(fingerprint, subject) + place + at.to_bytes(8, "big")


@lru_cache(maxsize=1024)
def _row_lead(tenant: str) -> bytes:
    return parts(_TOKEN, tenant.encode())


@lru_cache(maxsize=1024)
def _row_place(collection: str, field: str, audience: str) -> bytes:
    # Names that were declared: few, and none is personal.
    return parts(collection.encode(), field.encode(), audience.encode())
