"""Sorted runs: whatever is held at a time and wherever a step ends, everybody is counted once and in order."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import runs
from reports.runs import Gathered, Person, Runs, aid_key, merged

CATEGORIES = st.sampled_from(["", "health", "contact", "ads"])
TOUCHES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1 << 45), CATEGORIES), max_size=60)


def gathered(touches: list[tuple[int, int, str]]) -> Gathered:
    held = Runs()
    for person, at, category in touches:
        held.touch(key(person), at, category)
    return held.done()


def key(person: int) -> bytes:
    return aid_key(person) if person % 3 == 0 else bytes([1]) * 15 + bytes([person])


async def all_of(steps: list[Gathered]) -> list[Person]:
    return [person async for page in merged(steps) for person in page]


@given(st.lists(TOUCHES, max_size=5), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_everybody_is_counted_once_whatever_is_held(steps: list[list[tuple[int, int, str]]], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "MOST", most)
        made = [gathered(step) for step in steps]
    assert all(len(run) <= most * 38 for step in made for run in step.runs)
    touched = [touch for step in steps for touch in step]
    counts = Counter(key(person) for person, _, _ in touched)
    expected = [
        Person(
            each,
            count,
            min(at for person, at, _ in touched if key(person) == each),
            max(at for person, at, _ in touched if key(person) == each),
            tuple(sorted({name for person, _, name in touched if key(person) == each and name})),
        )
        for each, count in sorted(counts.items())
    ]
    found = asyncio.run(all_of(made))
    assert found == expected
    assert all(person.erased == (person.key[-1] % 3 == 0) for person in found)
