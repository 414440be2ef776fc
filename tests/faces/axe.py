"""axe-core in a page: laid in once, asked as often as the page changes its width or its light."""

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

SOURCE = next(Path(axe_playwright_python.__file__).parent.rglob("axe*.js"))

COLOURS = {"type": "tag", "values": ["cat.color"]}
"""The rules on which the light of a page has an influence."""


def findings(page: Page, within: str | None = None, only: dict[str, Any] | None = None) -> str:
    """What axe finds, a line for each place: by all rules or by some, in the whole page or in a part of it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(SOURCE.read_text())
    options = {"resultTypes": ["violations"], **({"runOnly": only} if only else {})}
    violations = page.evaluate(
        "([within, options]) => axe.run(within ?? document, options).then(({violations}) => violations)",
        [within, options],
    )
    return "\n".join(
        f"{found['id']} ({found['impact']}): {node['html'][:160]}" for found in violations for node in found["nodes"]
    )
