"""The native batch: many questions as columns, dictionary-coded, and the answers likewise.

A column has its different `values` once and for each row the place of the row's value in `rows`. Where a column has one
value for all rows, or (`subject`) a value for each, `rows` is left out. Tables of a data platform look like this, and
nothing is built for a row but its decision.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from audit import AuditLog
from policies import events
from policies.counting import Uses, capped_among
from policies.engine import PolicyEngine
from policies.people import read_each
from policies.policy import Policy
from policies.questions import Decision, Question
from policies.wire.authzen import people
from sayso.kernel import Invalid, Obligation, TooLarge, Tx, Work, iso, raw

MOST_ROWS: Final = 10_000
"""Decisions in one call: as many as one entry may list."""

MOST_QUESTIONS: Final = 256
"""Different questions in one call. The first time a question is asked it costs what hundreds of decisions do."""

Name = Annotated[str, Meta(max_length=1_024)]
Places = tuple[Annotated[int, Meta(ge=0)], ...]


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """A name for each row."""

    values: tuple[Name, ...]
    rows: Places | UnsetType = UNSET


class OptionalColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """A name or null for each row."""

    values: tuple[Name | None, ...]
    rows: Places | UnsetType = UNSET


class Columns(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """As many questions of the caller as the `subject` column has rows. A null purpose is the caller's own."""

    action: Column
    category: Column
    purpose: OptionalColumn = OptionalColumn((None,))
    channel: OptionalColumn = OptionalColumn((None,))
    jurisdiction: OptionalColumn = OptionalColumn((None,))
    subject: Column
    supported_obligations: tuple[Name, ...] = ()
    at_least_seq: Name = ""


class ColumnAnswer(Struct, frozen=True, omit_defaults=True):
    """One of the answers that occur. `retry_after` as in an evaluation."""

    decision: bool
    reason: str
    obligations: tuple[Obligation, ...] = ()
    nearest: str | None = None
    retry_after: str | None = None


class Answers(Struct, frozen=True):
    """The different answers once, and for each row the place of its answer among them."""

    values: tuple[ColumnAnswer, ...]
    rows: tuple[int, ...]


class ColumnsAnswer(Struct, frozen=True):
    """The answers in the order of the rows, and what they share."""

    answers: Answers
    policy_version: str
    registry_seq: str
    entry: str


class Table(Struct, frozen=True):
    """Columns, read: different questions with the rows that ask them, and the person of each row (None: nobody)."""

    questions: Mapping[Question, Sequence[int]]
    subjects: Sequence[bytes | None]
    at_least_seq: str


def read_table(columns: Columns, asked: Callable[[str, str, str | None, str | None, str | None], Question]) -> Table:
    """The questions behind the columns; `asked` makes one of action, category, purpose, channel and jurisdiction.

    Raises `Invalid` for a place outside its dictionary and for columns of different lengths, `TooLarge`.
    """
    people_named, which = columns.subject.values, columns.subject.rows
    count = len(people_named) if which is UNSET else len(which)
    if not count:
        raise Invalid("no-rows", "A batch has at least one row.")
    if max(count, len(people_named)) > MOST_ROWS:
        raise TooLarge("too-many-rows", f"A batch has {MOST_ROWS} rows at most.", limit=MOST_ROWS)
    named = ("action", "category", "purpose", "channel", "jurisdiction")
    places = [_places(name, getattr(columns, name), count) for name in named]
    values = [getattr(columns, name).values for name in named]
    questions: dict[Question, Sequence[int]] = {}
    if all(isinstance(each, repeat) for each in places):
        questions[asked(*(each[0] for each in values))] = range(count)
    else:
        rows: dict[tuple[int, ...], list[int]] = {}
        for row, key in enumerate(zip(*places, strict=True)):
            rows.setdefault(key, []).append(row)
        if len(rows) > MOST_QUESTIONS:
            message = f"A batch has {MOST_QUESTIONS} different questions at most."
            raise TooLarge("too-many-questions", message, limit=MOST_QUESTIONS)
        for key, found in rows.items():
            question = asked(*(each[place] for each, place in zip(values, key, strict=True)))
            questions[question] = sorted([*questions.get(question, ()), *found])
    subjects = people(people_named)
    if which is not UNSET:
        _within("subject", which, len(subjects))
        subjects = [subjects[place] for place in which]
    return Table(questions, subjects, columns.at_least_seq)


def evaluate_table(
    engine: PolicyEngine, audit: AuditLog, tx: Tx, policy: Policy, table: Table
) -> Work[tuple[list[Decision], str]]:
    """The decisions in the order of the rows, and the one entry for all: as `evaluate_many` of as many accesses."""
    subjects = list(dict.fromkeys(table.subjects))
    (read,) = yield (read_each(tx, [subject or _NOBODY for subject in subjects]),)
    found = dict(zip(subjects, read, strict=True))
    at, behind = tx.context.at, table.at_least_seq > tx.head.seq
    groups: list[tuple[Question, list[int], list[Decision]]] = []
    capped = []
    for question, rows in table.questions.items():
        inquiry, asked = policy.inquiry(question), [table.subjects[row] for row in rows]
        states = [found[subject] for subject in asked]
        aids, decided = engine.decide_rows(inquiry, states, at, behind=behind)
        groups.append((question, aids, decided))
        limited = capped_among(inquiry, asked, states, decided)
        capped += [(rows[place], place, inquiry, decided, subject, channel) for place, subject, channel in limited]
    uses = Uses(tx)
    if capped:
        yield from uses.read(subject for *_, subject, _ in capped)
    # Messages are counted in the order of the rows, whichever question each belongs to.
    for _, place, inquiry, decided, subject, channel in sorted(capped, key=lambda each: each[0]):
        person = uses.person(subject)
        decision = decided[place] = inquiry.decide(person.state if person else None, at, behind=behind)
        if decision.allowed:
            uses.count(subject, channel, tx.context.actor.name)
    entry = audit.append(tx, events.groups_decided(policy, "", groups))
    yield from uses.write(raw(entry, "ent"))
    if len(groups) == 1:
        return groups[0][2], entry
    decisions: list[Decision] = [_UNDECIDED] * len(table.subjects)
    for rows, (_, _, decided) in zip(table.questions.values(), groups, strict=True):
        for row, decision in zip(rows, decided, strict=True):
            decisions[row] = decision
    return decisions, entry


def answers_of(decisions: Sequence[Decision]) -> Answers:
    """The decisions, each different answer once."""
    places: dict[int, int] = {}
    known: dict[bytes, int] = {}
    values: list[ColumnAnswer] = []
    names = [id(decision) for decision in decisions]
    for name, decision in dict(zip(names, decisions, strict=True)).items():
        answer = ColumnAnswer(
            decision.allowed,
            decision.reason,
            decision.obligations,
            decision.nearest,
            iso(decision.until) if decision.until else None,
        )
        place = places[name] = known.setdefault(_pack(answer), len(values))
        if place == len(values):
            values.append(answer)
    return Answers(tuple(values), tuple([places[name] for name in names]))


def _places(name: str, column: Column | OptionalColumn, count: int) -> Iterable[int]:
    """For each row the place of its value."""
    if column.rows is UNSET:
        if len(column.values) != 1:
            raise Invalid("ragged-columns", "A column without 'rows' has one value.", column=name)
        return repeat(0, count)
    if len(column.rows) != count:
        raise Invalid("ragged-columns", "Every column has as many rows as 'subject'.", column=name)
    _within(name, column.rows, len(column.values))
    return column.rows


def _within(name: str, places: Sequence[int], size: int) -> None:
    if max(places, default=0) >= size:
        raise Invalid("place-outside", "A row names a place that its column's values do not have.", column=name)


_NOBODY: Final = bytes(16)
_UNDECIDED: Final = Decision(False, "no_rule")
_pack: Final = msgspec.msgpack.Encoder().encode
