"""What becomes of a person's answers when they tell more. Pure.

Wishes that decide (channels, caps, quiet hours, pause) obey the rule of all choices: a weaker assurance may tighten
what a stronger one said, never loosen it. A plain answer decides nothing, so the newest counts, with two exceptions: a
mere device does not overwrite what somebody said who was known better, and an import does not overwrite what the
person said themselves unless it proves to be newer.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from consent.choices.recording import METHODS
from consent.errors import UnfitPreference, UnknownPreference
from consent.model import RANK, Assurance
from consent.preferences.contact import Contact
from consent.preferences.preference import BUILT_IN, Questionnaire
from consent.preferences.wishes import read_wishes, wished
from sayso.kernel import SECOND, Invalid, nearest

Unheeded = Literal["late", "weaker", "declared"]
"""Why what was said changed nothing: older than what stands, less sure, or imported over the person's own word."""

_CLOCKS_APART: Final = 300 * SECOND
_LONGEST_SOURCE: Final = 128
_LOOSENING: Final = -1
"""The rank of nobody: with it a wish goes through only when it loosens nothing."""

_UNSAID: Final = Contact()


class Telling(Struct, frozen=True, kw_only=True):
    """A change as it arrives: members of the body by name, None takes an answer back.

    `version` is the one that the change was made on; None: whichever stands. `source` names where it was taken from.
    `occurred_at` is a claim, which can only make an answer lose against a newer one.
    """

    values: Mapping[str, Any]
    method: str = "api"
    assurance: Assurance = "session"
    version: int | None = None
    source: str = ""
    occurred_at: int | None = None


class Answer(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One answer and where it comes from. `at` is when it reached us, `occurred_at` what the caller claims, if it does.

    `purpose` is the one that it was asked for: it serves no other, whatever the question may say later.
    """

    value: Any
    at: int
    method: str
    assurance: str
    actor: str
    entry: str = ""
    source: str = ""
    occurred_at: int = 0
    purpose: str = ""


class Drawn(Struct, frozen=True):
    """What a telling comes to: the answers and the wishes after it, what was said, and what of that changed nothing."""

    answers: dict[str, Answer]
    contact: Contact | None
    said: dict[str, Any]
    ignored: dict[str, str]


def heard(asked: Questionnaire, telling: Telling, at: int) -> dict[str, Any]:
    """What a telling says, by inner name. Raises for one that can mean nothing, whoever it is about.

    `UnknownPreference`, `UnfitPreference`, `Invalid`. Nothing that the person said is repeated in an error.
    """
    if telling.method not in METHODS:
        raise Invalid("unknown-method", "This is no method by which a choice is made.", methods=sorted(METHODS))
    if telling.assurance not in RANK:
        raise Invalid("unknown-assurance", "This is no assurance.", assurances=list(RANK))
    if len(telling.source) > _LONGEST_SOURCE or not telling.source.isprintable():
        raise Invalid("invalid-source", f"A source is up to {_LONGEST_SOURCE} printable characters.")
    if telling.occurred_at is not None and not 0 < telling.occurred_at <= at + _CLOCKS_APART:
        raise Invalid("invalid-time", "A choice cannot have been made in the future.")
    if not telling.values:
        raise Invalid("no-preferences", "A change names one preference at least.")
    said: dict[str, Any] = {}
    for name, value in telling.values.items():
        if value is None and telling.method == "import":
            # A blank cell of somebody's table is not a person who takes their word back.
            raise UnfitPreference(name if name in asked.preferences else "import", "an answer; imports erase nothing")
        if name in BUILT_IN:
            said.update(read_wishes(asked, name, value, at))
        elif name in asked.preferences:
            said[name] = None if value is None else asked.preferences[name].checked(value)
        else:
            raise UnknownPreference(nearest(name, (*asked.preferences, *BUILT_IN)))
    return said


def draw(
    asked: Questionnaire,
    answers: Mapping[str, Answer],
    contact: Contact | None,
    said: Mapping[str, Any],
    telling: Telling,
    since: int,
    actor: str,
) -> Drawn:
    """The answers and wishes after `said`, each for itself: one that is ignored does not hold up the others."""
    after, state = dict(answers), contact or _UNSAID
    counted: dict[str, Any] = {}
    ignored: dict[str, str] = {}
    for name, value in said.items():
        stood = answers.get(name)
        if name.partition(".")[0] in BUILT_IN:
            wish, why = _wish(asked, state, name, value, telling, stood, since)
        else:
            wish, why = state, unheeded(stood, telling) if value is not None else None
        if why is None and wish == state and _same(stood, value, telling, plain=name in asked.preferences):
            continue
        counted[name] = value
        if why is not None:
            ignored[name] = why
            continue
        state = wish
        if value is None:
            after.pop(name, None)
        else:
            after[name] = Answer(
                value=value,
                at=since,
                method=telling.method,
                assurance=telling.assurance,
                actor=actor,
                source=telling.source,
                occurred_at=telling.occurred_at or 0,
                purpose=asked.preferences[name].purpose if name in asked.preferences else "",
            )
    return Drawn(after, None if state == _UNSAID else state, counted, ignored)


def _wish(
    asked: Questionnaire,
    state: Contact,
    name: str,
    value: Any,
    telling: Telling,
    stood: Answer | None,
    at: int,
) -> tuple[Contact, Unheeded | None]:
    """The state with one wish, or why the wish changes nothing. What only tightens is always heard."""
    rank = RANK[telling.assurance]
    wish = wished(state, asked, name, value, rank, at)
    if wish is None:
        return state, "weaker"
    if wish != state and wished(state, asked, name, value, _LOOSENING, at) is None:
        why = unheeded(stood, telling)
        if why is not None:
            return state, why
    return wish, None


def unheeded(stood: Answer | None, said: Telling | Answer) -> Unheeded | None:
    """Why what is said does not take the place of the answer that stands, or None."""
    if stood is None:
        return None
    if RANK[said.assurance] == RANK["device"] < RANK[stood.assurance]:
        return "weaker"
    told_at = stood.occurred_at or stood.at
    if said.occurred_at:
        return "late" if said.occurred_at < told_at else None
    return "declared" if said.method == "import" and stood.method != "import" else None


def _same(stood: Answer | None, value: Any, telling: Telling, *, plain: bool) -> bool:
    """Whether this was said already, in the same way: then there is nothing to write. Of a wish, whose state has not
    changed, the words may differ.
    """
    if stood is None or value is None:
        return stood is None and value is None
    same_words = stood.value == value or not plain
    return same_words and (stood.method, stood.source) == (telling.method, telling.source)


def entered(drawn: Drawn, entry: str, since: int) -> dict[str, Answer]:
    """The answers, those that are new with the log entry that holds them."""
    return {name: replace(each, entry=entry) if each.at == since else each for name, each in drawn.answers.items()}
