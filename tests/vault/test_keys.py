"""Data keys, wrapping keys, and the blobs made under them."""

import os
import pickle
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from vault import BrokenSeal, Suite
from vault.ciphers import blob
from vault.ciphers.derive import commitment, expand, hmac_sha256
from vault.keys.wrapped import WRAPPED_BYTES, DataKey, WrappingKey

KEY = sha256(b"a key").digest()
OWNER = bytes(range(16))
BUCKETS = st.sampled_from([32, 64, 256, 4096])


def a_key(
    owner: bytes = OWNER, *, tenant: str = "default", version: int = 1, suite: Suite = Suite.GCM_SIV, key: bytes = KEY
) -> DataKey:
    return DataKey(tenant, owner, "data", version, key, suite)


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_our_hmac_is_the_standard_one(key: bytes, message: bytes) -> None:
    import hmac

    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_our_expansion_is_the_first_block_of_hkdf(key: bytes, label: bytes) -> None:
    assert expand(key, label) == HKDFExpand(SHA256(), 32, label).derive(key)


@given(st.binary(max_size=300), BUCKETS)
def test_padding_comes_off_and_fills_the_bucket(value: bytes, bucket: int) -> None:
    padded = blob.pad(value, bucket)
    assert len(padded) % bucket == 0
    assert len(padded) > len(value)
    assert blob.unpad(padded) == value


@given(st.binary(max_size=96), st.binary(max_size=96))
def test_no_two_values_are_padded_alike(one: bytes, other: bytes) -> None:
    assert (blob.pad(one) == blob.pad(other)) == (one == other)


@pytest.mark.parametrize("padded", [b"", bytes(32), b"\x80" + bytes(30), b"x" * 32, b"x" * 31 + b"\x81"])
def test_what_was_never_padded_is_refused(padded: bytes) -> None:
    with pytest.raises(BrokenSeal):
        blob.unpad(padded)


@pytest.mark.parametrize(("values", "length"), [(["", "no", "yes", "x" * 31], 65), (["x" * 32, "x" * 63], 97)])
def test_a_blob_hides_how_long_its_value_is(values: list[str], length: int) -> None:
    assert {len(a_key().seal("c", "f", value.encode())) for value in values} == {length}


@pytest.mark.parametrize("suite", Suite)
@given(value=st.binary(max_size=200), version=st.integers(0, 2**64 - 1), bucket=BUCKETS)
def test_what_is_sealed_opens(suite: Suite, value: bytes, version: int, bucket: int) -> None:
    sealed = a_key(suite=suite).seal("customers", "email", value, version, bucket)
    assert a_key(suite=suite).open("customers", "email", sealed, version) == value


def test_a_key_opens_blobs_of_both_suites() -> None:
    for ours, theirs in ((Suite.GCM, Suite.GCM_SIV), (Suite.GCM_SIV, Suite.GCM)):
        sealed = a_key(suite=theirs).seal("c", "f", b"value")
        assert a_key(suite=ours).open("c", "f", sealed) == b"value"


@pytest.mark.parametrize("suite", Suite)
def test_a_flip_in_any_byte_of_a_blob_is_noticed(suite: Suite) -> None:
    sealed = a_key(suite=suite).seal("customers", "email", b"ada@example.org", 7)
    for place in range(len(sealed)):
        for bit in (0x01, 0x02, 0x80):
            changed = bytearray(sealed)
            changed[place] ^= bit
            with pytest.raises(BrokenSeal):
                a_key(suite=suite).open("customers", "email", bytes(changed), 7)


@pytest.mark.parametrize("length", range(66))
def test_a_blob_cut_short_does_not_open(length: int) -> None:
    sealed = a_key().seal("c", "f", b"value")
    if length < len(sealed):
        with pytest.raises(BrokenSeal):
            a_key().open("c", "f", sealed[:length])


def test_a_blob_opens_nowhere_but_where_it_was_sealed() -> None:
    sealed = a_key().seal("customers", "email", b"ada@example.org", 7)
    elsewhere = [
        (a_key(tenant="other"), "customers", "email", 7),
        (a_key(OWNER[::-1]), "customers", "email", 7),
        (a_key(version=2), "customers", "email", 7),
        (a_key(key=bytes(32)), "customers", "email", 7),
        (a_key(), "partners", "email", 7),
        (a_key(), "customers", "phone", 7),
        (a_key(), "customers", "email", 6),
        (a_key(), "customersemail", "", 7),
    ]
    for key, collection, field, version in elsewhere:
        with pytest.raises(BrokenSeal):
            key.open(collection, field, sealed, version)


def test_the_same_value_is_never_sealed_alike() -> None:
    key = a_key()
    sealed = [key.seal("c", "f", b"value") for _ in range(100_000)]
    assert len({one[5:17] for one in sealed}) == len(sealed), "a nonce came twice"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of any fork
def test_a_child_process_draws_nonces_of_its_own() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(a_key().seal("c", "f", b"")[5:17] for _ in range(200)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 200 * 12)
    ours = {a_key().seal("c", "f", b"")[5:17] for _ in range(200)}
    assert len(theirs) == 2400
    assert ours.isdisjoint(theirs[place : place + 12] for place in range(0, 2400, 12))


def test_labels_lead_to_unrelated_keys() -> None:
    key = a_key()
    derived = {key.derive(label) for label in ("commit", "encrypt\x01", "wrap\x01", "audit", "")}
    reserved = {expand(KEY, b"commit"), expand(KEY, b"encrypt\x01"), expand(KEY, b"encrypt\x02"), KEY}
    assert len(derived) == 5
    assert derived.isdisjoint(reserved)


@pytest.mark.parametrize("suite", Suite)
def test_a_wrapped_key_comes_back(suite: Suite) -> None:
    wrapping = WrappingKey(bytes(32), suite)
    wrapped = wrapping.wrap(KEY, b"bound")
    assert len(wrapped) == WRAPPED_BYTES
    assert wrapping.unwrap(wrapped, b"bound", commitment(KEY)) == KEY
    assert WrappingKey(bytes(32), Suite.GCM).unwrap(wrapped, b"bound", commitment(KEY)) == KEY


def test_a_flip_in_any_byte_of_a_wrapped_key_is_noticed() -> None:
    wrapping = WrappingKey(bytes(32), Suite.GCM_SIV)
    wrapped = wrapping.wrap(KEY, b"bound")
    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        with pytest.raises(BrokenSeal):
            wrapping.unwrap(bytes(changed), b"bound", commitment(KEY))
    for place in range(16):
        committed = bytearray(commitment(KEY))
        committed[place] ^= 1
        with pytest.raises(BrokenSeal):
            wrapping.unwrap(wrapped, b"bound", bytes(committed))
    for other in (wrapped[:-1], wrapped + b"\0", b""):
        with pytest.raises(BrokenSeal):
            wrapping.unwrap(other, b"bound", commitment(KEY))
    with pytest.raises(BrokenSeal):
        wrapping.unwrap(wrapped, b"elsewhere", commitment(KEY))
    with pytest.raises(BrokenSeal):
        WrappingKey(KEY, Suite.GCM_SIV).unwrap(wrapped, b"bound", commitment(KEY))


@pytest.mark.parametrize("secret", [a_key(), WrappingKey(KEY, Suite.GCM_SIV)])
def test_a_key_shows_itself_nowhere(secret: object) -> None:
    assert KEY.hex() not in repr(secret)
    assert repr(KEY) not in repr(secret)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(secret)
