"""The stored formats, as files. These must open and compare equal in every later release: the data is out there."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from vault import SealedFile, Suite, canonical, thumbprint
from vault.ciphers import aad, blob
from vault.ciphers.derive import commitment, expand
from vault.ciphers.index import IndexKeys, TokenKeys, row_message
from vault.ciphers.signing import SigningKey
from vault.keys.wrapped import DataKey, WrappingKey
from vault.providers.root import FILE
from vault.tokens import token

GOLDEN = json.loads((Path(__file__).parents[1] / "vectors" / "vault" / "golden.json").read_text("utf-8"))
INPUTS = GOLDEN["inputs"]
KEY, KEK, ROOT, OWNER = (bytes.fromhex(INPUTS[name]) for name in ("data_key", "tenant_key", "root", "owner"))
TENANT = INPUTS["tenant"]


def a_key(suite: int = 1) -> DataKey:
    return DataKey(TENANT, OWNER, "data", 1, KEY, Suite(suite))


def test_the_file_is_the_one_that_was_released() -> None:
    content = (Path(__file__).parents[1] / "vectors" / "vault" / "golden.json").read_bytes()
    assert sha256(content).hexdigest() == "8900d4fe7a227a7e83e8f36ab3b5aef92b77a5be231e262db02032c750d22fe3"


def test_derived_keys_stay() -> None:
    assert commitment(KEY).hex() == GOLDEN["derive"]["commitment"]
    assert a_key().derive("audit").hex() == GOLDEN["derive"]["audit"]


def test_associated_data_stays() -> None:
    context = {"tenant": TENANT, "epoch": "3", "provider": "sealed-file", "root": "0011223344556677"}
    assert {
        "field": aad.field(TENANT, "customers", OWNER, "email", 1, 7).hex(),
        "data_key": aad.data_key(TENANT, OWNER, "data", 1, 3).hex(),
        "secret": aad.secret(TENANT, "index", 1, 3).hex(),
        "tenant_key": aad.tenant_key(context).hex(),
    } == GOLDEN["aad"]


@pytest.mark.parametrize("case", GOLDEN["blobs"])
def test_blobs_open_and_are_made_the_same(case: dict[str, Any]) -> None:
    suite, version, value = Suite(case["suite"]), case["value_version"], case["value"].encode()
    stored = bytes.fromhex(case["blob"])
    assert a_key(case["suite"]).open(case["collection"], case["field"], stored, version) == value
    bound_to = aad.field(TENANT, case["collection"], OWNER, case["field"], 1, version)
    cipher = suite.cipher(expand(KEY, b"encrypt" + bytes((suite,))))
    head, nonce = blob.head_of(suite, 1), bytes.fromhex(case["nonce"])
    assert blob.seal(cipher, head, bound_to, value, case["bucket"], nonce) == stored


@pytest.mark.parametrize("case", GOLDEN["wrapped"])
def test_wrapped_keys_open(case: dict[str, Any]) -> None:
    wrapping = WrappingKey(KEK, Suite.GCM_SIV)
    bound_to = aad.data_key(TENANT, OWNER, case["cls"], case["version"], case["epoch"])
    assert wrapping.unwrap(bytes.fromhex(case["wrapped"]), bound_to, commitment(KEY)) == KEY


@pytest.mark.parametrize("case", GOLDEN["tags"])
def test_tags_stay(case: dict[str, Any]) -> None:
    assert canonical(case["kind"], case["value"]) == case["canonical"]
    assert IndexKeys(ROOT, 1).tag(case["scope"], case["name"], case["kind"], case["value"]).hex() == case["tag"]


@pytest.mark.parametrize("case", GOLDEN["tokens"])
def test_tokens_and_fingerprints_stay(case: dict[str, Any]) -> None:
    drawn = bytes.fromhex(case["drawn"])
    assert token.written(drawn) == case["token"]
    assert token.is_token(case["token"])
    assert TokenKeys(ROOT, 1).fingerprint(case["token"].encode()).hex() == case["fingerprint"]


def test_the_mac_of_a_token_row_stays() -> None:
    row = GOLDEN["token_rows"]
    fingerprint = bytes.fromhex(row["fingerprint"])
    message = row_message(TENANT, fingerprint, OWNER, row["collection"], row["field"], row["audience"], row["at"])
    assert TokenKeys(ROOT, 1).row_mac(message).hex() == row["mac"]


def test_signing_keys_stay() -> None:
    case = GOLDEN["signing"]
    key = SigningKey(bytes.fromhex(case["seed"]))
    assert (key.public.hex(), key.kid, key.sign(b"").hex()) == (case["public"], case["kid"], case["signature_of_empty"])


def test_the_thumbprint_is_that_of_rfc_8037() -> None:
    # RFC 8037, appendices A.2 and A.3.
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert thumbprint(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("case", GOLDEN["root_files"])
def test_root_key_files_open(case: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    (folder / FILE).touch(mode=0o600)
    (folder / FILE).write_text(case["content"])
    provider = SealedFile.open(folder, case["passphrase"].encode() if case["passphrase"] else None)
    assert provider.describe().key == expand(ROOT, b"name")[:8].hex()
