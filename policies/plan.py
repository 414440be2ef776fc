"""The query plan: what a question of names asks of a person, told before any person is named. Pure.

`Inquiry.decide` answers about one person. `plan` says in advance of which people the answer is yes: a tree of
conditions over facts of a person's state, for services that filter their own rows. It means exactly what the single
decisions mean; a property test holds the two together.

No plan permits everybody: nobody unknown or erased may be used, so the widest condition is the fact `known`.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from consent import UNTIMED
from policies.decide import Inquiry
from policies.obligations import merge, unsupported
from policies.questions import Reason
from policies.ruleset.snapshot import Alternative, Cell
from sayso.kernel import Obligation

Fact = Literal[
    "known",
    "held",
    "restricted",
    "suppressed",
    "objected",
    "said_no",
    "young",
    "explicit",
    "chosen_since_restriction",
    "channel_off",
    "paused",
    "capped",
    "quiet",
]
"""What is true or false of a person at an instant, for the purpose and the channel of the plan.

`known`: a person, not erased. `held`: under a legal hold. `restricted`: processing is restricted. `suppressed`: an
erased identifier of theirs still keeps its no. `objected`: an objection or a directive stands. `said_no`: any no
stands, told or inherited. `young`: asked first even where others may opt out. `explicit`: their own choice of this very
purpose is a grant given under a one-time code or better. `chosen_since_restriction`: their standing is newer than the
restriction. `channel_off`: they switched the channel off, whole or for this purpose. `paused`, `capped`, `quiet`: not
now, for that reason.
"""


class All(Struct, frozen=True, tag="all", tag_field="op"):
    """Every one of these holds. Of none: true."""

    of: tuple["Condition", ...]


class Any(Struct, frozen=True, tag="any", tag_field="op"):
    """One of these holds. Of none: false."""

    of: tuple["Condition", ...]


class Not(Struct, frozen=True, tag="not", tag_field="op"):
    """This does not hold."""

    of: "Condition"


class Is(Struct, frozen=True, tag="is", tag_field="op"):
    """A fact is true of the person."""

    fact: Fact


class Status(Struct, frozen=True, tag="status", tag_field="op"):
    """The person's status on the plan's purpose is one of these."""

    among: tuple[str, ...]


class Law(Struct, frozen=True, tag="law", tag_field="op"):
    """One of the person's jurisdictions is among these. Of whom none is known, or one that is not declared: `any`."""

    among: tuple[str, ...]


class Related(Struct, frozen=True, tag="related", tag_field="op"):
    """A live recorded relation covers the plan's purpose: of one of these kinds (none: of any), with this `ref`
    (empty: whichever).
    """

    kinds: tuple[str, ...] = ()
    ref: str = ""


Condition = All | Any | Not | Is | Status | Law | Related


class Way(Struct, frozen=True):
    """One rule by which the answer can be yes, under these laws, in the order in which they are tried there.

    `when` is what its basis asks of the person; `obligations` apply to whom it permits.
    """

    rule: str
    basis: str
    need: str
    laws: tuple[str, ...]
    when: Condition
    obligations: tuple[Obligation, ...] = ()


class Plan(Struct, frozen=True):
    """Of which people the answer is yes.

    `always_denied` tells why in `reason`; then `condition` is an `Any` of nothing. `conditional`: of those of whom
    `condition` holds. `obligations` are all that may apply, merged: who fulfils them has fulfilled those of any one.
    """

    plan: Literal["always_denied", "conditional"]
    condition: Condition
    reason: Reason | Literal[""] = ""
    nearest: str | None = None
    ways: tuple[Way, ...] = ()
    obligations: tuple[Obligation, ...] = ()


ALWAYS: Final = All(())
NEVER: Final = Any(())


def plan(inquiry: Inquiry, at: int = 0) -> Plan:
    """What the question asks of a person under every law. `at` is when it is asked: lapsed rules permit nobody."""
    if (refusal := inquiry.refusal) is not None:
        return Plan("always_denied", NEVER, refusal.reason, refusal.nearest)
    if inquiry.lapsed(at):
        return Plan("always_denied", NEVER, "stale")
    if inquiry.channel is not None and inquiry.unserved:
        return Plan("always_denied", NEVER, "channel")
    by_law = {code: inquiry.snapshot.cell(*inquiry.name(code)) for code in inquiry.snapshot.trees.jurisdictions}
    claimed = inquiry.question.jurisdiction
    if claimed is not None:
        # The law that is claimed must permit whatever the person's own laws say.
        own = _under(inquiry, by_law[claimed])
        groups = _grouped(inquiry, by_law) if own != NEVER else []
    else:
        own, groups = ALWAYS, _grouped(inquiry, by_law)
    if all(condition == NEVER for _, condition in groups):
        return Plan("always_denied", NEVER, _why_never(inquiry, by_law))
    under = [condition if len(groups) == 1 else _any(Not(Law(codes)), condition) for codes, condition in groups]
    held = [Not(Is("held"))] if inquiry.question.action == "erase" else []
    ways = tuple(_ways(inquiry, by_law))
    return Plan(
        "conditional",
        _all(Is("known"), *held, own, *under, _reachable(inquiry.channel)),
        ways=ways,
        obligations=merge(obligation for way in ways for obligation in way.obligations),
    )


def _grouped(inquiry: Inquiry, by_law: dict[str, Cell]) -> list[tuple[tuple[str, ...], Condition]]:
    """Laws under which the question asks the same of a person."""
    groups: dict[Condition, list[str]] = {}
    for code, cell in by_law.items():
        groups.setdefault(_under(inquiry, cell), []).append(code)
    return [(tuple(sorted(codes)), condition) for condition, codes in groups.items()]


def _under(inquiry: Inquiry, cell: Cell) -> Condition:
    """What one law asks of a person: that any way holds whose obligations the caller supports."""
    return _any(*(_when(inquiry, way) for way in _open(inquiry, cell)))


def _open(inquiry: Inquiry, cell: Cell) -> Sequence[Alternative]:
    question = inquiry.question
    if cell.denied:
        return ()
    return [way for way in cell.alternatives if not unsupported(way.obligations, question.supported, question.action)]


def _ways(inquiry: Inquiry, by_law: dict[str, Cell]) -> Iterable[Way]:
    laws: dict[str, list[str]] = {}
    known: dict[str, Alternative] = {}
    for code, cell in by_law.items():
        for way in _open(inquiry, cell):
            known[way.rule] = way
            laws.setdefault(way.rule, []).append(code)
    for rule in inquiry.snapshot.rules:
        if rule.id in known and (when := _when(inquiry, known[rule.id])) != NEVER:
            way = known[rule.id]
            yield Way(way.rule, way.basis, way.need, tuple(sorted(laws[way.rule])), when, way.obligations)


def _when(inquiry: Inquiry, way: Alternative) -> Condition:
    """The formula of a basis (`bases.py`), as a condition."""
    match way.basis:
        case "consent":
            unrestricted = _any(Not(Is("restricted")), Is("chosen_since_restriction"))
            own = Is("explicit") if way.need == "explicit" else ALWAYS
            return _all(unrestricted, Not(Is("suppressed")), Status(("granted",)), own)
        case "legitimate_interest":
            return _UNLESS_NO
        case "notice":
            noticed = inquiry.snapshot.noticed(inquiry.question.purpose or "")
            return _all(_UNLESS_NO, Not(Is("young"))) if noticed else NEVER
        case "contract":
            return _all(Not(Is("restricted")), _related(inquiry, "contract", "case"))
        case "public_task":
            return _all(Not(Is("restricted")), _related(inquiry, "public_task", "case"))
        case "legal_obligation" | "vital_interest":
            return _related(inquiry, "case") if way.need == "case" else ALWAYS
    raise ValueError(way.basis)


def _related(inquiry: Inquiry, *kinds: str) -> Condition:
    """As `bases.related`: whatever relation the caller names must itself be live, and a case must be one."""
    question = inquiry.question
    named = [name for name in (question.relation, question.case) if name is not None]
    if not named:
        return Related(kinds)
    case = [Related(("case",), question.case)] if question.case is not None else []
    return _all(*case, *(Related((), name) for name in named), _any(*(Related(kinds, name) for name in named)))


def _reachable(channel: str | None) -> Condition:
    """What the person's wishes ask, where they count at all."""
    if channel is None:
        return ALWAYS
    wishes: list[Fact] = ["channel_off", "paused", "capped"]
    if channel not in UNTIMED:
        wishes.append("quiet")
    return _all(*(Not(Is(wish)) for wish in wishes))


def _why_never(inquiry: Inquiry, by_law: dict[str, Cell]) -> Reason:
    """Why nobody is permitted: the rules, else what no alternative comes past."""
    said = inquiry.decide(None, 0).reason
    if said != "no_subject":
        return said
    claimed = inquiry.question.jurisdiction
    cells = by_law.values() if claimed is None else (by_law[claimed],)
    return "no_consent" if any(_open(inquiry, cell) for cell in cells) else "unsupported_obligation"


def _all(*conditions: Condition) -> Condition:
    of = list(dict.fromkeys(part for each in conditions for part in (each.of if isinstance(each, All) else (each,))))
    if NEVER in of:
        return NEVER
    return of[0] if len(of) == 1 else All(tuple(of))


def _any(*conditions: Condition) -> Condition:
    of = list(dict.fromkeys(part for each in conditions for part in (each.of if isinstance(each, Any) else (each,))))
    if ALWAYS in of:
        return ALWAYS
    return of[0] if len(of) == 1 else Any(tuple(of))


_UNLESS_NO: Final = _all(*(Not(Is(fact)) for fact in ("restricted", "suppressed", "objected", "said_no")))
