"""What a request carries besides itself: what is to be corrected, and what an erasure has to keep."""

from msgspec import Struct, field

from sayso.kernel import Invalid

MOST_CORRECTIONS = 20


class Correction(Struct, frozen=True, forbid_unknown_fields=True):
    """One stored value and what it should be. Kept sealed, and taken away when the request is closed; of a refused one
    while it can be appealed against.
    """

    collection: str
    field: str
    value: str

    def __repr__(self) -> str:
        return f"Correction({self.collection}.{self.field})"


class LegalGround(Struct, frozen=True, forbid_unknown_fields=True):
    """A retention class that a law makes the controller keep: which, why, and until when (RFC 3339; empty: no date)."""

    retention: str = field(name="class")
    ground: str
    until: str = ""


class InvalidCorrection(Invalid):
    """A correction that names nothing, or one place twice."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid-correction", message)


def check_corrections(corrections: tuple[Correction, ...]) -> None:
    """Raises `InvalidCorrection`. Whether the fields exist and take the values is the vault's to say."""
    places = [(each.collection, each.field) for each in corrections]
    if len(places) > MOST_CORRECTIONS:
        raise InvalidCorrection(f"A request corrects up to {MOST_CORRECTIONS} values.")
    if len(set(places)) < len(places):
        raise InvalidCorrection("One value is corrected twice.")
    if not all(each.value.strip() for each in corrections):
        raise InvalidCorrection("A correction says what the value should be.")
