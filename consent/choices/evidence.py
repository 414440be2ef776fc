"""The evidence of a choice: what the caller kept of the moment, flat and small. Sealed with the record.

Members with a meaning of their own are held to it: `interface` (which variant was shown), `steps_shown` (how many steps
the choice took: refusing must not take more than agreeing), `user_agent`, `address` (a network, never a whole address),
`statement` (the words that the person affirmed). Others are the caller's.
"""

import re
from functools import lru_cache
from ipaddress import ip_network
from typing import Final

import msgspec

from consent.model import Evidence
from sayso.kernel import Invalid, TooLarge

LIMIT: Final = 4_096
"""Bytes of one submission's evidence, packed."""

MEMBERS: Final = 32
"""Members, and texts in one list."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LENGTHS: Final = {"interface": 128, "user_agent": 1_024, "address": 64, "statement": 2_048}
_STEPS: Final = 1_000
_LONGEST_PREFIX: Final = {4: 24, 6: 48}
"""What is left of an address says roughly where from, and not from whom."""

_packed = msgspec.msgpack.Encoder().encode


def check_evidence(evidence: Evidence) -> None:
    """Raises `TooLarge`, and `Invalid` naming the member."""
    try:
        large = len(evidence) > MEMBERS or len(_packed(evidence)) > LIMIT
    except OverflowError:
        raise _wrong("", "A number in the evidence has 64 bits at most.") from None
    if large:
        raise TooLarge("evidence-too-large", "The evidence is larger than a record takes.", limit=LIMIT)
    for name, value in evidence.items():
        if not _NAME.fullmatch(name):
            raise _wrong("", "A member of the evidence is named in lower case: letters, digits, '_'.")
        if isinstance(value, list):
            if len(value) > MEMBERS:
                raise TooLarge("evidence-too-large", "The evidence is larger than a record takes.", limit=LIMIT)
            if not all(isinstance(each, str) for each in value):
                raise _wrong(name, "A list in the evidence holds texts.")
        elif not isinstance(value, str | int | bool):
            raise _wrong(name, "A member of the evidence is a text, a number, true or false, or a list of texts.")
        if name in _LENGTHS and not (isinstance(value, str) and 0 < len(value) <= _LENGTHS[name]):
            raise _wrong(name, "This member of the evidence is a short text.")
        if name == "steps_shown" and (type(value) is not int or not 0 <= value <= _STEPS):
            raise _wrong(name, "Steps are counted: 0 to 1000.")
        if name == "address" and not _is_network(str(value)):
            raise _wrong(name, "An address is cut to its network: 203.0.113.0/24, 2001:db8:1::/48.")


@lru_cache(maxsize=4_096)
def _is_network(text: str) -> bool:
    try:
        network = ip_network(text)
    except ValueError:
        return False
    return network.prefixlen <= _LONGEST_PREFIX[network.version]


def _wrong(name: str, message: str) -> Invalid:
    return Invalid("invalid-evidence", message, **({"member": name} if name else {}))
