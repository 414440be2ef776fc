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


class UnpublishedNotice(NotFound):
    """No such notice, or no such version of it, was ever published here."""

    def __init__(self) -> None:
        super().__init__("unpublished-notice", "No such version of a notice is published here.")


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


class NoFact(NotFound):
    """No such fact about this person is recorded."""

    def __init__(self) -> None:
        super().__init__("no-fact", "No such fact about this person is recorded.")


class SeparateConsentNeeded(Invalid):
    """Purposes that ask for a consent of their own were granted together with others."""

    def __init__(self, purposes: list[str]) -> None:
        super().__init__(
            "separate-consent-needed",
            "These purposes are granted in a call of their own, one at a time and outside any bundle.",
            purposes=purposes,
        )


class ExplicitMethodNeeded(Invalid):
    """Purposes with sensitive data were granted by something less than an express statement."""

    def __init__(self, purposes: list[str]) -> None:
        super().__init__(
            "explicit-method-needed",
            "These purposes use sensitive data and are granted by an express statement only.",
            purposes=purposes,
        )


class GuardianNeeded(Conflict):
    """A grant for a child that no guardian indicated. `below` is the age in years that the law asks for."""

    def __init__(self, below: int) -> None:
        super().__init__("guardian-needed", "This person is a child: a guardian says yes for them.", below=below)


class NoAdvertising(Conflict):
    """Advertising was granted for somebody so young that nobody can agree to it."""

    def __init__(self, purposes: list[str], below: int) -> None:
        super().__init__(
            "no-advertising", "Below this age nobody can agree to advertising.", purposes=purposes, below=below
        )


class NotAGuardian(Invalid):
    """Whoever is said to have chosen is not recorded as a guardian of this person."""

    def __init__(self) -> None:
        super().__init__("not-a-guardian", "No such guardian of this person is recorded.")


class NothingWaits(Conflict):
    """What was to be confirmed was refused, replaced or confirmed since, or its term has passed."""

    def __init__(self) -> None:
        super().__init__("nothing-waits", "Nothing waits for this confirmation, or not any more.")


class NothingToUndo(Conflict):
    """What was to be undone cannot be: its time has passed, or something else was chosen since."""

    def __init__(self) -> None:
        super().__init__("nothing-to-undo", "This cannot be undone, or not any more.")


class NotAList(Invalid):
    """A purpose that no no can block (contract, law) is nothing to unsubscribe from."""

    def __init__(self, purpose: str) -> None:
        super().__init__("not-a-list", "Nobody can unsubscribe from that purpose.", purpose=purpose)


class UnknownUnsubscribe(NotFound):
    """An unsubscribe address that was not made here, or leads to somebody who was erased: one answer."""

    def __init__(self) -> None:
        super().__init__("unknown-unsubscribe", "This address leads to nobody here.")


class Held(Conflict):
    """A legal hold keeps this person's data; nothing of it is erased until the hold ends."""

    def __init__(self) -> None:
        super().__init__("held", "A legal hold stands over this person's data.")


class CodeUnusable(NotFound):
    """A one-time code that is unknown, used, run out, tried too often or made for something else: one answer."""

    def __init__(self) -> None:
        super().__init__("code-unusable", "This code cannot be used, or not any more.")


class NotTheirIdentifier(NotFound):
    """An identifier that does not lead to this person, whoever it may lead to."""

    def __init__(self) -> None:
        super().__init__("no-identifier", "This person has no such identifier.")


class LastIdentifier(Conflict):
    """Without it nobody could find the person again, and a no that they said would be lost."""

    def __init__(self) -> None:
        super().__init__("last-identifier", "A person keeps one identifier at least; erase the person instead.")


class TooManyIds(Conflict):
    """More ids than one person may have been known by."""

    def __init__(self, limit: int) -> None:
        super().__init__("too-many-ids", "This person has as many merged ids as one person may have.", limit=limit)


class GuardianOfTheOther(Conflict):
    """One of the two is recorded as the guardian of the other: they are two people."""

    def __init__(self) -> None:
        super().__init__("guardian-of-the-other", "One of these two people is the other's guardian.")


class LinkUnusable(NotFound):
    """A one-time code that is unknown, used or run out. One answer for all three."""

    def __init__(self) -> None:
        super().__init__("link-unusable", "This link cannot be used any more.")


class UnknownPreference(Invalid):
    """A preference, or a member of one, that nobody declared; `nearest` is the known name most like it."""

    def __init__(self, nearest: str | None = None) -> None:
        super().__init__(
            "unknown-preference", "This preference is not declared.", **({"nearest": nearest} if nearest else {})
        )


class UnfitPreference(Invalid):
    """A value that is no answer to the preference `member`. What it was is not repeated."""

    def __init__(self, member: str, expects: str) -> None:
        super().__init__("unfit-preference", f"This fits {member}: {expects}.", member=member, expects=expects)


class StalePreferences(Conflict):
    """The preferences were changed since the version that this change was made on."""

    def __init__(self, *, submitted: int, version: int) -> None:
        super().__init__(
            "stale-preferences",
            "These preferences were changed in the meantime; read them again.",
            submitted_version=submitted,
            version=version,
        )
