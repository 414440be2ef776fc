"""The rows behind tokens: issuing one, finding it again for a value, vouching for where it points, spending it."""

import os
from hmac import compare_digest
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from sayso.kernel import Instant, Tx, Values, Work
from vault import store
from vault.ciphers.index import TokenKeys, row_message
from vault.ciphers.suite import BrokenSeal
from vault.keys.wrapped import DataKey
from vault.tokens import shapes
from vault.tokens.terms import PLAIN, TokenTerms
from vault.tokens.token import is_token, new_token, written

COLLECTION = "token"
"""Stands in the associated data of the token that is kept for re-issue. No declared collection can write there: this
blob's field is a tag in hex, and its version is 0."""

SHAPED: Final = b"\0"
"""Stands before a token of another shape where the sixteen random bytes of a plain one would be."""

_FIRST: Final = 1
_LONG_AGO: Final = Instant(1)
"""The end of a token whose uses are spent."""

_TIDIED: Final = 500


class Row(Struct, frozen=True, gc=False):
    """What a token points at, and how long and how often it still does. `uses` 0: as often as wanted."""

    subject: bytes
    collection: str
    field: str
    audience: str
    at: Instant
    key_version: int
    mac: bytes
    version: int
    ends_at: Instant
    uses: int

    @property
    def values(self) -> Values:
        return tuple(getattr(self, name) for name in self.__struct_fields__)


def fingerprint_of(secrets: TokenKeys, token: str | None) -> bytes:
    """The key of a token's row. A text that is no token (None) has one as well, of a token that does not exist."""
    return secrets.fingerprint((token or new_token()).encode())


def token_in(text: str) -> str | None:
    """The token that a text is, None when it is none: whoever mistyped one learns that before anything is read."""
    return text if is_token(text) else shapes.read(text)


def issue(
    tx: Tx,
    secrets: TokenKeys,
    key: DataKey,
    tag: bytes,
    collection: str,
    field: str,
    audience: str,
    terms: TokenTerms,
) -> str:
    """A new token for a person's field; `tag` will find it again, unless it is one that ends by itself."""
    drawn = os.urandom(16) if terms.shape == PLAIN else None
    token = written(drawn) if drawn is not None else shapes.drawn(terms.shape)
    fingerprint = secrets.fingerprint(token.encode())
    at = tx.context.at
    ends_at = terms.ends(at)
    row = Row(key.owner, collection, field, audience, at, secrets.version, b"", _FIRST, ends_at, terms.uses)
    tx.insert(store.TOKEN, fingerprint, *_vouched_for(secrets, tx.context.tenant, fingerprint, row).values)
    if terms.limited:
        # Nothing gives it out again, so nothing of it is kept but where it points; this finds it for an erasure.
        tx.insert(store.TOKEN_OF, key.owner, fingerprint, collection, field, fingerprint, b"")
        tx.insert(store.TOKEN_END, ends_at, fingerprint)
        return token
    blob = key.seal(COLLECTION, tag.hex(), SHAPED + token.encode() if drawn is None else drawn)
    tx.insert(store.TOKEN_OF, key.owner, tag, collection, field, fingerprint, blob)
    return token


def reopened(key: DataKey, tag: bytes, row: tuple[Any, ...]) -> str:
    """The token issued before. Raises `BrokenSeal` when its row was tampered with."""
    drawn = key.open(COLLECTION, tag.hex(), row[-1])
    if drawn.startswith(SHAPED) and len(drawn) > 16:
        return drawn[1:].decode()
    if len(drawn) != 16:
        raise BrokenSeal
    return written(drawn)


def vouched(secrets: TokenKeys, tenant: str, fingerprint: bytes, values: Values) -> Row | None:
    """The row, if it is as it was issued. Somebody who can write the table cannot point a token elsewhere."""
    row = Row(*values)
    if row.key_version != secrets.version or not (0 <= row.uses < 1 << 16 and 0 <= row.ends_at < 1 << 62):
        return None
    return row if compare_digest(_mac(secrets, tenant, fingerprint, row), row.mac) else None


def ended(row: Row, at: Instant) -> bool:
    """Whether its time or its uses are over."""
    return 0 < row.ends_at <= at


def spent_here(tx: Tx, fingerprint: bytes) -> bool:
    """Whether this very unit took a use off the token: it is not read again in between, so it counts for one."""
    get = tx.get(store.TOKEN, fingerprint)
    return any(put == get for put, _, _ in tx.puts)


def spend(tx: Tx, secrets: TokenKeys, fingerprint: bytes, row: Row) -> None:
    """Take one use off a token that has only so many. Two that race for the last one cannot both commit."""
    if not row.uses:
        return
    left = row.uses - 1
    fewer = replace(row, version=row.version + 1, ends_at=row.ends_at if left else _LONG_AGO, uses=left)
    spent = _vouched_for(secrets, tx.context.tenant, fingerprint, fewer)
    tx.put(store.TOKEN, (fingerprint,), spent.values, was=row.values)


def tidy(tx: Tx) -> Work[int]:
    """Delete tokens whose time is over, some at a time; returns how many. Cold."""
    (rows,) = yield (tx.select(store.tokens_ended(tx.context.at, _TIDIED)),)
    found = yield tuple(tx.get(store.TOKEN, bytes(fingerprint)) for _, fingerprint in rows)
    for (ends_at, fingerprint), row in zip(rows, found, strict=True):
        tx.delete(store.TOKEN_END, ends_at, bytes(fingerprint))
        if row is not None:
            tx.delete(store.TOKEN, bytes(fingerprint))
            tx.delete(store.TOKEN_OF, bytes(row[0]), bytes(fingerprint))
    return len(rows)


def _vouched_for(secrets: TokenKeys, tenant: str, fingerprint: bytes, row: Row) -> Row:
    return replace(row, mac=_mac(secrets, tenant, fingerprint, row))


def _mac(secrets: TokenKeys, tenant: str, fingerprint: bytes, row: Row) -> bytes:
    message = row_message(tenant, fingerprint, row.subject, row.collection, row.field, row.audience, row.at)
    if row.ends_at or row.uses:
        # Behind a message of known length, so that no row without limits has the same one.
        message += row.ends_at.to_bytes(8, "big") + row.uses.to_bytes(2, "big")
    return secrets.row_mac(message)
