"""The two ciphers against published vectors, and what they refuse."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault import BrokenSeal, Suite

RFC8452 = json.loads((Path(__file__).parents[1] / "vectors" / "vault" / "rfc8452.json").read_text())["vectors"]

# NIST SP 800-38D as in "The Galois/Counter Mode of Operation" (McGrew, Viega), test cases 13 to 16: 256-bit keys.
GCM = [
    ("00" * 32, "00" * 12, "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
    ("00" * 32, "00" * 12, "", "00" * 16, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
    (
        "feffe9928665731c6d6a8f9467308308" * 2,
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
        "b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
        "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    ),
]


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize("vector", RFC8452)
def test_gcm_siv_gives_what_rfc_8452_says(vector: dict[str, str]) -> None:
    key, nonce, aad = octets(vector["key"]), octets(vector["nonce"]), octets(vector["aad"])
    plaintext, result = octets(vector["plaintext"]), octets(vector["result"])
    assert Suite.GCM_SIV.seal(key, nonce, aad, plaintext) == result
    assert Suite.GCM_SIV.open(key, nonce, aad, result) == plaintext


@pytest.mark.parametrize(("key", "nonce", "aad", "plaintext", "result"), GCM)
def test_gcm_gives_what_its_specification_says(key: str, nonce: str, aad: str, plaintext: str, result: str) -> None:
    arguments = (octets(key), octets(nonce), octets(aad))
    assert Suite.GCM.seal(*arguments, octets(plaintext)) == octets(result)
    assert Suite.GCM.open(*arguments, octets(result)) == octets(plaintext)


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("length", [0, 8, 11, 13, 16])
def test_only_nonces_of_96_bits_are_taken(suite: Suite, length: int) -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        suite.seal(bytes(32), bytes(length), b"", b"")
    with pytest.raises(ValueError, match="12 bytes"):
        suite.open(bytes(32), bytes(length), b"", bytes(16))


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_only_keys_of_256_bits_are_taken(suite: Suite, length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        suite.cipher(bytes(length))


@pytest.mark.parametrize("suite", Suite)
@given(message=st.binary(max_size=80), flip=st.integers(0))
def test_a_flipped_bit_anywhere_does_not_open(suite: Suite, message: bytes, flip: int) -> None:
    sealed = bytearray(suite.seal(bytes(32), bytes(12), b"bound", message))
    bit = flip % (len(sealed) * 8)
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BrokenSeal):
        suite.open(bytes(32), bytes(12), b"bound", bytes(sealed))


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("length", range(17))
def test_what_is_too_short_does_not_open(suite: Suite, length: int) -> None:
    with pytest.raises(BrokenSeal):
        suite.open(bytes(32), bytes(12), b"", bytes(length))
