"""Opening tokens: the bodies, the decision for each, and the unit that does it all with one answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from consent import PERSON
from policies import GUARDS, Access, Decision, Question, mint
from sayso.kernel import Permit, TooLarge, Tx, Unit, Work
from sayso.server.call import Call
from sayso.server.callers.auth import POLICY
from sayso.server.calls.decisions import judged
from sayso.server.idempotency import Answer
from vault import Ask, Glass, Located, Revealed, action_for

REVEALERS = ("officer", POLICY)
"""Who may ask for values behind tokens."""

MOST_ITEMS = 100
"""Tokens in one reveal."""

Word = Annotated[str, Meta(min_length=1, max_length=200)]


class RevealItem(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One token. `transform` is a mask of the caller's own wish, or a fact to be told in place of the value."""

    token: Annotated[str, Meta(max_length=200)]
    transform: Word | None = None


class RevealContext(Struct, frozen=True, forbid_unknown_fields=True):
    """What the caller says besides, as in an evaluation."""

    channel: str | None = None
    jurisdiction: str | None = None
    relation: str | None = None
    case: str | None = None
    supported_obligations: tuple[str, ...] = ()
    at_least_seq: str = ""


class BrokenGlass(Struct, frozen=True, forbid_unknown_fields=True):
    """Why values that a second person should have approved are opened without one: it raises an alarm."""

    reason: Word
    ticket: Annotated[str, Meta(max_length=200)] = ""


class Wanted(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For which purpose tokens are opened, and why in the caller's words. `grant` is what a second person approved."""

    purpose: str
    reason: Word
    context: RevealContext = RevealContext()
    grant: Annotated[str, Meta(max_length=40)] | None = None
    break_glass: BrokenGlass | None = None


class Reveal(Wanted, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Tokens to open."""

    items: Annotated[list[RevealItem], Meta(min_length=1)]


class RevealResult(Struct, frozen=True, gc=False):
    """A value, or `unresolvable` for whichever reason; the entry in the log either way."""

    entry: str
    value: str | UnsetType = UNSET
    code: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"<RevealResult {self.entry}>"


class RevealResults(Struct, frozen=True):
    """In the order asked."""

    results: list[RevealResult]


_reveal = msgspec.json.Decoder(Reveal).decode
_encode = msgspec.json.Encoder().encode


async def revealed(call: Call, body: bytes) -> Answer:
    """`POST /v1/vault/reveal`, from the body's bytes to the answer's."""
    wanted = _reveal(body)
    if len(wanted.items) > MOST_ITEMS:
        raise TooLarge("too-many-items", f"One call opens {MOST_ITEMS} tokens at most.", limit=MOST_ITEMS)
    return Answer(200, _encode(await call.run(_opening(call, wanted))))


def _opening(call: Call, wanted: Reveal) -> Unit[RevealResults]:
    def unit(tx: Tx) -> Work[RevealResults]:
        approved = yield from granted(call, tx, wanted, wanted.items)
        results = []
        for item in wanted.items:
            results.append((yield from _revealed(call, tx, wanted, item, approved)))
        return RevealResults(results)

    return unit


def granted(call: Call, tx: Tx, wanted: Wanted, items: Sequence[RevealItem]) -> Work[bool]:
    """Whether a second person approved of just this. It is used up then."""
    purpose = declared_purpose(call.configuration.purposes, wanted.purpose)
    return call.services.vault.take_grant(tx, wanted.grant, purpose, [item.token for item in items])


def _revealed(call: Call, tx: Tx, data: Reveal, item: RevealItem, approved: bool) -> Work[RevealResult]:
    """Locate, decide, open: with the same reads and the same work whether or not there is anything to open."""
    located, permit, ask = yield from judged_item(call, tx, data, item, approved)
    done = yield from call.services.vault.reveal(tx, located, permit, ask)
    if isinstance(done, Revealed):
        return RevealResult(done.entry, value=done.value)
    return RevealResult(done.entry, code="unresolvable")


def judged_item(
    call: Call, tx: Tx, data: Wanted, item: RevealItem, approved: bool
) -> Work[tuple[Located, Permit | None, Ask]]:
    """Where a token points, what the policies say to it, and what is asked of the vault."""
    services, configuration = call.services, call.configuration
    located = yield from services.vault.locate(tx, configuration.collections, item.token)
    question = question_of(call, data.purpose, data.context, action_for(item.transform), located.category)
    answer = yield from services.engine.judge(
        tx, configuration.policy, Access(question, subject=located.subject, at_least_seq=data.context.at_least_seq)
    )
    glass = data.break_glass
    ask = Ask(
        purpose=declared_purpose(configuration.purposes, data.purpose),
        reason=data.reason,
        transform=item.transform,
        policy=answer.policy,
        why="" if answer.decision.allowed else answer.decision.reason,
        approved=approved,
        glass=None if glass is None else Glass(glass.reason, glass.ticket),
    )
    return located, answer.permit, ask


def judged_each(
    call: Call, tx: Tx, data: Wanted, items: Sequence[tuple[RevealItem, str | None]], approved: bool
) -> Work[list[tuple[Located, Permit | None, Ask]]]:
    """The same for many items, each with the token that it names (`token_in`): where they point is read at once, and
    then what all those people say.
    """
    services, configuration = call.services, call.configuration
    located = yield from services.vault.locate_each(tx, configuration.collections, [token for _, token in items])
    (rows,) = yield (tx.get_each(PERSON, [each.subject for each in located]),)
    actions = {transform: action_for(transform) for transform in {item.transform for item, _ in items}}
    alike: dict[tuple[str, str], list[int]] = {}
    for place, ((item, _), each) in enumerate(zip(items, located, strict=True)):
        alike.setdefault((actions[item.transform], each.field.category), []).append(place)
    seq = data.context.at_least_seq
    policy, at, behind = configuration.policy, tx.context.at, bool(seq) and seq > tx.head.seq
    purpose = declared_purpose(configuration.purposes, data.purpose)
    glass = None if data.break_glass is None else Glass(data.break_glass.reason, data.break_glass.ticket)
    ruled: dict[int, tuple[Question, Decision]] = {}
    for (action, category), places in alike.items():
        question = question_of(call, data.purpose, data.context, action, category)
        decide = services.engine.decide_rows
        _, decisions = decide(policy.inquiry(question), [rows[place] for place in places], at, behind=behind)
        for place, decision in zip(places, decisions, strict=True):
            ruled[place] = (question, decision)
    asks: dict[tuple[str | None, str], Ask] = {}
    found = []
    for place, ((item, _), each) in enumerate(zip(items, located, strict=True)):
        question, decision = ruled[place]
        permit = mint(call.tenant, each.subject, question, decision) if decision.allowed else None
        name = (item.transform, "" if decision.allowed else decision.reason)
        ask = asks.get(name)
        if ask is None:
            ask = asks[name] = Ask(
                purpose=purpose,
                reason=data.reason,
                transform=name[0],
                policy=policy.version,
                why=name[1],
                approved=approved,
                glass=glass,
            )
        found.append((each, permit, ask))
    return found


def question_of(call: Call, purpose: str, context: RevealContext, action: str, category: str) -> Question:
    """The caller's question about one category of data. A second person for facts (`read`) is the vault's own doing."""
    ours = GUARDS if action == "read" else ()
    actor, _ = judged(call.services, call.configuration, call.principal.actor)
    return Question(
        roles=actor.roles,
        action=action,
        category=category,
        purpose=purpose or actor.default_purpose,
        jurisdiction=context.jurisdiction,
        channel=context.channel,
        relation=context.relation,
        case=context.case,
        supported=frozenset((*context.supported_obligations, *ours)),
    )


def declared_purpose(purposes: dict[str, Any], name: str) -> str:
    """A purpose as it may stand in a leaf: only declared names do."""
    return name if name in purposes or name == "dsar" else "-"
