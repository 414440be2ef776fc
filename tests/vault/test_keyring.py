"""The key hierarchy on real databases: founding a tenant, loading it, and what other packages get from it."""

import base64
import json
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import update

from sayso.kernel import TENANT_OWNER, Context, Indexer, Sealer, Signer, Tx, Work, new_raw
from tests.builders.vault import House, a_keyring, change, rows_of
from vault import BrokenSeal, Keyring, UnknownTenant, WrongRootKey
from vault.tables import vault_epoch, vault_index_key, vault_signing_key, vault_standing_key

USES = ("log", "receipt", "certificate")


async def again(house: House) -> Keyring:
    """The same keys in another process."""
    keyring = Keyring(house.keyring.provider)
    await house.database.look(house.context(), keyring.load)
    return keyring


async def key_of(house: House, keyring: Keyring, owner: bytes, cls: str = "log"):
    def unit(tx: Tx) -> Work[object]:
        (row,) = yield (keyring.read(tx, owner, cls),)
        return keyring.unwrap(tx.context.tenant, owner, cls, row)

    return await house.database.look(house.context(), unit)


def test_it_is_what_the_kernel_asks_for(tmp_path) -> None:
    keyring = a_keyring(tmp_path / "keys")
    sealer: Sealer = keyring
    indexer: Indexer = keyring
    signer: Signer = keyring
    assert (sealer, indexer, signer) == (keyring, keyring, keyring)


async def test_a_person_has_a_key_that_every_node_can_unwrap(house: House) -> None:
    subject = await house.person()
    one, other = await key_of(house, house.keyring, subject), await key_of(house, await again(house), subject)
    assert other.open("audit", "x", one.seal("audit", "x", b"value")) == b"value"
    assert one.derive("tag") == other.derive("tag")
    assert (one.owner, one.version) == (subject, 1)
    assert await key_of(house, house.keyring, new_raw()) is None
    assert await key_of(house, house.keyring, subject, "data") is None


async def test_founding_twice_keeps_the_first_keys(house: House) -> None:
    before = house.keyring.public_key("default", "log")
    await house.open()
    assert house.keyring.public_key("default", "log") == before


async def test_everyone_without_a_key_of_their_own_has_the_tenants(house: House) -> None:
    client = new_raw()
    standing = house.keyring.standing
    assert standing("default", client).owner == TENANT_OWNER
    await house.database.run_alone(house.context(), lambda tx: house.keyring.provision(tx, client))
    await house.database.run_alone(house.context(), lambda tx: house.keyring.provision(tx, client))
    assert standing("default", client).owner == TENANT_OWNER, "in force only once it is loaded"
    await house.open()
    assert standing("default", client).owner == client
    sealed = standing("default", client).seal("audit", "e/a", b"who")
    assert (await again(house)).standing("default", client).open("audit", "e/a", sealed) == b"who"


async def test_tags_find_equal_values_and_nothing_else(house: House) -> None:
    tag = house.keyring.tag
    assert tag("default", "email", "Ada@Example.org") == tag("default", "email", "ada@example.org")
    assert len(tag("default", "email", "ada@example.org")) == 16
    unrelated = {
        tag("default", "email", "ada@example.org"),
        tag("default", "email", "bob@example.org"),
        tag("default", "customer_id", "ada@example.org"),
        tag("default", "email", "ada@example.org", scope="suppression"),
    }
    assert len(unrelated) == 4
    assert (await again(house)).tag("default", "email", "ada@example.org") in unrelated


async def test_signatures_verify_under_the_key_of_their_use_only(house: House) -> None:
    keyring = house.keyring
    publics = {use: keyring.public_key("default", use) for use in USES}
    assert len(set(publics.values())) == 3
    for use in USES:
        signature = keyring.sign("default", use, b"message")
        Ed25519PublicKey.from_public_bytes(publics[use]).verify(signature, b"message")
        for other in set(USES) - {use}:
            with pytest.raises(InvalidSignature):
                Ed25519PublicKey.from_public_bytes(publics[other]).verify(signature, b"message")
        assert (await again(house)).sign("default", use, b"message") == signature


async def test_a_key_id_is_the_thumbprint_of_rfc_7638(house: House) -> None:
    public = house.keyring.public_key("default", "receipt")
    member = base64.urlsafe_b64encode(public).decode().rstrip("=")
    jwk = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": member}, separators=(",", ":"), sort_keys=True)
    kid = base64.urlsafe_b64encode(sha256(jwk.encode()).digest()).decode().rstrip("=")
    assert house.keyring.kid("default", "receipt") == kid
    assert house.keyring.published("default", "receipt") == ((kid, public),)


async def test_two_tenants_share_nothing(house: House) -> None:
    other = Context("other", house.actor, house.context().at, "req")
    await house.database.run_alone(other, house.keyring.found)
    await house.database.look(other, house.keyring.load)
    keyring = house.keyring
    assert keyring.tag("default", "email", "ada@example.org") != keyring.tag("other", "email", "ada@example.org")
    assert keyring.public_key("default", "log") != keyring.public_key("other", "log")
    sealed = keyring.standing("default", TENANT_OWNER).seal("c", "f", b"value")
    with pytest.raises(BrokenSeal):
        keyring.standing("other", TENANT_OWNER).open("c", "f", sealed)


async def test_a_tenant_that_was_never_founded_is_unknown(house: House) -> None:
    with pytest.raises(UnknownTenant):
        await house.database.look(Context("nobody", house.actor, house.context().at, "req"), house.keyring.load)
    with pytest.raises(UnknownTenant):
        house.keyring.tag("nobody", "email", "ada@example.org")
    house.keyring.forget("default")
    with pytest.raises(UnknownTenant):
        house.keyring.standing("default", TENANT_OWNER)


async def test_another_root_key_is_named_and_refused(house: House, tmp_path) -> None:
    keyring = a_keyring(tmp_path / "other-keys")
    with pytest.raises(WrongRootKey) as caught:
        await house.database.look(house.context(), keyring.load)
    assert house.keyring.provider.describe().key in str(caught.value)
    assert keyring.provider.describe().key in str(caught.value)


async def test_a_tampered_key_row_stops_the_start_and_leaves_what_was_loaded(house: House) -> None:
    before = house.keyring.of("default")
    for table in (vault_standing_key, vault_signing_key, vault_index_key, vault_epoch):
        for column, changed in (("commitment", bytes(16)), ("wrapped", bytes(61))):
            c = table.c[column]
            rows = await rows_of(house, table)
            await house.cold(
                lambda tx, table=table, c=c, changed=changed: tx.execute(update(table).values({c: changed}))
            )
            with pytest.raises(BrokenSeal):
                await house.database.look(house.context(), house.keyring.load)
            assert house.keyring.of("default") is before
            for row in rows:
                await change(house, table, row, **{column: row[column]})
    await house.database.look(house.context(), house.keyring.load)
    assert house.keyring.of("default") is not before


async def test_keys_swapped_between_their_uses_do_not_load(house: House) -> None:
    c = vault_signing_key.c

    def unit(tx: Tx) -> Work[list[tuple[bytes, bytes]]]:
        from sqlalchemy import select

        (rows,) = yield (tx.select(select(c.wrapped, c.commitment).where(c.purpose == "log")),)
        return rows

    ((wrapped, commitment),) = await house.database.look(house.context(), unit)
    changed = update(vault_signing_key).where(c.purpose == "receipt").values(wrapped=wrapped, commitment=commitment)
    await house.cold(lambda tx: tx.execute(changed))
    with pytest.raises(BrokenSeal):
        await house.database.look(house.context(), house.keyring.load)
