"""A question, and its answer. Both are about names and one person's state; neither holds personal data."""

from typing import Final, Literal

from msgspec import Struct

from sayso.kernel import Obligation

Reason = Literal[
    "permitted",
    "actor_mismatch",
    "unknown_name",
    "purpose_missing",
    "purpose_not_leaf",
    "rule_denied",
    "no_rule",
    "no_subject",
    "held",
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
    "channel",
    "later",
    "stale",
    "unsupported_obligation",
    "unresolvable",
]
"""Why, in one word. Clients depend on these; `unresolvable` is all that is said about a token."""

UNRESOLVABLE: Final = "unresolvable"


class Question(Struct, frozen=True, kw_only=True, gc=False):
    """May a caller with these roles do this with that category of a person's data, for this purpose?

    `jurisdiction` is the caller's claim, which can only restrict. `relation` and `case` name recorded relations of the
    person. `supported` are the obligations the caller will fulfil. `own` says that the caller is that person: without
    it the role `self` counts for nothing. `refused` is a reason found before the rules were asked.
    """

    roles: frozenset[str]
    action: str
    category: str
    purpose: str | None
    jurisdiction: str | None = None
    channel: str | None = None
    relation: str | None = None
    case: str | None = None
    supported: frozenset[str] = frozenset()
    own: bool = False
    refused: Reason | None = None


class Decision(Struct, frozen=True):
    """The answer: `rule` and `basis` name what decided. It depends on names and outcomes only, so people share one; all
    but a `later`, which tells `until` when this person wants to be left alone (an instant).
    """

    allowed: bool
    reason: Reason
    rule: str = ""
    basis: str = ""
    obligations: tuple[Obligation, ...] = ()
    nearest: str | None = None
    until: int = 0
