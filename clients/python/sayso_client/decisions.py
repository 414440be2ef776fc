"""An answer to "may I?", and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from sayso_client.obligations import MASKS, Aggregate, Handlers, Obligation, Ttl, UnhandledObligation, named

Key = TypeVar("Key")

UNREACHABLE: Final = "unreachable"
"""The reason of a denial that this client made itself: Sayso did not answer in time, or not in its words."""


class Decision:
    """A permit or a denial. It is true exactly when it is a permit, so `if say.may(...)` means what it says.

    `reason` says why (docs/guides/ask-before-you-use.md), `entry` is its place in the log, `retry_after` (RFC 3339)
    when a `later` is over, `nearest` what an unknown name may have been meant to be. Do not keep it: it is an answer
    for now.
    """

    __slots__ = (
        "_handlers",
        "allowed",
        "entry",
        "nearest",
        "obligations",
        "policy_version",
        "reason",
        "registry_seq",
        "retry_after",
    )

    def __init__(
        self,
        allowed: bool,
        reason: str,
        *,
        obligations: tuple[Obligation, ...] = (),
        entry: str = "",
        policy_version: str = "",
        registry_seq: str = "",
        nearest: str | None = None,
        retry_after: str | None = None,
        handlers: Handlers | None = None,
    ) -> None:
        self.allowed = allowed
        self.reason = reason
        self.obligations = obligations
        self.entry = entry
        self.policy_version = policy_version
        self.registry_seq = registry_seq
        self.nearest = nearest
        self.retry_after = retry_after
        self._handlers: Handlers = handlers or {}

    def __bool__(self) -> bool:
        return self.allowed

    def __repr__(self) -> str:
        return f"<Decision {'permit' if self.allowed else 'denial'}: {self.reason} {self.entry}>"

    def demand(self) -> Decision:
        """Itself, if it is a permit. Raises `NotPermitted`."""
        if not self.allowed:
            raise NotPermitted(self)
        return self

    def show(self, value: str, kind: str = "text") -> str:
        """What may be seen of a value: all of it, unless an obligation masks it. Raises `NotPermitted`.

        `value` is the normalised form, `kind` its type, as in `sayso_client.masks`.
        """
        self.demand()
        for obligation in self.obligations:
            if isinstance(obligation, MASKS):
                value = self._handler(obligation)(value, kind)
            elif isinstance(obligation, Aggregate):
                # A single value is a group of one.
                raise UnhandledObligation(obligation.name, self.entry)
        return value

    def groups(self, sizes: Mapping[Key, int]) -> Mapping[Key, int]:
        """The groups that may be shown, of these with so many people in each. Raises `NotPermitted`."""
        self.demand()
        for obligation in self.obligations:
            if isinstance(obligation, Aggregate):
                sizes = self._handler(obligation)(obligation, sizes)
        return sizes

    @property
    def ttl(self) -> int | None:
        """Seconds after which what this permit gave must be forgotten; None where nothing says so."""
        return next((each.seconds for each in self.obligations if isinstance(each, Ttl)), None)

    def _handler(self, obligation: Obligation) -> Any:
        handler = self._handlers.get(type(obligation))
        if handler is None:
            raise UnhandledObligation(named(obligation), self.entry)
        return handler


class NotPermitted(Exception):
    """The answer was no. `decision` says why."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(f"not permitted: {decision.reason}")
        self.decision = decision

    @property
    def problem(self) -> dict[str, Any]:
        """A problem document for your own caller (RFC 9457), to be sent with status 403."""
        told = {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "The rules, or what the person said, do not permit this.",
            "reason": self.decision.reason,
        }
        more = {"entry": self.decision.entry or None, "retry_after": self.decision.retry_after}
        return told | {name: value for name, value in more.items() if value is not None}


def denied(reason: str = UNREACHABLE) -> Decision:
    """A denial of this client's own."""
    return Decision(False, reason)
