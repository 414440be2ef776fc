"""What each id of a person told, and what all of them say together. Pure.

Answers are sealed under the id that they came with and never moved, so that people who were merged can be parted again.
While they are one, what counts of several sheets is what would count had one person said it all, one word after the
other (`telling.py`); what is taken back is taken from every sheet.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from consent.model import RANK
from consent.preferences.preference import BUILT_IN
from consent.preferences.telling import Answer, unheeded


class Sheet(Struct, frozen=True, omit_defaults=True):
    """The answers that one id told, by inner name (`topics`, `channels.sms`), and the instant of the last change.

    `over` tells of a name until when whatever any id said is over: it was taken back, or answered anew by a word that
    was weighed against all the others.
    """

    v: int = 1
    at: int = 0
    answers: dict[str, Answer] = {}
    over: dict[str, int] = {}

    def after(self, heard: Mapping[str, Answer | None], since: int, *, weighed: bool) -> "Sheet":
        """The sheet once this was said at `since`, None for what is taken back. `weighed`: against all ids."""
        answers = {**self.answers, **heard}
        over = {name: since for name, answer in heard.items() if answer is None or weighed}
        kept = {name: answer for name, answer in answers.items() if answer is not None}
        return Sheet(self.v, since, kept, {**self.over, **over})


def joined(sheets: Sequence[Sheet]) -> dict[str, Answer]:
    """What the ids of one person say together, whatever their order."""
    found: dict[str, Answer] = {}
    over = [(at, 0, 0, "", name, None) for sheet in sheets for name, at in sheet.over.items()]
    words = [
        (each.at, 1, RANK.get(each.assurance, 0), each.entry, name, each)
        for sheet in sheets
        for name, each in sheet.answers.items()
    ]
    for *_, name, answer in sorted([*over, *words], key=lambda word: word[:5]):
        if answer is None:
            found.pop(name, None)
        elif name.partition(".")[0] in BUILT_IN or unheeded(found.get(name), answer) is None:
            found[name] = answer
    return found
