"""Opening tokens: the bodies, the decision for each, and the unit that does it all with one answer."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from policies import Access, Question
from sayso.kernel import TooLarge, Tx, Unit, Work
from sayso.server.auth import POLICY
from sayso.server.call import Call
from sayso.server.calls.decisions import judged
from sayso.server.idempotency import Answer
from vault import Ask, Revealed

REVEALERS = ("officer", POLICY)
"""Who may ask for values behind tokens."""

MOST_ITEMS = 100
"""Tokens in one reveal."""

Word = Annotated[str, Meta(min_length=1, max_length=200)]


class RevealItem(Struct, frozen=True, forbid_unknown_fields=True):
    """One token, perhaps with a mask of the caller's own wish."""

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


class Reveal(Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens to open, for which purpose, and why in the caller's words."""

    items: Annotated[list[RevealItem], Meta(min_length=1)]
    purpose: str
    reason: Word
    context: RevealContext = RevealContext()


class RevealResult(Struct, frozen=True):
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
        results = []
        for item in wanted.items:
            results.append((yield from _revealed(call, tx, wanted, item)))
        return RevealResults(results)

    return unit


def _revealed(call: Call, tx: Tx, data: Reveal, item: RevealItem) -> Work[RevealResult]:
    """Locate, decide, open: with the same reads and the same work whether or not there is anything to open."""
    services, configuration = call.services, call.configuration
    located = yield from services.vault.locate(tx, configuration.collections, item.token)
    question = question_of(call, data.purpose, data.context, "reveal", located.category)
    answer = yield from services.engine.judge(
        tx, configuration.policy, Access(question, subject=located.subject, at_least_seq=data.context.at_least_seq)
    )
    ask = Ask(
        purpose=_declared(configuration.purposes, data.purpose),
        reason=data.reason,
        transform=item.transform,
        policy=answer.policy,
        why="" if answer.decision.allowed else answer.decision.reason,
    )
    done = yield from services.vault.reveal(tx, located, answer.permit, ask)
    if isinstance(done, Revealed):
        return RevealResult(done.entry, value=done.value)
    return RevealResult(done.entry, code="unresolvable")


def question_of(call: Call, purpose: str, context: RevealContext, action: str, category: str) -> Question:
    """The caller's question about one category of data."""
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
        supported=frozenset(context.supported_obligations),
    )


def _declared(purposes: dict[str, Any], name: str) -> str:
    """A purpose as it may stand in a leaf: only declared names do."""
    return name if name in purposes or name == "dsar" else "-"
