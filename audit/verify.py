"""Body of `sayso audit verify PATH [--trust FILE]`: the file that ships inside each evidence bundle (decision 0020)."""

from audit.offline import Verdict, verify
from audit.offline.sayso_verify import BROKEN, SOUND, UNUSABLE

__all__ = ["BROKEN", "SOUND", "UNUSABLE", "Verdict", "verify"]
