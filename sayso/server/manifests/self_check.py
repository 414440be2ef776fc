"""What a node checks of a version of the manifest before it decides by it.

Whoever activated a version noted the hash of its content and the hash of the rules as they were compiled there. A node
that reads the version compiles them itself, and both must be what was noted: a row that was changed in the database,
or a program that understands the manifest otherwise, is not let in.
"""

from functools import lru_cache
from hashlib import sha256
from typing import Final

from consent import parse as parse_consent
from consent import publish
from policies import Policy, read_policy
from sayso.kernel import Conflict, Map, now


class Unsound(Conflict):
    """A version that is not what was activated. `what` tells the difference in one word, for the program's log."""

    def __init__(self, version: int, what: str) -> None:
        super().__init__("unsound-version", f"Version {version} of the manifest is not what was activated: its {what}.")
        self.what = what


def demand_same(version: int, content: bytes, hash_: str, policy: Policy, activated: str, shipped: str) -> None:
    """Raises `Unsound` unless content and compiled rules have the hashes that were noted at activation.

    The rules' hash covers what Sayso ships as well (model, system rules, laws), so it is compared only where the
    activating program shipped the same: after an upgrade the same manifest comes to another hash.
    """
    if sha256(content).hexdigest() != hash_:
        raise Unsound(version, "content")
    if shipped == shipped_by_us(policy.snapshot.tenant) and policy.version != activated:
        raise Unsound(version, "rules")


@lru_cache(maxsize=256)
def shipped_by_us(tenant: str) -> str:
    """What this program brings by itself, as the hash of the rules of a manifest that says nothing."""
    policy, _ = read_policy(_NOTHING, publish(parse_consent(_NOTHING), [], [], now()).catalogue, tenant)
    return policy.version


_NOTHING: Final = Map({}, {}, "", 0)
