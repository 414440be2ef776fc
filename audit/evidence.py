"""Checks single pieces of evidence: a receipt or certificate (compact JWS), an entry's log proof, or one with the
other.

Accepted as content: the JWS alone; the JWS, a newline, and tlog-proof text; tlog-proof text alone; and the JSON that
our API answers with, of which `receipt` (or `certificate`) and `proof` are read.
"""

from typing import Any

import msgspec

from audit.findings import Broken, Unusable
from audit.jws import Jws
from audit.merkle import ProofInvalid
from audit.note import SignatureInvalid, VerifierKey
from audit.proof import HEADER, TlogProof, unpack_extra
from audit.strict import Malformed, utf8
from audit.trust import Trust

_PROOF_MARKS = (HEADER.encode()[:17], b"\nindex ")
_SHORTEST_JWS = 100


class _Answer(msgspec.Struct, frozen=True):
    receipt: str | None = None
    certificate: str | None = None
    proof: str | None = None


class _Named(msgspec.Struct, frozen=True):
    """The member of a leaf that a receipt names."""

    id: str = ""
    org: str = ""
    type: str = ""
    ts: int = 0


def check_evidence(raw: bytes, trust: Trust | None) -> list[str]:
    """Lines that say what holds. Raises `Broken`, or `Unusable` when it is no evidence of a known kind."""
    jws, proof = _kind(raw)
    lines: list[str] = []
    entry = None
    if jws is not None:
        signed = _checked_jws(jws, trust)
        entry = entry_of(signed.claims)
        lines += _told(signed)
        proof = proof or _inner_proof(signed.claims)
    if proof is not None:
        lines += _checked_proof(proof, trust, entry, bound=jws is not None)
    elif entry is not None:
        lines.append(f"entry {entry} is named; no log proof came with it, so the log was not consulted")
    return lines


def entry_of(claims: dict[str, Any]) -> str | None:
    """The log entry that a receipt or certificate names."""
    for body in (claims.get("receipt"), claims.get("certificate"), claims):
        if isinstance(body, dict) and isinstance(body.get("entry"), str):
            return str(body["entry"])
    return None


def _inner_proof(claims: dict[str, Any]) -> bytes | None:
    """A log proof that stands inside the signed claims."""
    for body in (claims.get("certificate"), claims.get("receipt"), claims):
        if isinstance(body, dict) and isinstance(body.get("proof"), str):
            return str(body["proof"]).encode()
    return None


def _kind(raw: bytes) -> tuple[str | None, bytes | None]:
    """The JWS and the proof in a file, told by content."""
    if raw.lstrip().startswith(b"{"):
        return _from_answer(raw)
    if any(mark in raw.split(b"\n\n")[0] for mark in _PROOF_MARKS) and b"." not in raw.split(b"\n")[0].split(b"/")[-1]:
        return None, raw
    first, newline, rest = raw.partition(b"\n")
    if len(first) < _SHORTEST_JWS or b"." not in first or b" " in first:
        raise Unusable("neither a tile directory, nor a receipt, a certificate or a log proof")
    try:
        return utf8(first, "the JWS"), rest.lstrip(b"\n") or None if newline else None
    except Malformed as error:
        raise Broken(str(error)) from error


def _from_answer(raw: bytes) -> tuple[str | None, bytes | None]:
    try:
        answer = msgspec.json.decode(raw, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unusable("JSON that is no answer with a receipt, a certificate or a proof") from error
    jws = answer.receipt or answer.certificate
    if jws is None and answer.proof is None:
        raise Unusable("JSON without a receipt, a certificate or a proof")
    return jws, answer.proof.encode() if answer.proof is not None else None


def _checked_jws(text: str, trust: Trust | None) -> Jws:
    try:
        jws = Jws.parse(text)
        key = jws.public_key if trust is None else trust.signers.get(jws.kid)
        if key is None:
            raise Broken("the signing key is not in the trust file")
        jws.verify(key)
    except (Malformed, SignatureInvalid) as error:
        raise Broken(str(error)) from error
    return jws


def _told(jws: Jws) -> list[str]:
    kind = "certificate" if "certificate" in jws.claims or "certificate" in jws.typ else "receipt"
    told = {name: jws.claims.get(name) for name in ("jti", "iss", "iat")}
    return [f"{kind} signed by key {jws.kid}", *(f"{name} {value}" for name, value in told.items() if value)]


def _checked_proof(raw: bytes, trust: Trust | None, entry: str | None, *, bound: bool) -> list[str]:
    try:
        proof = TlogProof.parse(raw)
        carried, leaf = unpack_extra(proof.extra)
        keys: list[VerifierKey] = [carried] if trust is None else list(trust.logs)
        checkpoint = proof.verify(leaf, keys)
    except (Malformed, SignatureInvalid, ProofInvalid) as error:
        raise Broken(f"log proof: {error}") from error
    try:
        named = msgspec.json.decode(leaf, type=_Named)
    except msgspec.DecodeError:
        named = _Named()
    if bound and (entry is None or named.id != entry):
        raise Broken("the log proof is of another entry than the one that was signed", index=proof.index)
    return [
        f"entry {named.id or '(not ours)'} {named.type} stands at index {proof.index}",
        f"log {checkpoint.origin}, size {checkpoint.size}, signed by {carried.line}",
    ]
