"""The completeness gate: what a notice shows must be there in every language, and be all that a standard asks.

Drafts are let through. With a section `languages`, a gap in a reviewed or published notice is refused; without one the
languages are those of the notice's own text, and a gap is doubted.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from consent.catalogue.notice import MANDATORY, Notice
from consent.catalogue.purpose import Purpose, Texts
from consent.catalogue.reader import Reader
from sayso.kernel import Problem

if TYPE_CHECKING:
    from consent.catalogue.declarations import Declarations

_STORY = {
    "method": "how data are collected and used",
    "timing": "when and where",
    "storage": "where they lie and under which law",
    "participation": "how to access, correct and withdraw",
    "complaints": "whom to complain to",
    "risks": "the risks",
}


def check_complete(declared: "Declarations", reader: Reader) -> Iterator[Problem]:
    """Adds gaps that are refused to the reader's problems; yields those that are only doubted."""
    seen: set[str] = set()
    for notice in declared.notices.values():
        if notice.status == "draft":
            continue
        languages = declared.languages or tuple(notice.text)
        gaps = list(_gaps(reader, "notices", notice.name, _shown(notice), languages))
        for name in asked_of(declared, notice):
            if name not in seen:
                seen.add(name)
                gaps += _gaps(reader, "purposes", name, _told(declared.purposes[name]), languages)
        if declared.languages:
            reader.problems += gaps
        else:
            yield from gaps
        missing = list(_unsaid(declared, notice))
        if missing and notice.standard:
            place = _place(reader, "notices", notice.name, "standard")
            reader.problems += [
                Problem(*place, f"ISO/IEC 29184 has a notice tell {each}, and nothing here does.") for each in missing
            ]
        elif missing:
            message = f"Notice {notice.name!r} does not tell what ISO/IEC 29184 asks: {', '.join(missing)}."
            yield Problem(*_place(reader, "notices", notice.name), message)


def asked_of(declared: "Declarations", notice: Notice) -> tuple[str, ...]:
    """The declared purposes that a notice asks about: those it names, and those below one that is only implied."""
    found: dict[str, None] = {}
    for name in notice.purposes:
        if name in declared.purposes:
            found[name] = None
        else:
            found.update((each, None) for each in declared.purposes if each.startswith(name + "."))
    return tuple(found)


def _shown(notice: Notice) -> dict[str, Texts]:
    texts = {member: getattr(notice, member) for member in ("title", *MANDATORY)}
    return {"text": notice.text, **{member: each for member, each in texts.items() if each}}


def _told(purpose: Purpose) -> dict[str, Texts]:
    texts = {"description": purpose.description, "justification": purpose.justification}
    return {"title": purpose.title, **{member: each for member, each in texts.items() if each}}


def _gaps(
    reader: Reader, section: str, name: str, texts: dict[str, Texts], languages: tuple[str, ...]
) -> Iterator[Problem]:
    for member, each in texts.items():
        missing = [language for language in languages if language not in each]
        if missing:
            what = "Notice" if section == "notices" else "Purpose"
            message = f"{what} {name!r} has no {member} in {', '.join(missing)}."
            yield Problem(*_place(reader, section, name, member), message)


def _unsaid(declared: "Declarations", notice: Notice) -> Iterator[str]:
    """What ISO/IEC 29184 asks a notice to tell and neither it nor the sections behind it do."""
    yield from (story for member, story in _STORY.items() if not getattr(notice, member))
    if not declared.controller.name:
        yield "who the controller is (section 'controller')"
    asked = [declared.purposes[name] for name in asked_of(declared, notice)]
    for member, story in (("categories", "which data"), ("retention", "for how long"), ("storage_locations", "where")):
        if lacking := [purpose.name for purpose in asked if not getattr(purpose, member)]:
            yield f"{story} for {', '.join(lacking)} ({member!r})"


def _place(reader: Reader, *path: str) -> tuple[str, int]:
    return reader.places.get(path) or reader.places.get(path[:2]) or ("", 0)
