"""Lists of people as sorted numbers: the body `application/vnd.sayso.aids`.

Little-endian unsigned 64-bit integers, strictly ascending, nothing else. What does not print back to the same bytes is
malformed. docs/formats/policies.md has the form, and how answers use it.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sayso.kernel import Invalid, TooLarge

MEDIA_TYPE: Final = "application/vnd.sayso.aids"

MOST_AIDS: Final = 2_000_000
"""People in one list."""

WIDTH: Final = 8
"""Bytes of one number."""

Aids = NDArray[np.uint64]
"""Numbers of people, strictly ascending."""

_WIRE: Final = np.dtype("<u8")


def read_aids(body: bytes) -> Aids:
    """The numbers in a body. Raises `TooLarge`, and `Invalid` for no numbers, half a number and a wrong order."""
    if len(body) > MOST_AIDS * WIDTH:
        raise TooLarge("too-many-subjects", f"A list has {MOST_AIDS} people at most.", limit=MOST_AIDS)
    if not body:
        raise Invalid("empty-audience", "An audience has at least one person.")
    if len(body) % WIDTH:
        raise Invalid("malformed-aids", "A list of numbers is a multiple of eight bytes long.")
    aids = np.frombuffer(body, _WIRE)
    wrong = np.flatnonzero(aids[1:] <= aids[:-1])
    if wrong.size:
        place = int(wrong[0]) + 1
        raise Invalid("malformed-aids", "The numbers must ascend, each only once.", place=place)
    return aids.astype(np.uint64, copy=False)


def write_aids(aids: Aids) -> bytes:
    """The numbers as a body."""
    return aids.astype(_WIRE, copy=False).tobytes()


def sorted_aids(numbers: Iterable[int]) -> Aids:
    """Numbers in any order as a list, each once."""
    return np.unique(np.fromiter(numbers, np.uint64))
