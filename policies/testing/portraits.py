"""A person as a test describes them: `{grants: [marketing.email], jurisdictions: [de], restricted: P10D}`.

What they chose is folded by the registry's own rules, so that a grant covers, a withdrawal reaches down and a refusal
outlasts in a test exactly as it does in life. When nothing else is said, a grant is thirty days old, a restriction ten
and a no seven: whoever is told to have granted and withdrawn has done so in this order.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from consent import (
    DIRECTIVES,
    RANK,
    Act,
    AgeBand,
    Guardian,
    Jurisdiction,
    Minority,
    Moment,
    PersonState,
    Relation,
    Signal,
    decide,
    direct,
    given,
)
from policies.policy import Policy
from policies.testing import portrait_wishes
from policies.testing.nodes import a_number, a_time, members, named, shifted, text_of, words
from policies.testing.portrait_wishes import read_contact
from sayso.kernel import Map, Node, Problem, Scalar, Seq, parse_instant, problem

TIME: Final = parse_instant("2026-03-02T12:00:00Z")
"""When a test that names no time takes place: a Monday, at noon UTC."""

_CHOICES: Final[dict[str, tuple[Act, str]]] = {
    "grants": ("granted", "P30D"),
    "refusals": ("refused", "P7D"),
    "withdrawals": ("withdrawn", "P7D"),
    "objections": ("objected", "P7D"),
}
_PLACED: Final = "P10D"
"""How long ago a restriction was placed."""

_MEMBERS: Final = (
    *_CHOICES,
    "opt_outs",
    "restricted",
    "hold",
    "suppressed",
    "jurisdictions",
    "relations",
    "age",
    *portrait_wishes.MEMBERS,
)
_SAID: Final = ("ago", "at", "assurance", "guardian", "confirmed")
_RELATION: Final = ("kind", "ref", "purposes", "from", "until")
_KINDS: Final = ("contract", "case", "public_task")
_GUARDIAN: Final = bytes(15) + b"\x01"


class _Said(NamedTuple):
    """One choice: what of which purpose, when (an instant), how surely; by a guardian; and confirmed, if it must be."""

    at: int
    act: Act
    purpose: str
    assurance: int = RANK["session"]
    guardian: bool = False
    confirmed: bool = True


def read_person(node: Node, policy: Policy, at: int, problems: list[Problem]) -> PersonState | None:
    """The person that a test describes, at the instant `at`; None for `unknown`: somebody unknown, or erased."""
    if text_of(node) == "unknown":
        return None
    if not isinstance(node, Map):
        problems.append(problem(node, "A person is a mapping, {} of somebody who never said anything, or 'unknown'."))
        return None
    members(node, "A person", _MEMBERS, problems)
    return _Reader(node, policy, at, problems).read()


class _Reader:
    def __init__(self, node: Map, policy: Policy, at: int, problems: list[Problem]) -> None:
        self._node = node
        self._catalogue = policy.catalogue
        self._codes = policy.snapshot.trees.jurisdictions
        self._at = at
        self._problems = problems

    def read(self) -> PersonState:
        person = self._node
        state = PersonState(
            jurisdictions=tuple(Jurisdiction(code, "declared", self._at) for code in self._jurisdictions()),
            relations=tuple(self._relations()),
            minority=self._minority(),
            contact=read_contact(person, self._at, self._catalogue.purposes, self._problems),
        )
        for said in sorted(self._choices(), key=lambda said: said.at):
            state = self._chosen(state, said)
        # A suppression hinders grants, and what a test tells of was taken before it: it comes last.
        return replace(
            self._directed(state),
            restricted_at=self._since("restricted"),
            suppressed_until=shifted(self._at, "P1Y", 1) if self._yes("suppressed") else 0,
            held=int(self._yes("hold")),
        )

    # choices

    def _choices(self) -> Iterator[_Said]:
        for member, (act, ago) in _CHOICES.items():
            node = self._node.get(member)
            usual = shifted(self._at, ago, -1)
            if isinstance(node, Map):
                for name, body in node.items():
                    if self._choosable(Scalar(None, "", node.file, node.lines[name]), name, act):
                        yield self._choice(_Said(usual, act, name), body)
            else:
                for name in words(node, f"'{member}'", self._problems):
                    if self._choosable(node or self._node, name, act):
                        yield _Said(usual, act, name)

    def _choice(self, usual: _Said, body: Node) -> _Said:
        """`P60D`, or `{ago: P60D, assurance: code, guardian: true, confirmed: false}`."""
        if not isinstance(body, Map):
            return usual._replace(at=a_time(body, self._at, -1, self._problems))
        members(body, "A choice", _SAID, self._problems)
        when, assurance = body.get("at") or body.get("ago"), text_of(body.get("assurance")) or "session"
        named(body, assurance, RANK, "assurance", self._problems)
        return usual._replace(
            at=usual.at if when is None else a_time(when, self._at, -1, self._problems),
            assurance=RANK.get(assurance, 0),
            guardian=text_of(body.get("guardian")) == "true",
            confirmed=text_of(body.get("confirmed")) != "false",
        )

    def _choosable(self, node: Node, purpose: str, act: Act) -> bool:
        if not named(node, purpose, self._catalogue.purposes, "purpose", self._problems):
            return False
        if act == "granted" and self._asking(purpose) is None:
            message = f"Nobody can grant {purpose!r}: no published notice asks for it."
            self._problems.append(problem(node, message))
            return False
        return True

    def _asking(self, purpose: str) -> tuple[str, int, tuple[str, ...]] | None:
        """The published notice that asks for a purpose: its name, version, and all that it shows."""
        for notice in self._catalogue.notices.values():
            if purpose in notice.purposes:
                return notice.name, notice.version, tuple(notice.purposes)
        return None

    def _chosen(self, state: PersonState, said: _Said) -> PersonState:
        notice, version, shown = self._asking(said.purpose) or ("", 0, ())
        moment = Moment(
            said.at,
            said.at,
            said.assurance,
            bytes(16),
            notice,
            version,
            shown,
            confirmed=said.confirmed,
            guardian=_GUARDIAN if said.guardian else b"",
        )
        return decide(state, {said.purpose: said.act}, self._catalogue, moment)[1]

    def _directed(self, state: PersonState) -> PersonState:
        node = self._node.get("opt_outs")
        kinds = words(node, "'opt_outs'", self._problems)
        sound = [kind for kind in kinds if named(node or self._node, kind, DIRECTIVES, "opt-out", self._problems)]
        if not sound:
            return state
        at = shifted(self._at, "P7D", -1)
        signals = [Signal(kind, "api", b"test") for kind in sound]
        return direct(state, given(self._catalogue, state, signals), Moment(at, at, RANK["session"], bytes(16)))

    # facts

    def _jurisdictions(self) -> Iterator[str]:
        node = self._node.get("jurisdictions")
        for code in words(node, "'jurisdictions'", self._problems):
            if named(node or self._node, code, self._codes, "jurisdiction", self._problems):
                yield code

    def _relations(self) -> Iterator[Relation]:
        """`contract`, or `{kind: contract, ref: order-1, purposes: [support], from: P1Y, until: P1M}`."""
        node = self._node.get("relations")
        items = list(node) if isinstance(node, Seq) else [node] if node is not None else []
        for place, item in enumerate(items, 1):
            body = item if isinstance(item, Map) else Map({"kind": item}, {"kind": item.line}, item.file, item.line)
            members(body, "A relation", _RELATION, self._problems)
            kind, start, until = text_of(body.get("kind")), body.get("from"), body.get("until")
            purposes = words(body.get("purposes"), "'purposes'", self._problems)
            for purpose in purposes:
                named(item, purpose, self._catalogue.purposes, "purpose", self._problems)
            if named(item, kind, _KINDS, "kind of relation", self._problems):
                yield Relation(
                    text_of(body.get("ref")) or f"{kind}-{place}",
                    kind,  # type: ignore[arg-type]  # one of _KINDS
                    tuple(purposes),
                    a_time(start, self._at, -1, self._problems) if start is not None else 0,
                    a_time(until, self._at, 1, self._problems) if until is not None else 0,
                )

    def _minority(self) -> Minority | None:
        """`{at_least: 12, below: 13}`, a fact of now. Whoever granted with `guardian: true` is the guardian."""
        node = self._node.get("age")
        if node is None:
            return None
        body = node if isinstance(node, Map) else Map({}, {}, node.file, node.line)
        members(body, "An age", ("at_least", "below"), self._problems)
        least, below = a_number(body.get("at_least")), a_number(body.get("below"))
        if least is None or (below is None) != ("below" not in body):
            self._problems.append(problem(node, "An age is {at_least: 12, below: 13}, in years."))
            return None
        return Minority(
            AgeBand(least, below or 0, "declared", self._at), (Guardian(_GUARDIAN, "document", "declared", self._at),)
        )

    def _since(self, member: str) -> int:
        """`true`, or how long ago."""
        node = self._node.get(member)
        if node is None or text_of(node) == "false":
            return 0
        return shifted(self._at, _PLACED, -1) if text_of(node) == "true" else a_time(node, self._at, -1, self._problems)

    def _yes(self, member: str) -> bool:
        node = self._node.get(member)
        if node is not None and text_of(node) not in ("true", "false"):
            self._problems.append(problem(node, f"'{member}' is true or false."))
        return text_of(node) == "true"
