"""The demo mailer's queue: letters that wait, and letters that were taken out because somebody said no."""

from msgspec import Struct

from .environment import render
from .frame import Brand, Frame


class QueuedLetter(Struct, frozen=True, kw_only=True):
    """One letter. `dropped_at` is None while it waits."""

    token: str
    queued_at: int
    dropped_at: int | None = None


class MailroomPage(Struct, frozen=True, kw_only=True):
    """The queue, newest first."""

    frame: Frame
    brand: Brand
    letters: tuple[QueuedLetter, ...]


def render_mailroom(page: MailroomPage) -> str:
    """The queue's one page."""
    return render("pages/mailroom.html", page.frame, page=page)
