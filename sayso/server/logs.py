"""Program logs: one JSON object a line on standard error. Route templates only; no bodies, no ids, no addresses.

This is for whoever runs the server. What was decided and done about people stands in the audit log, nowhere else.
"""

import logging
import sys
import traceback
from typing import TextIO

import msgspec

from sayso.kernel import iso, now

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Log:
    """Writes events with plain facts. Each fact's name is chosen in the code; its value is a number or a fixed name."""

    def __init__(self, level: str = "info", stream: TextIO | None = None) -> None:
        self._floor = LEVELS.get(level, 20)
        self._stream = stream

    def info(self, event: str, **facts: str | int | float | None) -> None:
        self._write("info", event, facts)

    def warning(self, event: str, **facts: str | int | float | None) -> None:
        self._write("warning", event, facts)

    def error(self, event: str, error: BaseException | None = None, **facts: str | int | float | None) -> None:
        """An event with where it went wrong: type and code lines, never the exception's words (they may quote data)."""
        if error is not None:
            facts["error"] = type(error).__name__
            facts["where"] = _places(error)
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, str | int | float | None]) -> None:
        if LEVELS[level] < self._floor:
            return
        line = {"at": iso(now()), "level": level, "event": event}
        line.update({name: value for name, value in facts.items() if value is not None})  # type: ignore[misc]
        stream = self._stream or sys.stderr
        stream.write(msgspec.json.encode(line).decode() + "\n")
        stream.flush()


class Bridge(logging.Handler):
    """Brings warnings of libraries into the same form, without their arguments: those may quote a request."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._log.error("library", error, logger=record.name, source=f"{record.module}:{record.lineno}")


def configure(log: Log) -> None:
    """Send what libraries log through `log`."""
    root = logging.getLogger()
    root.handlers[:] = [Bridge(log)]
    root.setLevel(logging.WARNING)


def _places(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
