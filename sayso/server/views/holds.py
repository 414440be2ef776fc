"""What the console shows of legal holds, and whom a proposal names."""

from typing import Final

from msgspec import Struct

from consent import Identifier, NoSubject
from policies import rights_question
from rights import HoldView
from sayso.kernel import Invalid, Tx, Work, parse_instant, raw
from sayso.server.call import Call
from sayso.server.pages import Frame, HoldCard, HoldsPage, HoldStepLine, Operator
from vault import MOST_FOUND, Term

KINDS: Final = ("email", "phone", "customer_id", "device")
LONGEST: Final = 60_000


class Named(Struct, frozen=True):
    """Whom a proposal names: one identifier or id a line, and whoever has a value in a field."""

    kind: str
    lines: tuple[str, ...]
    field: str = ""
    value: str = ""

    def __repr__(self) -> str:
        return f"Named({self.kind}, {len(self.lines)})"


class TooManyFound(Invalid):
    """A search finds so many that some may be missing."""

    def __init__(self) -> None:
        super().__init__("too-many-found", f"{MOST_FOUND} people or more have this value: name them one by one.")


class UnknownPerson(Invalid):
    """A line names nobody who is known; which one, not whom."""

    def __init__(self, line: int) -> None:
        super().__init__("unknown-person", f"Line {line} names nobody who is known here.", line=line)


def holds_page(call: Call, tx: Tx, frame: Frame, operator: Operator, problem: str = "") -> Work[HoldsPage]:
    """All holds, in one unit that only looks."""
    holds = yield from call.services.workers.retention.holds.holds(tx)
    names = {each.id: each.name for each in call.configuration.registered.values()}
    cards = [_card(call, each, names) for each in reversed(holds)]
    live = call.configuration
    indexed = [
        f"{name}.{field}"
        for name, each in live.collections.items()
        for field, declared in each.fields.items()
        if "exact" in declared.indexes
    ]
    return HoldsPage(
        frame=frame,
        operator=operator,
        waiting=tuple(each for each in cards if each.state in ("proposed", "releasing")),
        standing=tuple(each for each in cards if each.state == "live"),
        over=tuple(each for each in cards if each.state in ("released", "declined")),
        categories=tuple(sorted(live.catalogue.categories)),
        kinds=KINDS,
        fields=tuple(indexed),
        problem=problem,
    )


def people_of(call: Call, tx: Tx, named: Named) -> Work[tuple[bytes, ...]]:
    """The people that a proposal names. Raises `UnknownPerson`, `TooManyFound`, and as the vault's search does."""
    found: list[bytes] = []
    for number, line in enumerate(named.lines, 1):
        try:
            if named.kind == "sub":
                found.append(raw(line, "sub"))
                continue
            resolved = yield from call.services.registry.resolve(tx, Identifier(named.kind, line), create=False)
            found.append(raw(resolved.subject, "sub"))
        except (NoSubject, Invalid):
            raise UnknownPerson(number) from None
    if named.field:
        found += yield from _searched(call, tx, named)
    return tuple(dict.fromkeys(found))


def _searched(call: Call, tx: Tx, named: Named) -> Work[list[bytes]]:
    """Whoever has the value, as far as the rules let the officer read them."""
    live = call.configuration
    collection, _, field = named.field.partition(".")
    vault = call.services.vault
    sought = vault.sought(call.tenant, live.collections, collection, [Term(field, named.value)], MOST_FOUND)
    (candidates,) = yield from vault.having(tx, [sought])
    hits = yield from vault.search(tx, sought, candidates, purpose="dsar", reason="legal hold")
    if len(hits.subjects) >= MOST_FOUND:
        raise TooManyFound
    asks = [rights_question(tx.context.actor, each, "read") for each in hits.subjects]
    if not asks:
        return []
    answers = yield from call.services.engine.evaluate_many(tx, live.policy, asks)
    return [each for each, answer in zip(hits.subjects, answers, strict=True) if answer.decision.allowed]


def _card(call: Call, each: HoldView, names: dict[str, str]) -> HoldCard:
    last = each.steps[-1]
    return HoldCard(
        hold=each.hold,
        state=each.state,
        matter=each.matter,
        people=len(each.people),
        categories=each.categories,
        until=parse_instant(each.until) if each.until else 0,
        steps=tuple(
            HoldStepLine(
                step=step.step, actor=names.get(step.actor, step.actor), at=parse_instant(step.at), said=step.said
            )
            for step in each.steps
        ),
        own=each.state in ("proposed", "releasing") and last.actor == call.principal.actor.id,
    )
