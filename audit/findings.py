"""What the offline verifier finds, and how it tells it."""

from msgspec import Struct

SOUND, BROKEN, UNUSABLE = 0, 1, 2

KEY_NOT_CHECKED = "KEY NOT CHECKED: signatures fit the key that came with the input; pass yours with --trust"


class Broken(Exception):
    """Something does not hold. `index` is the first bad entry where there is one, `place` the file or part it was found
    in.
    """

    def __init__(self, message: str, *, index: int | None = None, place: str | None = None) -> None:
        super().__init__(message)
        self.index = index
        self.place = place


class Unusable(Exception):
    """Not something this verifier can judge: of no known kind, unreadable, or with files that do not belong to it."""


class Verdict(Struct, frozen=True):
    """The answer: exit code (0 sound, 1 broken, 2 unusable), what was found, and the first bad index if entries are
    concerned.
    """

    code: int
    lines: tuple[str, ...]
    index: int | None = None
    place: str | None = None

    @property
    def report(self) -> str:
        """What to print."""
        return "\n".join(self.lines)
