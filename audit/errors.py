"""What can go wrong in the log, named after what happened."""

from sayso.kernel import Conflict, Gone, Invalid, NotFound, Unavailable


class EntryNotFound(NotFound):
    """No entry of that id in this tenant's logs, integrated or waiting."""

    def __init__(self) -> None:
        super().__init__("not-found", "There is no such entry.")


class EntryPruned(Gone):
    """The entry is no longer here: its time was over. Its hash is, and whoever kept it can prove it still."""

    def __init__(self) -> None:
        super().__init__(
            "entry-pruned", "Entries of this age were pruned when their time was over; only an export still has them."
        )


class LogNotFound(NotFound):
    """No log of that name, or nothing signed in it yet."""

    def __init__(self) -> None:
        super().__init__("not-found", "There is no such log.")


class TileNotFound(NotFound):
    """A tile or bundle that the signed log does not have, or not that wide."""

    def __init__(self) -> None:
        super().__init__("not-found", "There is no such tile.")


class NotIntegrated(Conflict):
    """The entry is durable, but no signed checkpoint covers it yet. `retry_after` is in seconds."""

    retry_after = 1

    def __init__(self) -> None:
        super().__init__("not-integrated", "The entry is stored; a checkpoint will cover it in a second.")


class NotWitnessed(Conflict):
    """The entry is durable, but no checkpoint that enough witnesses cosigned covers it yet."""

    retry_after = 10

    def __init__(self) -> None:
        super().__init__("not-witnessed", "The entry is stored; witnesses have not cosigned it yet.")


class SizeNotInLog(Invalid):
    """A tree size or an index beyond what is signed."""

    def __init__(self, signed: int) -> None:
        super().__init__("size-not-in-log", "The log has no such size or index yet.", size=signed)


class LogForked(Unavailable):
    """The database holds another history than was signed: a restored backup, a clone, or tampering. Nothing is signed.

    `found` says which witness of the earlier history contradicts it: the last checkpoint, or the anchor file.
    """

    def __init__(self, log: str, found: str, signed: int, size: int) -> None:
        super().__init__(
            "log-forked",
            f"The log contradicts {found}; nothing more is integrated or signed until an operator has looked at it.",
            retry_after=600,
            log=log,
            signed_size=signed,
            size=size,
        )
        self.seen = log, found, signed, size

    @classmethod
    def again(cls, error: "LogForked") -> "LogForked":
        """The same, to be raised once more: an exception keeps its traceback, and this one is kept for long."""
        return cls(*error.seen)


class LogBehind(Unavailable):
    """The integrator is further behind than was agreed; nothing new is taken until it has caught up."""

    def __init__(self, pending: object) -> None:
        super().__init__(
            "log-behind",
            "Too many entries wait to be integrated; nothing was done for this request.",
            retry_after=5,
            pending=pending,
        )


class AnchorUnusable(Unavailable):
    """The anchor file cannot be written: a full disk, a failing one, missing rights. Nothing is signed."""

    def __init__(self) -> None:
        super().__init__(
            "log-anchor-unusable", "The anchor file cannot be written, so nothing is signed.", retry_after=30
        )


class RecoveryRefused(Conflict):
    """The log cannot be recovered in this way; `message` says why. Nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__("recovery-refused", message)


class NothingMore(RecoveryRefused):
    def __init__(self) -> None:
        super().__init__("The folder holds no more of the log than the database.")


class NothingToRecover(RecoveryRefused):
    def __init__(self) -> None:
        super().__init__("The log contradicts nothing; there is nothing to recover.")


class PruneRefused(Conflict):
    """Nothing was pruned; `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__("prune-refused", message)


class ExportRefused(Conflict):
    """The folder holds something that is not an earlier export of this very log. Nothing in it was overwritten."""

    def __init__(self, message: str) -> None:
        super().__init__("export-refused", message)


class TimestampRefused(Unavailable):
    """A time-stamp authority does not answer, or not with a stamp that holds; `why` says which. It is asked again."""

    def __init__(self, why: str) -> None:
        super().__init__("timestamp-refused", f"The time-stamp authority gave no stamp that holds: {why}.")
