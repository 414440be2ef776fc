"""The section `iab_deletion` of a manifest: as whom we answer, what we are asked by, and whose requests count.

iab_deletion:
  domain: huangshan-hale.example          # ours: receipts are from it
  law: ccpa                               # under which requests are opened; default: default
  identifiers:
    - {type: email, format: plain, as: email}
    - {type: email, format: sha256, as: email_sha256}
  parties:
    publisher.example:                    # its domain, as it stands in `iss`
      name: A publisher
      keys: [{kty: EC, crv: P-256, kid: "1", x: …, y: …}]

A party publishes its keys at `https://DOMAIN/dsrdelete.json`. Here stands what of them this brand trusts.
"""

import re
from typing import Final

from msgspec import Struct

from consent import IdentifierKinds
from rights import LAWS, Law, law_named
from sayso.kernel import Invalid, Map, Node, Problem, Seq, problem
from sayso.server.callers.jwks import PublicKey, parse_keys
from sayso.server.manifests.sections import known_members, text_of

DOMAIN: Final = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_MEMBERS: Final = ("domain", "law", "identifiers", "parties")
_IDENTIFIER: Final = ("type", "format", "as")
_PARTY: Final = ("name", "keys")


class Accepted(Struct, frozen=True):
    """An identifier that requests may name: its type and format as partners know them, and the type that it is here."""

    type: str
    format: str
    kind: str


class Party(Struct, frozen=True):
    """Somebody whose requests, or whose people's requests, count: domain, name, keys."""

    domain: str
    name: str
    keys: tuple[PublicKey, ...]


class Deletions(Struct, frozen=True):
    """The section. `domain` is empty when this brand takes no such requests."""

    domain: str = ""
    law: Law = "default"
    identifiers: tuple[Accepted, ...] = ()
    parties: dict[str, Party] = {}


def parse_deletions(node: Node | None, kinds: IdentifierKinds, problems: list[Problem]) -> Deletions:
    """The section; an empty one ends what was declared. What is wrong is added to `problems`."""
    if node is None or (isinstance(node, Map) and not len(node)):
        return Deletions()
    if not isinstance(node, Map):
        problems.append(problem(node, "The section 'iab_deletion' is a mapping."))
        return Deletions()
    known_members(node, _MEMBERS, problems)
    domain = text_of(node, "domain")
    if not DOMAIN.fullmatch(domain):
        problems.append(problem(node.get("domain") or node, "'domain' is ours, in small letters: shop.example."))
    law: Law = "default"
    try:
        law = law_named(text_of(node, "law") or law)
    except Invalid:
        problems.append(problem(node.get("law") or node, f"'law' is one of {', '.join(LAWS)}."))
    identifiers = _identifiers(node.get("identifiers") or node, kinds, problems)
    return Deletions(domain, law, identifiers, _parties(node.get("parties") or node, problems))


def _identifiers(node: Node, kinds: IdentifierKinds, problems: list[Problem]) -> tuple[Accepted, ...]:
    if not isinstance(node, Seq) or not len(node):
        problems.append(problem(node, "'identifiers' is a list of what requests may name."))
        return ()
    found: dict[tuple[str, str], Accepted] = {}
    for child in node:
        if not isinstance(child, Map):
            problems.append(problem(child, "An identifier is a mapping: type, format, as."))
            continue
        known_members(child, _IDENTIFIER, problems)
        accepted = Accepted(text_of(child, "type"), text_of(child, "format"), text_of(child, "as"))
        place = (accepted.type, accepted.format)
        if not all(_WORD.fullmatch(each) for each in place) or place in found:
            problems.append(problem(child, "An identifier has a 'type' and a 'format' of its own: email, sha256."))
            continue
        try:
            kinds.place(accepted.kind)
        except Invalid:
            problems.append(problem(child, "'as' is a type of identifier that is known here."))
            continue
        found[place] = accepted
    return tuple(found.values())


def _parties(node: Node, problems: list[Problem]) -> dict[str, Party]:
    if not isinstance(node, Map) or "domain" in node:
        problems.append(problem(node, "'parties' is a mapping of their domains."))
        return {}
    found: dict[str, Party] = {}
    for domain, child in node.items():
        if not DOMAIN.fullmatch(domain):
            problems.append(Problem(node.file, node.lines[domain], "A party is named by its domain, in small letters."))
        elif not isinstance(child, Map) or not isinstance(listed := child.get("keys"), Seq) or not len(listed):
            problems.append(problem(child, "A party is a mapping with its 'keys', as its dsrdelete.json has them."))
        else:
            known_members(child, _PARTY, problems)
            found[domain] = Party(domain, text_of(child, "name") or domain, parse_keys(listed, problems, rsa=True))
    return found
