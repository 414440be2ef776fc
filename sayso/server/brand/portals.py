"""The brand's own address of the preference centre: a host of its own that leads here, in its name and its colours.

    sites:
      shop: {…, portal: "https://privacy.tea.example"}

The brand's DNS and proxy bring that host to this server with the `Host` header as it came. On it the door speaks for
that brand and no other, links lead to it, and cookies are its own. A host that two brands claim is the older one's.
"""

from urllib.parse import urlsplit

from msgspec import Struct

from sayso.server.manifests.configuration import Configuration, Configurations
from sayso.server.manifests.sites import Site
from sayso.server.settings import Settings


class Portal(Struct, frozen=True):
    """A host that is a brand's: whose, and of which of its sites."""

    tenant: str
    site: Site


def portal_at(configurations: Configurations, host: str) -> Portal | None:
    """The portal behind a `Host` header; None for the installation's own address and every other."""
    wanted = host.lower()
    for tenant in configurations.tenants():
        for site in configurations.of(tenant).sites.values():
            if site.portal and urlsplit(site.portal).netloc == wanted:
                return Portal(tenant, site)
    return None


def address_for(settings: Settings, configuration: Configuration, site: str = "") -> str:
    """Where people of the brand reach its pages: the portal of that site, else of its first that has one, else ours."""
    sites = configuration.sites
    named = [sites[site]] if site in sites else []
    return next((each.portal for each in (*named, *sites.values()) if each.portal), settings.base_url)
