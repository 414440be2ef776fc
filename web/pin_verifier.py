"""Writes the hashes of its script and style into the policy of `audit/offline/verify.html`. Run it after a change."""

import base64
import re
from hashlib import sha256
from pathlib import Path

PAGE = Path(__file__).parent.parent / "audit" / "offline" / "verify.html"


def pinned(page: str) -> str:
    """The page with the hashes that its policy must name."""
    for directive, element in (("script-src", "script"), ("style-src", "style")):
        inside = re.search(rf"<{element}>(.*?)</{element}>", page, re.S)
        assert inside is not None
        value = base64.b64encode(sha256(inside[1].encode()).digest()).decode()
        page = re.sub(rf"{directive} 'sha256-[^']*'", f"{directive} 'sha256-{value}'", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(pinned(PAGE.read_text("utf-8")), "utf-8")
