"""The tokens of a person that a client may present: what it is told of the person by."""

from sayso.kernel import Tx, Work, bucket_of
from vault import store
from vault.fields.collections import Collections
from vault.keys import wear
from vault.keys.keyring import Keyring
from vault.opening.reveal import ANY
from vault.tokens.rows import reopened, vouched


def tokens_for(
    keyring: Keyring, tx: Tx, collections: Collections, subject: bytes, audience: str
) -> Work[dict[str, list[str]]]:
    """See `Vault.tokens`."""
    tenant = tx.context.tenant
    (rows,) = yield (tx.query(store.TOKENS_OF, bucket=bucket_of(tenant, subject), subject=subject),)
    known = [row for row in rows if row[1] in collections and row[2] in collections[row[1]].fields]
    if not known:
        return {}
    classes = sorted({collections[row[1]].fields[row[2]].retention for row in known})
    found = yield (
        *(keyring.read(tx, subject, cls) for cls in classes),
        *(tx.get(store.TOKEN, bytes(row[3])) for row in known),
    )
    keys = {cls: keyring.unwrap(tenant, subject, cls, row) for cls, row in zip(classes, found, strict=False)}
    yield from wear.settled(keyring, tx, *keys.values())
    secrets = keyring.of(tenant).token
    held: dict[str, list[str]] = {}
    for row, token in zip(known, found[len(classes) :], strict=True):
        key = keys[collections[row[1]].fields[row[2]].retention]
        # One that ends by itself is its holder's alone: only who was given it may spend it.
        if key is None or token is None or not row[4]:
            continue
        stands = vouched(secrets, tenant, bytes(row[3]), token)
        if stands is not None and stands.audience in (ANY, audience):
            held.setdefault(f"{row[1]}.{row[2]}", []).append(reopened(key, bytes(row[0]), row))
    return held
