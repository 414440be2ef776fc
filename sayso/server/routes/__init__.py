"""Every route, a file per audience. Who may call one stands on it as data: see `gate.py`."""

from litestar.handlers import BaseRouteHandler

from sayso.server.routes import (
    admin,
    audit,
    consents,
    console,
    decisions,
    demo,
    health,
    log,
    preferences,
    rights,
    sites,
    statics,
    subjects,
    vault,
    wellknown,
)

_FILES = (
    consents,
    subjects,
    decisions,
    vault,
    rights,
    audit,
    log,
    sites,
    admin,
    wellknown,
    health,
    statics,
    preferences,
    console,
    demo,
)


def all_handlers() -> list[BaseRouteHandler]:
    """All of them, in the order of the API reference."""
    return [handler for file in _FILES for handler in file.handlers]
