"""One recorded answer under other rules: the same, surely permitted now, surely denied now, or not to be told. Pure.

An entry holds names, outcome and rules in the open; of the person's facts (laws, choices, relations) it holds what was
read, sealed under the person's key, and nobody's key is opened to try out rules. So this reasons with what the answer
gives away. Who was permitted by a rule is under a law where that rule permits, and its basis holds for them; who was
denied is under a law where nothing held. Where that settles the answer under the new rules for every law that it leaves
possible, it is told; where it does not, the missing fact is named.
"""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from policies.obligations import unsupported
from policies.ruleset.snapshot import Alternative, Cell, Snapshot
from policies.ruleset.trees import ROOT

Verdict = Literal["same", "permitted", "denied", "undetermined"]
Missing = Literal[
    "", "names", "caller", "rules", "list", "law", "consent", "objection", "relation", "obligations", "person"
]
"""What the entry does not tell: a name, who asked, the rules of that day, the list of people, which laws apply, whether
consent, interest or relation would hold, which obligations the caller supports, whether the person exists."""

UNNAMED: Final = "-"

UNLISTED: Final = "unlisted"
"""Stands for the reason where an entry tells of a list that lies elsewhere."""

UNMOVED: Final = frozenset({"actor_mismatch", "purpose_missing", "no_subject", "held", "channel", "later", "stale"})
"""Reasons that no rule can lift."""

_BY_RULES: Final = frozenset({"rule_denied", "no_rule"})
_SURE: Final = frozenset({"legal_obligation", "vital_interest"})
_ASKED: Final = frozenset({"consent", "legitimate_interest", "notice"})
_FAILING: Final[dict[str, frozenset[str]]] = {
    "withdrawn": _ASKED,
    "refused": _ASKED,
    "suppressed": _ASKED,
    "objected": _ASKED - {"consent"},
    "restricted": frozenset({"legitimate_interest", "notice", "contract", "public_task"}),
}
"""Bases that surely do not hold for somebody who was denied for a reason."""

_FACT: Final[dict[str, Missing]] = {
    "consent": "consent",
    "legitimate_interest": "objection",
    "notice": "objection",
    "contract": "relation",
    "public_task": "relation",
    "legal_obligation": "relation",
    "vital_interest": "relation",
}

Way = tuple[str, str]
"""A basis and what it needs."""


class Answered(Struct, frozen=True):
    """A recorded answer, as far as it says nothing of anybody. `known`: the person existed. Empty `roles`: the entry
    does not tell who asked.
    """

    roles: frozenset[str]
    action: str
    category: str
    purpose: str
    allowed: bool
    reason: str
    rule: str
    known: bool = True


class Judged(NamedTuple):
    """What other rules make of it, and which fact is missing where that cannot be told."""

    verdict: Verdict
    missing: Missing = ""


SAME: Final = Judged("same")
_PERMITTED: Final = Judged("permitted")
_DENIED: Final = Judged("denied")


def replayed(answer: Answered, old: Snapshot | None, new: Snapshot) -> Judged:
    """`old` are the rules that gave the answer; None where nobody knows them any more."""
    if answer.reason in UNMOVED:
        return SAME
    if answer.reason == UNLISTED:
        return Judged("undetermined", "list")
    if UNNAMED in (answer.action, answer.category, answer.purpose) or answer.reason == "unknown_name":
        return Judged("undetermined", "names")
    if not _askable(answer, new):
        return _DENIED if answer.allowed else SAME
    if not answer.roles:
        return Judged("undetermined", "caller")
    if old is None or (answer.reason != "purpose_not_leaf" and not _askable(answer, old)):
        return Judged("undetermined", "rules")
    if answer.reason == "purpose_not_leaf":
        return Judged("undetermined", "names")
    return _Replay(answer, old, new).judged()


def _askable(answer: Answered, snapshot: Snapshot) -> bool:
    trees = snapshot.trees
    return (
        answer.action in trees.actions
        and answer.category in trees.categories
        and answer.purpose in trees.purposes
        and trees.purposes.leaf(answer.purpose)
    )


class _Replay:
    def __init__(self, answer: Answered, old: Snapshot, new: Snapshot) -> None:
        self._answer = answer
        name = (answer.roles, answer.action, answer.category, answer.purpose)
        codes = old.trees.jurisdictions.up.keys() & new.trees.jurisdictions.up.keys()
        self._old = {code: old.cell(*name, code) for code in codes}
        self._new = {code: new.cell(*name, code) for code in codes}
        self._rules = frozenset(answer.rule.split("+")) - {UNNAMED}
        self._supported = frozenset(
            obligation.type for rule in old.rules if rule.id in self._rules for obligation in rule.obligations
        )

    def judged(self) -> Judged:
        if all(_shape(self._old[code]) == _shape(self._new[code]) for code in self._old):
            return SAME
        if self._answer.allowed:
            return self._permitted()
        return self._denied_by_rules() if self._answer.reason in _BY_RULES else self._denied_by_state()

    def _permitted(self) -> Judged:
        """Each law of the person is one where a rule that was named permits, and the bases of those rules hold."""
        laws = self._possible()
        held = {(way.basis, way.need) for code in laws for way in self._named(self._old[code])}
        if not laws:
            return Judged("undetermined", "rules")
        sure = [self._holds(self._new[code], held) for code in laws]
        if all(sure):
            return SAME
        closed = [_closed(self._new[code]) for code in laws]
        if all(closed):
            return _DENIED
        if all(one or other for one, other in zip(sure, closed, strict=True)):
            return Judged("undetermined", "law")
        return self._open([code for code, one in zip(laws, sure, strict=True) if not one], held)

    def _denied_by_rules(self) -> Judged:
        """At least one law of the person is one where no rule permitted."""
        laws = [code for code, cell in self._old.items() if _closed(cell)]
        if laws and all(_closed(self._new[code]) for code in laws):
            return SAME
        if all(self._holds(cell, set()) for cell in self._new.values()):
            return _PERMITTED if self._answer.known else Judged("undetermined", "person")
        opened = [code for code in laws if not _closed(self._new[code])]
        return self._open(opened, set())

    def _denied_by_state(self) -> Judged:
        """Under at least one law of the person none of the alternatives held, among them those that were named."""
        if self._answer.reason == "unsupported_obligation":
            return SAME if all(_closed(cell) for cell in self._new.values()) else Judged("undetermined", "obligations")
        laws = self._possible()
        if not laws:
            return Judged("undetermined", "rules")
        opened = [code for code in laws if not self._still_fails(code)]
        return self._open(opened, set()) if opened else SAME

    def _possible(self) -> list[str]:
        """The laws where the rules that were named offered something, and nothing forbade it."""
        # An audience's entry names no rules, and a long list of them is cut short.
        cut = not self._rules or any(name.endswith("-more") for name in self._rules)
        return [code for code, cell in self._old.items() if not _closed(cell) and (cut or self._named(cell))]

    def _still_fails(self, code: str) -> bool:
        failed = {(way.basis, way.need) for way in self._old[code].alternatives}
        surely = _FAILING.get(self._answer.reason, frozenset())
        return _closed(self._new[code]) or all(
            way.basis in surely or _as_hard(way, failed) for way in self._new[code].alternatives
        )

    def _named(self, cell: Cell) -> list[Alternative]:
        return [way for way in cell.alternatives if way.rule in self._rules]

    def _holds(self, cell: Cell, held: set[Way]) -> bool:
        """Whether an alternative surely holds, of which the caller fulfils the obligations."""
        return not cell.denied and any(
            ((way.basis in _SURE and way.need != "case") or _as_easy(way, held))
            and not unsupported(way.obligations, self._supported, self._answer.action)
            for way in cell.alternatives
        )

    def _open(self, codes: Iterable[str], held: set[Way]) -> Judged:
        """What would have to be known: of the first law that is open, of its first alternative."""
        for code in sorted(codes, key=lambda code: (code != ROOT, code)):
            ways = self._new[code].alternatives if not self._new[code].denied else ()
            for way in ways:
                if _as_easy(way, held) or (way.basis in _SURE and way.need != "case"):
                    ours = unsupported(way.obligations, self._supported, self._answer.action)
                    return Judged("undetermined", "obligations" if ours else "law")
                return Judged("undetermined", _FACT[way.basis])
        return Judged("undetermined", "law")


def _closed(cell: Cell) -> bool:
    return bool(cell.denied) or not cell.alternatives


def _shape(cell: Cell) -> object:
    """What a cell comes to, whichever rules say so."""
    if _closed(cell):
        return None
    return [
        (way.basis, way.need, [(each.type, each.properties) for each in way.obligations]) for way in cell.alternatives
    ]


def _as_easy(way: Alternative, held: set[Way]) -> bool:
    """Whether this asks for no more than something that holds."""
    return any(basis == way.basis and (need == way.need or way.need in ("-", "opt_in")) for basis, need in held)


def _as_hard(way: Alternative, failed: set[Way]) -> bool:
    """Whether this asks for no less than something that does not hold."""
    return any(basis == way.basis and (need == way.need or need in ("-", "opt_in")) for basis, need in failed)
