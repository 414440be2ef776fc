"""Every route, a file per audience. Who may call one stands on it as data: see `gate.py`."""

from litestar.handlers import BaseRouteHandler

from sayso.server.routes import (
    admin,
    audit,
    catalogue,
    changes,
    confirmations,
    consents,
    console,
    decisions,
    demo,
    facts,
    health,
    identifiers,
    log,
    mail,
    objections,
    preferences,
    privacy,
    receipts,
    retention,
    rights,
    signals,
    sites,
    statics,
    subjects,
    vault,
    webhooks,
    wellknown,
    zero_party,
)

_FILES = (
    consents,
    receipts,
    confirmations,
    mail,
    subjects,
    identifiers,
    zero_party,
    facts,
    objections,
    decisions,
    vault,
    rights,
    retention,
    catalogue,
    audit,
    log,
    changes,
    webhooks,
    sites,
    signals,
    privacy,
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
