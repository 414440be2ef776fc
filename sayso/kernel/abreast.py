"""Several pieces of work side by side: what all of them wait for is read in one go."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sayso.kernel.tx import Reads, Work

T = TypeVar("T")


def abreast(works: Sequence[Work[T]]) -> Work[list[T]]:
    """The answers of `works`, in order. They only read: each sees what stood before, and none what another writes.

    A round costs one trip to the database, however many take part. The first error ends all of them.
    """
    answers: dict[int, T] = {}
    found: dict[int, tuple[Any, ...] | None] = dict.fromkeys(range(len(works)))
    while found:
        wanted: dict[int, Reads] = {}
        for place, given in found.items():
            try:
                wanted[place] = next(works[place]) if given is None else works[place].send(given)
            except StopIteration as done:
                answers[place] = done.value
        together = yield tuple(read for reads in wanted.values() for read in reads)
        found, at = {}, 0
        for place, reads in wanted.items():
            found[place] = tuple(together[at : at + len(reads)])
            at += len(reads)
    return [answers[place] for place in range(len(works))]
