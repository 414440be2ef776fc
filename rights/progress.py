"""How far another system is with a request."""

from msgspec import Struct


class SystemView(Struct, frozen=True, omit_defaults=True):
    """How far one system is with a request. `status`: open, failed, done, or waived (closed without it, `reason`)."""

    task: str
    system: str
    status: str
    due_at: str
    overdue: bool = False
    settled_at: str = ""
    count: int = 0
    reason: str = ""
    entry: str = ""
    recipient: str = ""
