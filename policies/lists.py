"""A list of decisions as packed bytes: what one entry about many people keeps, sealed.

People stand in it by their `aid`, a random number that an erasure deletes, so that a list of years ago says nothing of
an erased person. Format 1 is final; docs/formats/policies.md has it byte by byte, and a golden file holds it.

    [1, [group, …]]                                          MessagePack
    group = [client, action, category, purpose, channel, [[reason, rule, basis], …], aids, outcomes]

`aids` are little-endian u64, ascending, 0 for somebody unknown; `outcomes` are as many little-endian u16, each the
place of a decision in the group's table.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct

from policies.questions import Decision, Question

VERSION: Final = 1


class Decided(Struct, frozen=True, gc=False):
    """One decision about one person; `aid` is 0 for somebody unknown."""

    aid: int
    client: str
    question: Question
    decision: Decision


class Group(Struct, frozen=True, array_like=True):
    """Decisions about one question of names. Unpacked, `aids` and `outcomes` are bytes still: see `rows`."""

    client: str
    action: str
    category: str
    purpose: str
    channel: str
    table: tuple[tuple[str, str, str], ...]
    aids: bytes
    outcomes: bytes

    def rows(self) -> Iterator[tuple[int, tuple[str, str, str]]]:
        """(aid, (reason, rule, basis)), by ascending aid."""
        count = len(self.aids) // 8
        places = struct.unpack(f"<{count}H", self.outcomes)
        for aid, place in zip(struct.unpack(f"<{count}Q", self.aids), places, strict=True):
            yield aid, self.table[place]


Name = tuple[str, str, str, str, str]
"""The first five fields of a group."""


class MalformedList(ValueError):
    """Bytes that are no list of decisions."""


def pack_list(decided: Iterable[Decided]) -> bytes:
    """The decisions as bytes. Their order within a question is lost on purpose: only who and what remains."""
    groups: dict[Name, tuple[list[int], list[Decision]]] = {}
    for one in decided:
        aids, decisions = groups.setdefault(_name(one.client, one.question), ([], []))
        aids.append(one.aid)
        decisions.append(one.decision)
    return _encode([VERSION, [_group(name, *pairs) for name, pairs in groups.items()]])


def pack_groups(client: str, groups: Iterable[tuple[Question, Sequence[int], Sequence[Decision]]]) -> bytes:
    """The same bytes for several questions, where each stands with its aids and its decisions."""
    merged: dict[Name, tuple[list[int], list[Decision]]] = {}
    for question, aids, decisions in groups:
        of = merged.setdefault(_name(client, question), ([], []))
        of[0].extend(aids)
        of[1].extend(decisions)
    return _encode([VERSION, [_group(name, *pairs) for name, pairs in merged.items()]])


def pack_group(client: str, question: Question, aids: Sequence[int], decisions: Sequence[Decision]) -> bytes:
    """The same bytes for one question, where `decisions` stand beside their `aids`."""
    return _encode([VERSION, [_group(_name(client, question), aids, decisions)]])


def pack_part(
    client: str, question: Question, table: Sequence[tuple[str, str, str]], aids: bytes, outcomes: bytes
) -> bytes:
    """The same bytes for one question, where aids and outcomes are packed already: a part of a large list."""
    return _encode([VERSION, [Group(*_name(client, question), tuple(table), aids, outcomes)]])


def _name(client: str, question: Question) -> Name:
    return client, question.action, question.category, question.purpose or "", question.channel or ""


def _group(name: Name, aids: Sequence[int], decisions: Sequence[Decision]) -> Group:
    table: dict[tuple[str, str, str], int] = {}
    # Most people share a few decisions, so each is looked at once, by its identity.
    places: dict[int, int] = {}
    for decision in decisions:
        if id(decision) not in places:
            outcome = (decision.reason, decision.rule, decision.basis)
            places[id(decision)] = table.setdefault(outcome, len(table))
    count = len(aids)
    if len(table) == 1:
        return Group(*name, tuple(table), struct.pack(f"<{count}Q", *sorted(aids)), bytes(2 * count))
    rows = sorted(zip(aids, [places[id(decision)] for decision in decisions], strict=True))
    return Group(
        *name,
        tuple(table),
        struct.pack(f"<{count}Q", *[aid for aid, _ in rows]),
        struct.pack(f"<{count}H", *[place for _, place in rows]),
    )


def unpack_list(packed: bytes) -> list[Group]:
    """The groups of a list. Raises `MalformedList` for another version, odd lengths and numbers outside the table."""
    try:
        version, groups = _decode(packed)
    except msgspec.DecodeError as error:
        raise MalformedList(str(error)) from None
    if version != VERSION:
        raise MalformedList(f"version {version}")
    for group in groups:
        if len(group.aids) % 8 or len(group.outcomes) * 4 != len(group.aids):
            raise MalformedList("aids and outcomes differ in number")
        if group.outcomes and int(np.frombuffer(group.outcomes, "<u2").max()) >= len(group.table):
            raise MalformedList("an outcome outside the table")
    return groups


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, list[Group]]).decode
