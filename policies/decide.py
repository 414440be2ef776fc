"""One question is decided: names, then rules, then the person. Pure; read it from the top.

The order is fixed and every step can only refuse: caller, names, rules under every jurisdiction, whether the person
exists, legal hold, then the formula of each alternative, freshness of what was read, obligations, and last what the
person wishes of the channel.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from consent import (
    CHANNELS,
    Catalogue,
    PersonState,
    Standing,
    carried,
    live_uses,
    reachable,
    standing,
)
from policies.bases import FORMULAS, Asked
from policies.obligations import merge, unsupported
from policies.questions import Decision, Question, Reason
from policies.ruleset.snapshot import Alternative, Cell, CellName, Snapshot
from policies.ruleset.trees import RIGHTS, ROOT
from sayso.kernel import nearest, text

_LOUDEST: Final[tuple[Reason, ...]] = (
    "restricted",
    "suppressed",
    "objected",
    "withdrawn",
    "refused",
    "expired",
    "stale_notice",
    "guardian",
    "no_consent",
    "no_relation",
)
"""What is answered when alternatives fail for different reasons: a no that the person spoke before a mere absence."""

_LOUDNESS: Final = {reason: place for place, reason in enumerate(_LOUDEST)}
_LONGEST_RULE: Final = 200
_LAWS_LIMIT: Final = 256
_RELATIONS_LISTED: Final = 20


class Told(NamedTuple):
    """What the log is told of one decision on one question, whoever it is about. Holds the decision, so that its
    identity names this.
    """

    decision: Decision
    type: str
    out: Literal["permit", "deny"]
    res: dict[str, str]
    claims: dict[str, str]


class Inquiry:
    """A question prepared for many people: what does not depend on a person is worked out once."""

    __slots__ = (
        "_absent",
        "_asked",
        "_catalogue",
        "_channel",
        "_erases",
        "_good_until",
        "_roles",
        "_under",
        "_unserved",
        "above",
        "question",
        "refusal",
        "snapshot",
        "told",
    )

    def __init__(self, snapshot: Snapshot, catalogue: Catalogue, question: Question, *, good_until: int = 0) -> None:
        self.snapshot = snapshot
        self.question = question
        self.refusal = _refused_by_name(snapshot, question)
        self._catalogue = catalogue
        self._erases = question.action == "erase"
        self._good_until = good_until
        self._roles = question.roles if question.own else question.roles - _SELF
        self._under: dict[tuple[str, ...], _Weighing | Decision] = {}
        self._absent: Decision | None = None
        purpose = question.purpose or ""
        above = snapshot.trees.purposes.up.get(purpose, frozenset())
        self._asked = Asked(question, purpose, above, snapshot.noticed(purpose))
        self.above: tuple[str, ...] = () if self.refusal else (purpose, *catalogue.ancestors(purpose))
        """The purpose and those above it, as declared: the choices that a decision reads."""
        self._channel = None if self.refusal or not _minds(catalogue, purpose) else question.channel
        served = carried(catalogue, purpose)
        self._unserved = bool(served) and question.channel not in served
        self.told: dict[int, Told] = {}
        """What the log is told of each decision: `events.told` fills and bounds it."""

    def decide(self, person: PersonState | None, at: int, *, behind: bool = False) -> Decision:
        """The decision for one person (None: unknown). `behind`: what was read is older than the caller has seen."""
        if self.refusal is not None:
            return self.refusal
        if person is None or person.erased_at:
            return self._nobody()
        return self._decided(person, self.folded(person, at), at, behind)

    def examine(
        self, person: PersonState | None, at: int, *, behind: bool = False
    ) -> tuple[Decision, dict[str, object]]:
        """The decision, and what it read of the person, for the sealed part of the entry: facts and ids of records,
        never data.
        """
        if self.refusal is not None:
            return self.refusal, {}
        if person is None or person.erased_at:
            return self._nobody(), {}
        folded = self.folded(person, at)
        decision, facts = self._decided(person, folded, at, behind), _facts(person, folded, at)
        if decision.until:
            facts["until"] = decision.until
        channel = self.counts(person)
        if channel is not None and person.contact is not None:
            facts["uses"] = live_uses(person.contact, channel, at)
        return decision, facts

    @property
    def channel(self) -> str | None:
        """The channel on which the person's wishes count; None without one, and where no wish can stop the purpose."""
        return self._channel

    @property
    def unserved(self) -> bool:
        """Whether the purpose reaches nobody by the channel of the question."""
        return self._unserved

    def lapsed(self, at: int) -> bool:
        """Whether these rules may permit nothing any more, since newer ones are in force elsewhere."""
        return 0 < self._good_until <= at

    @property
    def may_count(self) -> bool:
        """Whether a permit may be one message towards somebody's cap."""
        return self._channel is not None and self.question.action == "use"

    def counts(self, person: PersonState) -> str | None:
        """The channel on which a permit is one message towards a cap of this person; None where nothing is counted."""
        channel, contact = self._channel, person.contact
        if contact is None or not contact.caps or not self.may_count:
            return None
        return channel if channel in contact.caps else None

    def _decided(self, person: PersonState, folded: Standing, at: int, behind: bool) -> Decision:
        known = person.jurisdictions
        codes = tuple([each.code for each in known]) if known else ()
        under = self._under.get(codes)
        if under is None:
            if len(self._under) >= _LAWS_LIMIT:
                self._under.clear()
            under = self._under[codes] = self._look_up(self._laws(codes))
        if isinstance(under, Decision):
            return under
        if self._erases and person.held:
            return _HELD
        decision = under.decide(self._asked, person, folded, at, behind or self.lapsed(at))
        return decision if self._channel is None else self._wished(decision, self._channel, person, at)

    def _wished(self, decision: Decision, channel: str, person: PersonState, at: int) -> Decision:
        """What is permitted, unless the person does not want to be reached this way, or not now."""
        if not decision.allowed:
            return decision
        verdict, until = reachable(person.contact, channel, self._asked.purpose, at)
        if self._unserved or verdict == "off":
            return Decision(False, "channel", rule=decision.rule, basis=decision.basis)
        if verdict == "later":
            return Decision(False, "later", rule=decision.rule, basis=decision.basis, until=until)
        return decision

    def folded(self, person: PersonState, at: int) -> Standing:
        """Where the person stands on the purpose of the question."""
        purpose = self._asked.purpose
        # Nobody is asked for a choice about the answering of their own requests.
        return _UNASKED if purpose == RIGHTS else standing(person, purpose, self._catalogue, at)

    def cells(self, person: PersonState | None) -> list[CellName]:
        """The cells that `decide` rests on, by name: for the check against Casbin."""
        if self.refusal is not None or person is None or person.erased_at:
            return []
        return [self.name(code) for code in self.laws(person)]

    def failing(self, alternative: Alternative, person: PersonState, at: int) -> Reason | None:
        """Why the basis of an alternative does not hold for somebody; None when it does."""
        formula = FORMULAS[alternative.basis]
        return formula(alternative.need, self._asked, person, self.folded(person, at), at)

    def laws(self, person: PersonState | None) -> list[str]:
        """Under which laws the answer must be yes."""
        return self._laws(tuple(known.code for known in person.jurisdictions) if person is not None else ())

    def name(self, jurisdiction: str) -> CellName:
        """The cell that the question asks for under one law."""
        question = self.question
        return self._roles, question.action, question.category, self._asked.purpose, jurisdiction

    def _laws(self, known: tuple[str, ...]) -> list[str]:
        """Under which laws the answer must be yes: every one known of the person and the one claimed.

        None known, or one that is no longer declared: `any`, where only rules for every law permit and every deny
        applies.
        """
        tree, claimed = self.snapshot.trees.jurisdictions, self.question.jurisdiction
        codes = {code if code in tree else ROOT for code in known} or {ROOT}
        if claimed is not None:
            codes.add(claimed)
        return sorted(codes)

    def _look_up(self, codes: Sequence[str]) -> "_Weighing | Decision":
        cells = [self.snapshot.cell(*self.name(code)) for code in codes]
        denied = [rule for cell in cells for rule in cell.denied]
        if denied:
            return Decision(False, "rule_denied", rule=_joined(denied))
        if not all(cell.alternatives for cell in cells):
            return Decision(False, "no_rule")
        return _Weighing(cells, self.question)

    def _nobody(self) -> Decision:
        """Someone unknown or erased. A caller whom no rule could ever permit is told just that, as it is of anybody."""
        if self._absent is None:
            claimed = self.question.jurisdiction
            codes = tuple(self.snapshot.trees.jurisdictions) if claimed is None else (claimed,)
            looked = [self._look_up((code,)) for code in codes]
            refusals = [found for found in looked if isinstance(found, Decision)]
            if len(refusals) < len(looked):
                self._absent = Decision(False, "no_subject")
            else:
                self._absent = min(refusals, key=lambda refusal: refusal.reason != "rule_denied")
        return self._absent


class _Weighing:
    """The cells of one question, one for each law, none of them denied and none without an alternative.

    Decisions are few and people many: the decision for one combination of outcomes is built once.
    """

    __slots__ = ("_cells", "_formulas", "_known", "_question", "_rules")

    def __init__(self, cells: Sequence[Cell], question: Question) -> None:
        self._cells = cells
        self._question = question
        by_rule = {alternative.rule: alternative for cell in cells for alternative in cell.alternatives}
        self._rules = tuple(by_rule)
        self._formulas = tuple((FORMULAS[alternative.basis], alternative.need) for alternative in by_rule.values())
        self._known: dict[tuple[Reason | None, ...], Decision] = {}

    def decide(self, asked: Asked, person: PersonState, folded: Standing, at: int, behind: bool) -> Decision:
        formulas = self._formulas
        if len(formulas) == 1:
            formula, need = formulas[0]
            outcomes: tuple[Reason | None, ...] = (formula(need, asked, person, folded, at),)
        else:
            outcomes = tuple([formula(need, asked, person, folded, at) for formula, need in formulas])
        decision = self._known.get(outcomes)
        if decision is None:
            decision = self._known[outcomes] = self._weigh(dict(zip(self._rules, outcomes, strict=True)))
        if behind and decision.reason in ("permitted", "unsupported_obligation"):
            return _STALE
        return decision

    def _weigh(self, outcomes: dict[str, Reason | None]) -> Decision:
        """Every cell needs an alternative that holds and whose obligations the caller supports; the first such wins."""
        question = self._question
        winners: list[Alternative] = []
        unmet: Alternative | None = None
        for cell in self._cells:
            holding = [alternative for alternative in cell.alternatives if outcomes[alternative.rule] is None]
            if not holding:
                return _loudest(cell, outcomes)
            supported = [a for a in holding if not unsupported(a.obligations, question.supported, question.action)]
            if supported:
                winners.append(supported[0])
            else:
                unmet = unmet or holding[0]
        if unmet is not None:
            return Decision(False, "unsupported_obligation", rule=unmet.rule, basis=unmet.basis)
        return Decision(
            True,
            "permitted",
            rule=_joined([winner.rule for winner in winners]),
            basis=_joined([winner.basis for winner in winners]),
            obligations=merge(obligation for winner in winners for obligation in winner.obligations),
        )


def decide(
    snapshot: Snapshot,
    catalogue: Catalogue,
    person: PersonState | None,
    question: Question,
    at: int,
    *,
    behind: bool = False,
) -> Decision:
    """One question about one person, from the beginning."""
    return Inquiry(snapshot, catalogue, question).decide(person, at, behind=behind)


def _loudest(cell: Cell, outcomes: dict[str, Reason | None]) -> Decision:
    failed = {a.rule: reason for a in cell.alternatives if (reason := outcomes[a.rule]) is not None}
    loudest = min(failed.values(), key=_LOUDNESS.__getitem__)
    return Decision(False, loudest, rule=_joined([rule for rule, reason in failed.items() if reason == loudest]))


def _refused_by_name(snapshot: Snapshot, question: Question) -> Decision | None:
    """What can be refused without looking at rules or people. No unknown name goes any further."""
    if question.refused is not None:
        return Decision(False, question.refused)
    trees, purpose = snapshot.trees, question.purpose
    for name, tree in (
        (question.action, trees.actions),
        (question.category, trees.categories),
        (purpose, trees.purposes),
        (question.jurisdiction, trees.jurisdictions),
    ):
        if name and name not in tree:
            return Decision(False, "unknown_name", nearest=snapshot.nearest(name, tree))
    if question.channel is not None and question.channel not in CHANNELS:
        return Decision(False, "unknown_name", nearest=nearest(question.channel, CHANNELS))
    if not question.action or not question.category or question.jurisdiction == "":
        return Decision(False, "unknown_name")
    if not purpose:
        return Decision(False, "purpose_missing")
    if not trees.purposes.leaf(purpose):
        return Decision(False, "purpose_not_leaf")
    return None


def _minds(catalogue: Catalogue, purpose: str) -> bool:
    """Whether people may switch messages for this purpose off: not those that no no can block."""
    return purpose in catalogue.purposes and catalogue.blockable(purpose)


def _facts(person: PersonState, folded: Standing, at: int) -> dict[str, object]:
    facts: dict[str, object] = {"status": folded.status}
    if folded.since:
        facts["since"] = folded.since
    if folded.record:
        facts["record"] = text("cns", folded.record)
    if folded.objected:
        facts["objected"] = True
    if folded.guardian:
        facts["guardian"] = True
    if folded.directive:
        facts["directive"] = folded.directive
    if person.jurisdictions:
        facts["jurisdictions"] = [known.code for known in person.jurisdictions]
    if person.restricted_at:
        facts["restricted_at"] = person.restricted_at
    if person.unsure_at:
        facts["unsure_at"] = person.unsure_at
    if person.suppressed_until:
        facts["suppressed_until"] = person.suppressed_until
    if person.held:
        facts["held"] = person.held
    if person.relations:
        facts["relations"] = [relation.ref for relation in person.relations if relation.live(at)][:_RELATIONS_LISTED]
    return facts


def _joined(names: Sequence[str]) -> str:
    """`R010+R012`; when that would be too long for a leaf, the first and how many more."""
    names = list(dict.fromkeys(names))
    whole = "+".join(names)
    return whole if len(whole) <= _LONGEST_RULE else f"{names[0]}+{len(names) - 1}-more"


_SELF: Final = frozenset(("self",))
_UNASKED: Final = Standing("unasked")
_HELD: Final = Decision(False, "held")
_STALE: Final = Decision(False, "stale")
