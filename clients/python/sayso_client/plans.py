"""A query plan: of which people the answer is yes, told as conditions before anybody is named.

A plan permits nobody by itself. It says at once that nobody may be used (`denied`), which masks belong on the columns,
and what is asked of each person; who they are is answered by an audience (`asked`), which `sayso_client.sqlalchemy`
keeps in a table of yours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Union

import msgspec
from msgspec import Struct

from sayso_client.decisions import UNREACHABLE
from sayso_client.obligations import MASKS, Handlers, Obligation, Ttl, UnhandledObligation, named, typed
from sayso_client.structs import AudienceQuestion, WireObligation

DECLARED = (*MASKS, Ttl)
"""Obligations that a whole table can meet. What is to be done for each person once is not declared for a plan."""


class All(Struct, frozen=True, tag="all", tag_field="op"):
    """Every one of these holds. Of none: true."""

    of: tuple[Condition, ...]


class Any(Struct, frozen=True, tag="any", tag_field="op"):
    """One of these holds. Of none: false."""

    of: tuple[Condition, ...]


class Not(Struct, frozen=True, tag="not", tag_field="op"):
    """This does not hold."""

    of: Condition


class Is(Struct, frozen=True, tag="is", tag_field="op"):
    """A fact is true of the person: `known`, `restricted`, `objected`, `channel_off` …"""

    fact: str


class Status(Struct, frozen=True, tag="status", tag_field="op"):
    """The person's status on the plan's purpose is one of these."""

    among: tuple[str, ...]


class Law(Struct, frozen=True, tag="law", tag_field="op"):
    """One of the person's jurisdictions is among these. Of whom none is known: `any`."""

    among: tuple[str, ...]


class Related(Struct, frozen=True, tag="related", tag_field="op"):
    """A live recorded relation of one of these kinds (none: of any), with this `ref` (empty: whichever)."""

    kinds: tuple[str, ...] = ()
    ref: str = ""


Condition = Union[All, Any, Not, Is, Status, Law, Related]  # noqa: UP007 - names its own parts, which a | cannot


class PlanQuestion(Struct, frozen=True, omit_defaults=True, kw_only=True):
    action: str
    category: str
    purpose: str | None = None
    channel: str | None = None
    jurisdiction: str | None = None
    supported_obligations: tuple[str, ...] = ()


class Way(Struct, frozen=True):
    """One rule by which the answer can be yes, and what its basis asks of the person."""

    rule: str
    basis: str
    need: str
    laws: tuple[str, ...]
    when: Condition
    obligations: tuple[WireObligation, ...] = ()


class PlanView(Struct, frozen=True, kw_only=True):
    plan: Literal["always_denied", "conditional"]
    action: str
    category: str
    condition: Condition
    policy_version: str
    valid_until: str
    entry: str
    purpose: str | None = None
    channel: str | None = None
    jurisdiction: str | None = None
    reason: str = ""
    nearest: str | None = None
    ways: tuple[Way, ...] = ()
    obligations: tuple[WireObligation, ...] = ()


class Plan(Struct, frozen=True):
    """A plan. `view` is what Sayso answered, `supported` what was declared for it, `obligations` are all that may
    apply: who fulfils these has fulfilled those of any person.
    """

    view: PlanView
    supported: tuple[str, ...]
    obligations: tuple[Obligation, ...]
    asker: str = ""

    @property
    def denied(self) -> bool:
        """Whether the answer is no for everybody."""
        return self.view.plan != "conditional"

    @property
    def question(self) -> str:
        """What it is about, as one line: equal for equal questions of one key under the same rules.

        What another key was answered is no answer to this one, and new rules may ask for other masks.
        """
        view = self.view
        names = (view.action, view.category, view.purpose, view.channel, view.jurisdiction)
        parts = (self.asker, view.policy_version, *names, *self.supported)
        return " ".join(part or "-" for part in parts)

    def asked(self, subjects: Iterable[str]) -> AudienceQuestion:
        """The same question about these people. Raises `ValueError` where no purpose is known."""
        view = self.view
        if not view.purpose:
            raise ValueError("an audience is asked for a purpose")
        return AudienceQuestion(
            purpose=view.purpose,
            action=view.action,
            category=view.category,
            subjects=tuple(dict.fromkeys(subjects)),
            channel=view.channel,
            jurisdiction=view.jurisdiction,
            supported_obligations=self.supported,
            aids=True,
        )


def read(body: bytes, supported: tuple[str, ...], handlers: Handlers, asker: str) -> Plan:
    """The plan in an answer. Raises `UnhandledObligation`, `ValueError`."""
    view = msgspec.json.decode(body, type=PlanView)
    obligations = tuple(typed(each) for each in view.obligations)
    for each in obligations:
        if not each.ours and (type(each) not in handlers or not isinstance(each, DECLARED)):
            raise UnhandledObligation(named(each), view.entry)
    return Plan(view, supported, obligations, asker)


def nobody(question: PlanQuestion) -> Plan:
    """What is planned without an answer: nobody."""
    view = PlanView(
        plan="always_denied",
        action=question.action,
        category=question.category,
        purpose=question.purpose,
        channel=question.channel,
        jurisdiction=question.jurisdiction,
        reason=UNREACHABLE,
        condition=Any(()),
        policy_version="",
        valid_until="1970-01-01T00:00:00Z",
        entry="",
    )
    return Plan(view, question.supported_obligations, ())
