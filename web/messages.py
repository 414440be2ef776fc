"""Collects the interface texts of the templates and pages, and brings every catalogue up to them.

`python web/messages.py`.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

SERVER = Path(__file__).parent.parent / "sayso" / "server"
METHODS = [("templates/**.html", "jinja2"), ("pages/**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "translate": (2,), "pgettext": ((1, "c"), 2)}
OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "false"}}

HEADER = """\
# Interface texts of Sayso. The English text is the key; `python web/messages.py` adds what is new.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def messages() -> Catalog:
    """Every text that templates and pages ask for, with where it stands."""
    found = Catalog(project="Sayso", version="", charset="utf-8")
    for file, _line, message, comments, context in extract_from_dir(
        SERVER, METHODS, OPTIONS, KEYWORDS, comment_tags=()
    ):
        found.add(message, locations=[(file, 1)], auto_comments=comments, context=context)
    return found


def update(path: Path, template: Catalog) -> list[str]:
    """Bring one catalogue up to the template; what it still lacks."""
    with path.open("rb") as source:
        catalogue = read_po(source, locale=path.parent.parent.name)
    catalogue.update(template, no_fuzzy_matching=True)
    with path.open("wb") as target:
        target.write(HEADER.format(language=path.parent.parent.name).encode())
        write_po(
            target, catalogue, width=140, omit_header=True, no_location=True, ignore_obsolete=True, sort_output=True
        )
    return [str(message.id) for message in catalogue if message.id and not message.string]


if __name__ == "__main__":
    missing = [
        (path, text) for path in SERVER.glob("locales/*/LC_MESSAGES/sayso.po") for text in update(path, messages())
    ]
    for path, text in missing:
        print(f"{path.relative_to(SERVER)}: {text}")
    sys.exit(bool(missing))
