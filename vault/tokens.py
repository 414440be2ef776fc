"""The rows behind tokens: issuing one, finding it again for the same value, and vouching for where it points."""

from hmac import compare_digest
from typing import Any

from sayso.kernel import Tx
from vault import store
from vault.index import TokenKeys, row_message
from vault.keys import DataKey
from vault.suite import BrokenSeal
from vault.token import drawn_from, new_token, written

COLLECTION = "token"
"""Stands in the associated data of the token that is kept for re-issue. No declared collection can write there: this
blob's field is a tag in hex, and its version is 0."""


def fingerprint_of(secrets: TokenKeys, token: str) -> bytes:
    """The key of a token's row. A text that is no token has one as well, of a token that does not exist."""
    return secrets.fingerprint((token if drawn_from(token) is not None else new_token()).encode())


def issue(tx: Tx, secrets: TokenKeys, key: DataKey, tag: bytes, collection: str, field: str, audience: str) -> str:
    """A new token for a person's field; `tag` will find it again."""
    token = new_token()
    fingerprint = secrets.fingerprint(token.encode())
    at = tx.context.at
    mac = secrets.row_mac(row_message(tx.context.tenant, fingerprint, key.owner, collection, field, audience, at))
    tx.insert(store.TOKEN, fingerprint, key.owner, collection, field, audience, at, secrets.version, mac)
    drawn = drawn_from(token)
    assert drawn is not None
    blob = key.seal(COLLECTION, tag.hex(), drawn)
    tx.insert(store.TOKEN_OF, key.owner, tag, collection, field, fingerprint, blob)
    return token


def reopened(key: DataKey, tag: bytes, row: tuple[Any, ...]) -> str:
    """The token issued before. Raises `BrokenSeal` when its row was tampered with."""
    drawn = key.open(COLLECTION, tag.hex(), row[-1])
    if len(drawn) != 16:
        raise BrokenSeal
    return written(drawn)


def vouched(secrets: TokenKeys, tenant: str, fingerprint: bytes, row: tuple[Any, ...]) -> bool:
    """Whether the row is as it was issued. Somebody who can write the table cannot point a token elsewhere."""
    subject, collection, field, audience, at, key_version, mac = row
    if key_version != secrets.version:
        return False
    message = row_message(tenant, fingerprint, subject, collection, field, audience, at)
    return compare_digest(secrets.row_mac(message), mac)
