"""When time alone changes an answer: terms that end, quiet hours, pauses, limits, birthdays. Pure."""

from collections.abc import Callable

from consent import WINDOWS, Catalogue, PersonState, birthdays, quiet_edges


def first_turn(
    allowed: Callable[[PersonState, int], bool],
    person: PersonState,
    channel: str | None,
    catalogue: Catalogue,
    at: int,
    until: int,
) -> int:
    """The first instant after `at` and before `until` from which the person is permitted where they were not, or the
    other way round; `until` when there is none.
    """
    moments = sorted({each for each in _moments(person, channel, catalogue, at, until) if at < each < until})
    if not moments:
        return until
    now = allowed(person, at)
    return next((each for each in moments if allowed(person, each) != now), until)


def _moments(person: PersonState, channel: str | None, catalogue: Catalogue, at: int, until: int) -> list[int]:
    """Every instant at which something about the person may begin to be judged otherwise."""
    found = [person.suppressed_until]
    for choice in person.choices.values():
        found.append(choice.expires_at)
        found += [cover.expires_at for cover in choice.covers.values()]
    found += [request.until for request in person.waiting.values()]
    for relation in person.relations:
        found += (relation.start, relation.until)
    if person.minority is not None and person.minority.age is not None:
        found += birthdays(person.minority.age, catalogue)
    if channel is not None and person.contact is not None:
        contact = person.contact
        found.append(contact.pause_until)
        found += quiet_edges(contact.quiet, at, until)
        cap = contact.caps.get(channel)
        if cap is not None:
            found += [use.at + WINDOWS[cap.per] for use in contact.uses.get(channel, ())]
    return found
