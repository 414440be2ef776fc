"""Brands: each its own world. Their list is kept in a world of its own that no brand can be."""

import re

from sayso.kernel import Invalid

WORLD = "_"
"""The world of the installation itself: the list of brands. No brand's name matches it."""

DEFAULT = "default"

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


def tenant_name(text: str) -> str:
    """A brand's name, as it may stand in keys, log origins and addresses. Raises `Invalid`."""
    if not _NAME.fullmatch(text):
        raise Invalid(
            "invalid-tenant-name", "A tenant's name has 1 to 32 lower-case letters, digits and inner hyphens."
        )
    return text
