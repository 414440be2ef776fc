"""Associated data: what a ciphertext is bound to, so that it opens nowhere else.

Every form begins with its own label and encodes each part behind its length, therefore no two tuples encode alike and
no form can be taken for another. These forms are final: stored ciphertexts carry them for ever.
"""

from functools import lru_cache

from vault.ciphers.derive import pair, parts

FIELD = b"sayso.field.v1"
DATA_KEY = b"sayso.dek.v1"
SECRET = b"sayso.secret.v1"
TENANT_KEY = b"sayso.kek.v1"


@lru_cache(maxsize=1024)
def _lead(label: bytes, *names: str) -> bytes:
    # Names that the operator declared, never values: there are few of them, and none is personal.
    return parts(label, *(name.encode() for name in names))


@lru_cache(maxsize=1024)
def _tail(key_version: int, value_version: int) -> bytes:
    return key_version.to_bytes(4, "big") + value_version.to_bytes(8, "big")


@lru_cache(maxsize=1024)
def key_tail(version: int, epoch: int) -> bytes:
    """What tells one wrapping of a key from the next: see `data_key`."""
    return version.to_bytes(4, "big") + epoch.to_bytes(4, "big")


def field(tenant: str, collection: str, owner: bytes, name: str, key_version: int, value_version: int) -> bytes:
    """A value: whose it is, where it stands, which data key (u32) seals it, and the how-manieth value it is (u64)."""
    return _lead(FIELD, tenant, collection) + pair(owner, name.encode()) + _tail(key_version, value_version)


def data_key(tenant: str, owner: bytes, cls: str, version: int, epoch: int) -> bytes:
    """A wrapped data key: whose, of which class, its version (u32) and the tenant key's epoch (u32)."""
    return data_key_of(tenant, owner, cls) + key_tail(version, epoch)


def data_key_of(tenant: str, owner: bytes, cls: str) -> bytes:
    """The first part of `data_key`, behind which `key_tail` follows: a key that is wrapped anew has it once."""
    return _lead(DATA_KEY, tenant) + pair(owner, cls.encode())


def secret(tenant: str, use: str, version: int, epoch: int) -> bytes:
    """One of the tenant's own secrets (index root, token root, signing seed), wrapped."""
    return parts(SECRET, tenant.encode(), use.encode()) + key_tail(version, epoch)


def tenant_key(context: dict[str, str]) -> bytes:
    """A tenant key under the root key: the context as the provider was given it, by sorted names."""
    return parts(TENANT_KEY, *(part.encode() for name in sorted(context) for part in (name, context[name])))
