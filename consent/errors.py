"""What the registry refuses, by what happened."""

from sayso.kernel import Conflict, Invalid, NotFound


class NoSubject(NotFound):
    """Nobody here is known by that: never seen, another tenant's, or erased. One answer for all three."""

    def __init__(self) -> None:
        super().__init__("no-subject", "Nobody here is known by that name.")


class NoRecord(NotFound):
    """No record that can be read: never made, another tenant's, or its key destroyed."""

    def __init__(self) -> None:
        super().__init__("no-record", "There is no such record.")


class UnknownPurpose(Invalid):
    """A purpose that is not declared; `nearest` is the declared name most like it."""

    def __init__(self, nearest: str | None = None) -> None:
        super().__init__(
            "unknown-purpose", "This purpose is not declared.", **({"nearest": nearest} if nearest else {})
        )


class PurposeNotInNotice(Invalid):
    """A declared purpose that this notice does not ask for: nobody can have agreed to it there."""

    def __init__(self, purpose: str, notice: str) -> None:
        super().__init__(
            "purpose-not-in-notice", "This notice does not ask for that purpose.", purpose=purpose, notice=notice
        )


class UnknownNotice(Invalid):
    """A notice that is not published; `nearest` is the published name most like it."""

    def __init__(self, nearest: str | None = None) -> None:
        super().__init__("unknown-notice", "This notice is not published.", **({"nearest": nearest} if nearest else {}))


class UnknownLocale(Invalid):
    """The notice has no text in that language, so nobody can have read it."""

    def __init__(self, notice: str, offered: list[str]) -> None:
        super().__init__("unknown-locale", "The notice has no text in that language.", notice=notice, offered=offered)


class UnknownJurisdiction(Invalid):
    """A jurisdiction that is not among those shipped."""

    def __init__(self, nearest: str | None = None) -> None:
        super().__init__(
            "unknown-jurisdiction", "This jurisdiction is not known.", **({"nearest": nearest} if nearest else {})
        )


class StaleNotice(Conflict):
    """A grant on another version than the published one: what was shown is not what is asked now."""

    def __init__(self, notice: str, *, submitted: int, published: int) -> None:
        super().__init__(
            "stale-notice",
            "Another version of this notice is published; only a refusal is taken on this one.",
            notice=notice,
            submitted_version=submitted,
            published_version=published,
        )


class Held(Conflict):
    """A legal hold keeps this person's data; nothing of it is erased until the hold ends."""

    def __init__(self) -> None:
        super().__init__("held", "A legal hold stands over this person's data.")


class LinkUnusable(NotFound):
    """A one-time code that is unknown, used or run out. One answer for all three."""

    def __init__(self) -> None:
        super().__init__("link-unusable", "This link cannot be used any more.")
