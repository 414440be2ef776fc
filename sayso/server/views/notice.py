"""What the page of a notice shows: every published version, and what changed from one to another."""

from collections.abc import Sequence

from consent import Catalogue, Notice
from sayso.server.brand.texts import worded
from sayso.server.pages import Brand, Frame, NoticeDifference, NoticePage, NoticeText, NoticeVersion, differing

_TOLD = ("method", "timing", "storage", "participation", "complaints", "risks")


def notice_page(
    catalogue: Catalogue,
    versions: Sequence[Notice],
    frame: Frame,
    brand: Brand,
    *,
    version: int | None = None,
    language: str | None = None,
    earlier: int | None = None,
    later: int | None = None,
) -> NoticePage:
    """The page of a notice with these versions, newest first. What the query names and is not there is as if unsaid."""
    told = tuple(_version(catalogue, each, frame.locale) for each in versions)
    by_number = {each.version: each for each in versions}
    shown = next((each for each in told if each.version == version), told[0])
    locale = _language(by_number[shown.version], language, frame.locale)
    difference = None
    if len(versions) > 1:
        newer = by_number.get(later or 0, by_number[shown.version])
        older = by_number.get(earlier or 0) or next(
            (each for each in versions if each.version < newer.version), versions[-1]
        )
        difference = _difference(catalogue, older, newer, locale, frame.locale)
    return NoticePage(
        frame=frame,
        brand=brand,
        name=versions[0].name,
        versions=told,
        shown=shown,
        locale=locale,
        difference=difference,
    )


def _version(catalogue: Catalogue, notice: Notice, reader: str) -> NoticeVersion:
    return NoticeVersion(
        version=notice.version,
        published_at=notice.published_at,
        hash=notice.hash(),
        purposes=_titles(catalogue, notice.purposes, reader),
        asks_again=_titles(catalogue, notice.asks_again(), reader),
        texts=tuple(
            NoticeText(
                locale=locale,
                title=notice.title.get(locale, ""),
                text=text,
                told={name: texts[locale] for name in _TOLD if locale in (texts := getattr(notice, name))},
                hash=notice.text_hash(locale),
            )
            for locale, text in notice.text.items()
        ),
    )


def _difference(catalogue: Catalogue, older: Notice, newer: Notice, locale: str, reader: str) -> NoticeDifference:
    members = {}
    for name in ("title", "text", *_TOLD):
        before, after = (getattr(each, name).get(locale, "") for each in (older, newer))
        if before != after:
            members[name] = differing(before, after)
    return NoticeDifference(
        earlier=older.version,
        later=newer.version,
        members=members,
        came=_titles(catalogue, [name for name in newer.purposes if name not in older.purposes], reader),
        went=_titles(catalogue, [name for name in older.purposes if name not in newer.purposes], reader),
    )


def _titles(catalogue: Catalogue, names: Sequence[str], reader: str) -> tuple[str, ...]:
    """The purposes as they are called today; one that is declared no more by its name."""
    known = catalogue.purposes
    return tuple(worded(known[name].title, reader, name) if name in known else name for name in names)


def _language(notice: Notice, wanted: str | None, reader: str) -> str:
    """The notice's language that was asked for, else the reader's, else English, else its first."""
    offered = {each.lower(): each for each in notice.text}
    for each in (wanted or "", reader, reader.partition("-")[0], "en"):
        if each.lower() in offered:
            return offered[each.lower()]
    return next(iter(notice.text))
