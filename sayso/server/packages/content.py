"""What stands in an access package: `data.json` for machines, `data.html` to read, receipts and proofs beside them."""

import io
import zipfile
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from consent import HistoryItem, IdentifierState, Preferences, SubjectFacts, SubjectState
from rights import RequestView
from sayso.server.pages import Use
from sayso.server.views.person_data import HeldValue

FORMAT: Final = "sayso.person.v2"

_STAMP: Final = (1980, 1, 1, 0, 0, 0)
"""When files in the zip were changed: a package says itself when it was made, and equal content is an equal file."""


class Told(Struct, frozen=True):
    """`data.json`: docs/formats/person.md. `values` are by `collection.field`; `withheld` are those left out."""

    format: str
    made_at: str
    controller: str
    subject: str
    request: str
    state: SubjectState
    preferences: Preferences
    identifiers: list[IdentifierState]
    facts: SubjectFacts
    stored: list[HeldValue]
    values: dict[str, str]
    withheld: tuple[str, ...]
    requests: list[RequestView]
    systems: dict[str, Any] = {}
    """What other systems found, as they told it."""
    history: list[HistoryItem] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)


class Part(Struct, frozen=True, array_like=True):
    """What one step collected: the members of lists as finished JSON, their HTML, and files beside them."""

    history: tuple[msgspec.Raw, ...] = ()
    uses: tuple[msgspec.Raw, ...] = ()
    html: str = ""
    files: dict[str, str] = {}
    told: Any = None


encode = msgspec.json.Encoder().encode


def part(collected: Part) -> bytes:
    """A part as it is kept."""
    return encode(collected)


def zipped(parts: list[bytes], head: str, tail: str, *, readable: bool) -> bytes:
    """The package from its parts. `readable`: with `data.html`, which begins and ends so."""
    made = [msgspec.json.decode(each, type=Part) for each in parts]
    told = next(each.told for each in made if each.told is not None)
    told["history"] = [item for each in made for item in each.history]
    told["uses"] = [item for each in made for item in each.uses]
    files = {"data.json": msgspec.json.format(encode(told), indent=1)}
    if readable:
        files["data.html"] = (head + "".join(each.html for each in made) + tail).encode()
    for each in made:
        files |= {name: content.encode() for name, content in each.files.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
