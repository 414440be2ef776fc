"""What leaves the house to judge us: `sayso_verify.py`, one file of the standard library alone, and `verify.html`.

Both ship inside each evidence bundle. `sayso audit verify` runs that very file, so there is one verifier and not two.
"""

from importlib.resources import files

from audit.offline.sayso_verify import Verdict, verify

__all__ = ["Verdict", "page", "program", "verify"]


def program() -> bytes:
    """The verifier's own source, to be handed out."""
    return files(__name__).joinpath("sayso_verify.py").read_bytes()


def page() -> bytes:
    """The page that verifies in a browser, to be handed out."""
    return files(__name__).joinpath("verify.html").read_bytes()
