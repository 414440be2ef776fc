"""The offline verifier: no database, no server, no network. Body of `sayso audit verify PATH [--trust FILE]`.

Needs the standard library, cryptography and msgspec, and of ours only the pure format files beside it.
"""

from pathlib import Path

from audit.evidence import check_evidence
from audit.findings import BROKEN, KEY_NOT_CHECKED, SOUND, UNUSABLE, Broken, Unusable, Verdict
from audit.strict import Malformed
from audit.tiledir import check_directory, is_tile_directory
from audit.trust import Trust, read_trust

__all__ = ["BROKEN", "SOUND", "UNUSABLE", "Verdict", "verify"]

_EVIDENCE_LIMIT = 16 << 20


def verify(path: str | Path, trust: str | Path | None = None) -> Verdict:
    """Judge a tile directory, receipt, certificate or log proof; its kind is told by content.

    `trust` is a file of keys learnt elsewhere. Without it signatures are checked against the key that the input itself
    carries, and the report's first line says so. Never raises for what it reads: everything ends in a verdict.
    """
    try:
        keys = _trusted(trust)
    except Unusable as error:
        return Verdict(UNUSABLE, (f"UNUSABLE: {error}",))
    head = () if keys is not None else (KEY_NOT_CHECKED,)
    try:
        lines = _check(Path(path), keys)
    except Broken as error:
        return Verdict(BROKEN, (*head, f"BROKEN: {error}"), error.index, error.place)
    except Unusable as error:
        return Verdict(UNUSABLE, (*head, f"UNUSABLE: {error}"))
    return Verdict(SOUND, (*head, *lines, "SOUND"))


def _check(path: Path, trust: Trust | None) -> list[str]:
    try:
        if path.is_dir():
            if not is_tile_directory(path):
                raise Unusable("a folder that is no tile directory")
            return check_directory(path, trust)
        if path.stat().st_size > _EVIDENCE_LIMIT:
            raise Unusable("a file too large for a receipt or a proof")
        return check_evidence(path.read_bytes(), trust)
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}") from error


def _trusted(trust: str | Path | None) -> Trust | None:
    if trust is None:
        return None
    try:
        return read_trust(Path(trust).read_bytes())
    except OSError as error:
        raise Unusable(f"the trust file cannot be read: {error.strerror}") from error
    except Malformed as error:
        raise Unusable(f"the trust file: {error}") from error
