"""What can go wrong, as types.

An error says what happened in words that may go on the wire: never a value that came from a person. Its kind (the
class it derives from) decides the status; `sayso.server.problems` alone does that mapping. Packages subclass the kinds
and name the subclass after the event: `StaleNotice`, `UnknownPurpose`.
"""


class SaysoError(Exception):
    """Base of every error that a caller may see.

    `slug` names the problem for ever (docs/problems.md lists all of them), `message` is one plain sentence, `facts` are
    non-personal extension members of the problem document (RFC 9457, section 3.2).
    """

    def __init__(self, slug: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.facts = facts


class Invalid(SaysoError):
    """The request cannot mean anything here: malformed, wrong type, undeclared name."""


class Unauthenticated(SaysoError):
    """No credential, or one that is unknown, expired or revoked."""


class Denied(SaysoError):
    """The caller is known and may not."""


class NotFound(SaysoError):
    """Nothing of that name is visible to this caller."""


class Gone(SaysoError):
    """It was here, and will not be again."""


class Conflict(SaysoError):
    """It contradicts what stands now."""


class Unprocessable(SaysoError):
    """Well formed, but it contradicts an earlier request that it claims to repeat."""


class TooLarge(SaysoError):
    """More bytes or items than this call takes."""


class TooMany(SaysoError):
    """This caller asks more often than it may. `retry_after` is in seconds."""

    def __init__(self, slug: str, message: str, *, retry_after: int = 1, **facts: object) -> None:
        super().__init__(slug, message, **facts)
        self.retry_after = retry_after


class Unavailable(SaysoError):
    """Not now: a part that must work does not, or is full. Nothing was done. `retry_after` is in seconds."""

    def __init__(self, slug: str, message: str, *, retry_after: int = 1, **facts: object) -> None:
        super().__init__(slug, message, **facts)
        self.retry_after = retry_after


class LostRace(Exception):
    """Another unit changed a row that this one was decided on. The kernel re-runs the unit; callers never see it."""
