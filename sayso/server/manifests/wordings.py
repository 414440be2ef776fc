"""Wordings of one question that a site tries side by side, and what the law asks of each.

Only a heading and a sentence before the notice may vary: its text, the buttons, their order and their look are the same
for everybody. A wording that leans to one answer is refused: EDPB guidelines 03/2022 (emotional steering), GDPR
recitals 32 and 42, 11 CCR 7004 (symmetry in choice; no language that guilts or shames).
"""

import re
from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct

from sayso.kernel import Map, Node, Problem, Scalar, nearest, problem

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
MOST: Final = 4
LENGTHS: Final = {"title": 80, "lead": 240}

_YES_AND_NO: Final = {
    "en": (r"\b(accept|agree|allow|consent|yes)", r"\b(refuse|reject|decline|disagree|no\b|not\b)"),
    "de": (r"\b(akzeptier|zustimm|erlaub|einwillig|ja\b)", r"\b(ablehn|verweiger|widersprech|nein\b|nicht\b)"),
    "fr": (r"\b(accept|autoris|consent|oui\b)", r"\b(refus|rejet|non\b|pas\b)"),
    "es": (r"\b(acept|permit|consient|sí\b)", r"\b(rechaz|neg|no\b)"),
    "pt": (r"\b(aceit|permit|consent|sim\b)", r"\b(recus|rejeit|neg|não\b)"),
    "zh": ("同意|接受|允许", "拒绝|不同意|不接受|不允许"),
    "ja": ("同意|許可|承諾|はい", "拒否|拒む|いいえ|しない"),
    "ar": ("قبول|موافق|أوافق|نعم", "رفض|أرفض|لا"),
}
_PRESSURE: Final = {
    "en": r"\b(lose|miss out|last chance|hurry|only today|won.t work|cannot use|(?:best|better) experience|sorry)\b",
    "de": r"\b(verpass|letzte chance|nur heute|beste[ns]? erlebnis|leider)",
    "fr": r"\b(rat(?:er|ez)|dernière chance|seulement aujourd|meilleure expérience|dommage)",
    "es": r"\b(pierd|última oportunidad|solo hoy|mejor experiencia|lástima)",
    "pt": r"\b(perc|perd|última chance|só hoje|melhor experiência|pena\b)",
    "zh": "错过|失去|最后机会|仅限今天|无法使用|最佳体验|更好的体验|遗憾",
    "ja": "逃さ|見逃|最後のチャンス|今だけ|使えません|最高の体験|残念",
    "ar": "تفوت|تخسر|آخر فرصة|اليوم فقط|أفضل تجربة",
}


class Wording(Struct, frozen=True):
    """One way to ask: a heading and a sentence before the notice, each in every language of it. Empty: as usual."""

    name: str
    title: dict[str, str] = {}
    lead: dict[str, str] = {}

    def mark(self, locale: str) -> str:
        """What a record keeps as `interface`: the name, and the SHA-256 of the words that were shown, shortened."""
        words = msgspec.json.encode([self.title.get(locale, ""), self.lead.get(locale, "")])
        return f"{self.name}:{sha256(words).hexdigest()[:16]}"


AS_USUAL: Final = Wording("")
"""Where a site tries no wordings."""


def parse_wordings(node: Node | None, locales: Collection[str], problems: list[Problem]) -> tuple[Wording, ...]:
    """The member `wordings` of a site whose notice has a text in `locales`. What is wrong is added to `problems`."""
    if node is None:
        return ()
    if not isinstance(node, Map):
        problems.append(problem(node, "'wordings' is a mapping of names, each with a 'title' and a 'lead'."))
        return ()
    if not 2 <= len(node) <= MOST:
        problems.append(problem(node, f"Wordings are compared: name 2 to {MOST} of them, or none."))
    found = []
    for name, child in node.items():
        if not NAME.fullmatch(name):
            problems.append(problem(child, f"{name!r} is no name of a wording: lower-case letters, digits, '-', '_'."))
        elif not isinstance(child, Map):
            problems.append(problem(child, f"Wording {name!r} is a mapping; an empty one asks as usual."))
        else:
            for member in child:
                if member not in LENGTHS:
                    hint = nearest(member, LENGTHS)
                    message = f"Wording {name!r}: only 'title' and 'lead' may vary, not {member!r}."
                    problems.append(Problem(child.file, child.lines[member], message, hint))
            texts = {member: _texts(child.get(member), name, member, locales, problems) for member in LENGTHS}
            found.append(Wording(name, **texts))
    return tuple(found)


def _texts(
    node: Node | None, name: str, member: str, locales: Collection[str], problems: list[Problem]
) -> dict[str, str]:
    if node is None:
        return {}
    if not isinstance(node, Map):
        problems.append(problem(node, f"Wording {name!r}: {member!r} is a text per language."))
        return {}
    texts: dict[str, str] = {}
    for locale, child in node.items():
        if not isinstance(child, Scalar) or not isinstance(child.value, str) or not child.value.strip():
            problems.append(problem(child, f"Wording {name!r}: {member!r} in {locale!r} is a text."))
            continue
        texts[locale] = child.value
        for wrong in unfair(child.value, locale, LENGTHS[member]):
            problems.append(problem(child, f"Wording {name!r}, {member!r} in {locale!r}: {wrong}"))
    for missing in sorted(set(locales) - texts.keys()):
        problems.append(problem(node, f"Wording {name!r}: {member!r} is missing in {missing!r}; the notice has it."))
    return texts


def unfair(text: str, locale: str, longest: int) -> Iterator[str]:
    """What is wrong with a text that stands beside a choice."""
    language, lower = locale.partition("-")[0].lower(), text.lower()
    if len(text) > longest:
        yield f"{longest} characters at most; the question must be read at a glance."
    if re.search("[!！]", text) or re.search(r"\b[A-ZÀ-Þ]{5,}\b", text):
        yield "say it without raising your voice."
    if language in _PRESSURE and (found := re.search(_PRESSURE[language], lower)):
        yield f"{found[0]!r} presses people; a choice is free when nothing pulls at it."
    yes, no = _YES_AND_NO.get(language, ("", ""))
    if yes and re.search(yes, re.sub(no, "", lower)) and not re.search(no, lower):
        yield "name both answers or neither: a yes alone points at it."
