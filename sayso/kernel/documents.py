"""Documents that are read on paper, as data: what lower floors hand to whoever sets them."""

from typing import Protocol

from msgspec import Struct


class Section(Struct, frozen=True):
    """A part of a document: a heading, and lines of what it is and what it says. `note` stands below them."""

    heading: str
    rows: tuple[tuple[str, str], ...] = ()
    note: str = ""


class Attachment(Struct, frozen=True):
    """A file inside a document, which a reader can take out again byte for byte."""

    name: str
    media_type: str
    content: bytes
    description: str


class Document(Struct, frozen=True):
    """What is to be read on paper, in one language (BCP 47 tag). Plain text everywhere: nothing in it is markup.

    `at` is the document's date in microseconds; the same document gives the same bytes.
    """

    title: str
    lead: str
    locale: str
    at: int
    sections: tuple[Section, ...]
    footer: str = ""
    attachments: tuple[Attachment, ...] = ()


class Renderer(Protocol):
    """Sets documents."""

    async def pdf(self, document: Document) -> bytes:
        """The document as PDF. Raises `Unavailable` when too many wait already."""
        ...
