"""The hottest calls of services: which address leads to which function. Their Litestar twins stand in `routes/`."""

from typing import Final

from sayso.server.calls import consents, decisions, finding, revealing, storing
from sayso.server.dispatcher import HotCall

HOT_CALLS: Final = {
    "/v1/consents": HotCall("consents.record", consents.RECORDERS, consents.recorded),
    "/access/v1/evaluation": HotCall("access.evaluation", decisions.ASKERS, decisions.evaluation, authzen=True),
    "/access/v1/evaluations": HotCall("access.evaluations", decisions.ASKERS, decisions.evaluations, authzen=True),
    "/v1/vault/records": HotCall("vault.store", storing.WRITERS, storing.stored),
    "/v1/vault/search": HotCall("vault.search", finding.FINDERS, finding.found),
    "/v1/vault/reveal": HotCall("vault.reveal", revealing.REVEALERS, revealing.revealed),
}
