"""What the server reads and tells of opt-outs: the browser's signal, the purposes of tags, the statement of support."""

from typing import Any

from litestar.connection import ASGIConnection

from consent import Catalogue, default_modes
from sayso.server.manifests.sites import Site

GPC = "gpc"


def sends_gpc(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether the browser sends Global Privacy Control: only the exact value `1` counts, and one such header is enough
    (W3C GPC, section 3.2).
    """
    return "1" in connection.headers.getall("sec-gpc", [])


def modes_of(catalogue: Catalogue, site: Site | None) -> dict[str, tuple[str, ...]]:
    """The purposes on which each key of the consent modes rests: as the site says, else by what the purposes do."""
    return default_modes(catalogue) | ((site.consent_modes if site is not None else None) or {})
