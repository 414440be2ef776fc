"""The banner and its rivals: their files, and how a page embeds each as its own documentation says.

Each asks for the same three purposes with the same words. The rivals come from npm into a temporary folder, at the
versions named here, and go away with it.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sayso.server.pages import banner_script
from tests.faces.samples import a_banner, words

OREJIME, VANILLA = "orejime@3.2.1", "vanilla-cookieconsent@3.1.0"
PURPOSES = (("marketing.email", "news"), ("analytics", "analytics"), ("ads", "ads"))


@dataclass(frozen=True)
class Contender:
    """One banner. `head` stands in the page's head; `{}` in `blocked` is a script that waits for the purpose `ads`.

    `banner` is JavaScript for the element that must be seen; `accept` the selector of the button that says yes to all.
    """

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    head: str = ""
    blocked: str = ""
    banner: str = "null"
    accept: str = ""


def nobody() -> Contender:
    """The page without a banner, which every figure is taken beside."""
    return Contender("none")


def empty() -> Contender:
    """A script that does nothing: what any file costs, however small."""
    return Contender("empty", {"/empty.js": b"0"}, '<script async src="/empty.js"></script>')


def ours() -> Contender:
    path = "/v1/sites/shop/banner.js"
    return Contender(
        "Sayso",
        {path: banner_script(a_banner())},
        f'<script async src="{path}"></script>',
        '<script type="text/plain" data-purpose="ads">{}</script>',
        "document.querySelector('sayso-say')?.shadowRoot.querySelector('.card')",
        "sayso-say .card button:nth-of-type(2)",
    )


def orejime(dist: Path) -> Contender:
    word = words("en")
    purposes = [
        {"id": name, "title": word[key], "description": word[f"{key}_text"], "cookies": []} for name, key in PURPOSES
    ]
    configuration = json.dumps({"privacyPolicyUrl": "/privacy", "purposes": purposes})
    return Contender(
        "Orejime",
        {f"/orejime/{name}": (dist / name).read_bytes() for name in ("orejime-standard-en.js", "orejime-standard.css")},
        f'<link rel="stylesheet" href="/orejime/orejime-standard.css"><script>window.orejimeConfig={configuration}'
        '</script><script defer src="/orejime/orejime-standard-en.js"></script>',
        '<template data-purpose="ads"><script>{}</script></template>',
        "document.querySelector('.orejime-Banner')",
        ".orejime-Banner-saveButton, .orejime-Banner button:has-text('Accept')",
    )


def vanilla(dist: Path) -> Contender:
    word = words("en")
    sections = [
        {"title": word[key], "description": word[f"{key}_text"], "linkedCategory": name.replace(".", "-")}
        for name, key in PURPOSES
    ]
    buttons = {"acceptAllBtn": "Accept all", "acceptNecessaryBtn": "Refuse all"}
    texts = {
        "consentModal": {
            "title": "Your say about your data", "description": word["notice"], "showPreferencesBtn": "Choose",
            **buttons,
        },
        "preferencesModal": {
            "title": "Choose what we may do", "savePreferencesBtn": "Save my choice", "sections": sections, **buttons
        },
    }  # fmt: skip
    categories = {"necessary": {"readOnly": True}} | {name.replace(".", "-"): {} for name, _ in PURPOSES}
    configuration = json.dumps(
        # It hides from browsers that are driven by a program unless told not to.
        {"hideFromBots": False, "categories": categories, "language": {"default": "en", "translations": {"en": texts}}}
    )
    names = ("cookieconsent.umd.js", "cookieconsent.css")
    return Contender(
        "vanilla-cc",
        {f"/vanilla/{name}": (dist / name).read_bytes() for name in names},
        '<link rel="stylesheet" href="/vanilla/cookieconsent.css"><script defer src="/vanilla/cookieconsent.umd.js">'
        f'</script><script type="module">CookieConsent.run({configuration})</script>',
        '<script type="text/plain" data-category="ads">{}</script>',
        "document.querySelector('#cc-main .cm')",
        '#cc-main .cm [data-role="all"]',
    )


@contextmanager
def rivals() -> Iterator[list[Contender]]:
    """Both rivals, or none where npm is not there or reaches nothing."""
    folder = Path(tempfile.mkdtemp(prefix="rivals-"))
    try:
        yield _installed(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _installed(folder: Path) -> list[Contender]:
    if shutil.which("npm") is None:
        print("npm is not there: no rivals")
        return []
    command = ["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    (folder / "package.json").write_text("{}")
    done = subprocess.run([*command, OREJIME, VANILLA], capture_output=True, text=True, check=False)
    if done.returncode:
        print("npm reaches no registry: no rivals")
        return []
    modules = folder / "node_modules"
    return [orejime(modules / "orejime" / "dist"), vanilla(modules / "vanilla-cookieconsent" / "dist")]
