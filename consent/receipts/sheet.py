"""The parts of receipts that do not change from one person to the next: encoded once, and put together by `receipt.py`.

A receipt is mostly such parts (what a purpose is, who answers for it, how to withdraw); printing them anew would cost
more than signing. Fields are those of ISO/IEC TS 27560:2023, printed in DPV 2.3 as "Consent Records and Receipts as per
27560 using DPV" says (W3C community report, 15 Feb 2026).
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from consent.catalogue.catalogue import Catalogue, Shown
from consent.catalogue.parties import ContactPoint
from consent.catalogue.purpose import Purpose, Texts
from consent.receipts import terms
from consent.receipts.parts import COMMA, Part, Parts, Run
from sayso.kernel import iso

_encode = msgspec.json.Encoder(order="sorted").encode
_MOST: Final = 4_096
_MIXED: Final = 2
"""Laws that may apply to one person at once, in a part worth sharing."""

_LARGEST: Final = 2**53
"""JSON numbers are exact below it (RFC 8259, section 6)."""

_UNSTATED: Final = {"@type": "dpv:Location", "dct:identifier": "unstated"}
_ANYWHERE: Final = {"@type": "dpv:Location", "dct:identifier": "any"}
"""Nobody knows which law: the strictest rules were applied."""


Asked = tuple[str, int] | tuple[str, tuple[str, ...]]
"""A purpose and its version, or a kind of directive and its reach."""

Earlier = frozenset[tuple[str, int]]
"""Notices by name and version, of a no that needed none."""


class Issuer(NamedTuple):
    """Who gives receipts: the address of this Sayso, the controller's legal name and country, and whose brand it is."""

    url: str
    controller: str
    tenant: str = "default"

    @property
    def node(self) -> str:
        """The controller's name in the receipt's graph."""
        return f"{self.url}/t/{self.tenant}#controller"

    @property
    def preferences(self) -> str:
        """Where a person sees and changes what they chose."""
        return f"{self.url}/p/"


class Sheet:
    """The parts for one issuer and one catalogue; thrown away when either changes.

    Only what the manifest declares makes a shared part: a notice, version or language that a caller made up, or a rare
    mixture of laws, is printed for the one receipt that needs it.
    """

    def __init__(self, issuer: Issuer, catalogue: Catalogue, parts: Parts) -> None:
        self.issuer = issuer
        self.catalogue = catalogue
        self.url = _encode(issuer.url).decode()[1:-1]
        self._parts = parts
        self._kept: dict[tuple[Any, ...], Part] = {}
        self._runs: dict[tuple[Any, ...], Run] = {}

    def run(self, asked: tuple[Asked, ...], shown: Shown | Earlier, codes: tuple[str, ...], *, last: bool) -> Run:
        """What follows one person's text in a record: its purposes, its notice and, after the `last` record, the end of
        the receipt.
        """
        named = (shown.notice, shown.version, shown.locale) if isinstance(shown, Shown) else shown
        key = (asked, named, codes, last)
        found = self._runs.get(key)
        if found is not None:
            return found
        schema = "-eu-gdpr" if terms.in_eea(codes) else ""
        known = isinstance(shown, Shown) and bool(shown.text_hash)
        # A language that the notice has not, or nobody knows, makes no parts.
        locale = shown.locale if isinstance(shown, Shown) and known else ""
        parts: list[Part] = []
        for name, more in asked:
            part = self._opt_out(name, more) if isinstance(more, tuple) else self._purpose(name, more, locale, codes)
            parts += (COMMA, part)
        parts = [*parts[1:], self._ended(shown, schema)]
        if last:
            parts.append(self._tail(locale, schema))
        made = Run(parts)
        if known:
            if len(self._runs) >= _MOST:
                self._runs.clear()
            self._runs[key] = made
        return made

    def _tail(self, locale: str, schema: str) -> Part:
        """The end of every receipt: its context, which makes it complete in itself, the controller, and where rights
        are exercised. `schema` is the end of the profile's name.
        """
        found = self._kept.get(("tail", locale, schema))
        return found or self._keep(("tail", locale, schema), b"]," + _tail(locale, schema, self.issuer, self.catalogue))

    def _ended(self, shown: Shown | Earlier, schema: str) -> Part:
        """The end of a record: the notice that the person was shown, in one language, by the hash of what was shown; or
        those on which the choices were made that it ends.
        """
        if not isinstance(shown, Shown):
            return Part(self._end([self._notice(Shown(name, version)) for name, version in sorted(shown)], schema))
        key = ("notice", shown.notice, shown.version, shown.locale, schema)
        found = self._kept.get(key)
        if found is not None:
            return found
        text = self._end(self._notice(shown), schema)
        return self._keep(key, text) if shown.text_hash else Part(text)

    def _purpose(self, name: str, version: int, locale: str, codes: tuple[str, ...]) -> Part:
        """One purpose: what for, with which data, by whom, on which basis, for how long, and how to stop it."""
        key = (name, version, locale, codes)
        found = self._kept.get(key)
        if found is not None:
            return found
        text = _encode(self._process(name, version, locale, codes))
        return self._keep(key, text) if len(codes) <= _MIXED else Part(text)

    def _opt_out(self, kind: str, reach: tuple[str, ...]) -> Part:
        """A directive: a kind of use, whatever the purposes are called."""
        found = self._kept.get(("opt-out", kind, reach))
        return found or self._keep(("opt-out", kind, reach), _encode(self._directive(kind, reach)))

    def _keep(self, key: tuple[Any, ...], text: bytes) -> Part:
        if len(self._kept) >= _MOST:
            self._kept.clear()
        found = self._kept[key] = self._parts.add(text)
        return found

    def _end(self, notice: object, schema: str) -> bytes:
        members = {
            "@type": "dpv:ConsentRecord",
            "dct:conformsTo": _named(f"{terms.PROFILE}record{schema}"),
            "dpv:hasEntity": _named(self.issuer.node),
            "dpv:hasNotice": notice,
        }
        return b"]," + _encode(members).removeprefix(b"{")

    def _notice(self, shown: Shown) -> dict[str, object]:
        node: dict[str, object] = {
            "@id": f"urn:sayso:notice:{self.issuer.tenant}:{shown.notice}:{shown.version}",
            "@type": "dpv:ConsentNotice",
            "schema:name": shown.notice,
            "schema:version": shown.version,
        }
        found = self.catalogue.older(shown.notice, shown.version)
        hashed = shown.text_hash or shown.hash or (found.hash() if found is not None else "")
        if hashed:
            node["dct:identifier"] = hashed
        if shown.locale:
            node["dct:language"] = shown.locale
        if found is not None and found.published_at:
            node["dct:date"] = iso(found.published_at)
        return node

    def _process(self, name: str, version: int, locale: str, codes: tuple[str, ...]) -> dict[str, object]:
        purpose = self.catalogue.purposes.get(name) or Purpose(name)
        issuer = self.issuer
        bases = {self.catalogue.basis(name, code) for code in codes or ("any",)}
        basis = bases.pop() if len(bases) == 1 else "consent"
        what: dict[str, object] = {
            "@type": "dpv:Purpose",
            "dct:identifier": name,
            "schema:version": version if version < _LARGEST else 0,
            "skos:broader": _named(terms.purpose_term(purpose.dpv, direct_marketing=purpose.direct_marketing)),
        }
        titled = in_language(purpose.title, locale)
        if titled is not None:
            what["dct:title"] = titled
        node: dict[str, object] = {
            "@type": "dpv:Process",
            "dpv:hasConsentControl": {
                "@type": ["dpv:ActiveRight", "dpv:WithdrawConsent"],
                "dpv:isExercisedAt": _named(issuer.preferences),
            },
            "dpv:hasDataController": _named(issuer.node),
            "dpv:hasJurisdiction": [_named(terms.place_term(code)) for code in codes] or _ANYWHERE,
            "dpv:hasLegalBasis": _named(terms.basis_term(basis, codes, explicit=purpose.sensitive)),
            "dpv:hasPersonalData": [_data(purpose, category) for category in purpose.categories],
            "dpv:hasProcessing": _processing(purpose),
            "dpv:hasPurpose": what,
            "dpv:hasRight": _rights(issuer, basis, codes),
            "dpv:hasStorageCondition": _storage(purpose),
        }
        laws = [_named(law) if isinstance(law, str) else law for law in map(terms.law_term, codes) if law is not None]
        if laws:
            node["dpv:hasApplicableLaw"] = laws[0] if len(laws) == 1 else laws
        recipients = [self._recipient(purpose, each, locale) for each in purpose.recipients]
        if recipients:
            node["dpv:hasRecipient"] = recipients
        if purpose.channels:
            node["sayso:channel"] = list(purpose.channels)
        return node

    def _recipient(self, purpose: Purpose, name: str, locale: str) -> dict[str, object]:
        known = self.catalogue.recipients.get(name)
        role, _, country = purpose.parties.get(name, known.party() if known is not None else "third_party ").partition(
            " "
        )
        node: dict[str, object] = {"@type": list(terms.ROLES[role]), "dct:identifier": name}
        titled = in_language(known.title, locale) if known is not None else None
        node["dpv:hasName"] = titled or name
        if country:
            node["dpv:hasCountry"] = _named(terms.place_term(country))
        if known is not None:
            node.update(_reached(known.contact))
        mechanisms = sorted({each.mechanism for each in purpose.transfers if each.recipient == name})
        if mechanisms:
            node["sayso:transferMechanism"] = mechanisms
            bases = [_named(terms.TRANSFERS[each]) for each in mechanisms if each in terms.TRANSFERS]
            if bases:
                node["dpv:hasLegalBasis"] = bases
        return node

    def _directive(self, kind: str, reach: tuple[str, ...]) -> dict[str, object]:
        what = {"@type": "dpv:Purpose", "dct:identifier": f"directive:{kind}"}
        return {
            "@type": "dpv:Process",
            "dpv:hasConsentControl": {
                "@type": ["dpv:ActiveRight", "dpv:WithdrawConsent"],
                "dpv:isExercisedAt": _named(self.issuer.preferences),
            },
            "dpv:hasDataController": _named(self.issuer.node),
            "dpv:hasPurpose": {
                **what,
                "skos:broader": [_named(each) for each in sorted({terms.OPT_OUTS[each] for each in reach})],
            },
        }


def _named(term: str) -> dict[str, str]:
    return {"@id": term}


def in_language(texts: Texts, locale: str) -> str | None:
    """The text in a locale, or in the first language there is; None where there is none."""
    return texts.get(locale) or next(iter(texts.values()), None)


def _tail(locale: str, schema: str, issuer: Issuer, catalogue: Catalogue) -> bytes:
    titles: dict[str, str] = {"@language": locale} if locale else {"@id": "dct:title"}
    members: dict[str, object] = {
        "@context": {
            **terms.PREFIXES,
            **{name: {"@type": "xsd:dateTime"} for name in terms.TIMES},
            "assurance": "sayso:assurance",
            "dct:title": titles,
            "entry": "sayso:entry",
        },
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": _named(f"{terms.PROFILE}receipt{schema}"),
        "dct:publisher": _controller(issuer, catalogue),
        "dpv:hasNotice": {"@id": issuer.preferences, "@type": "dpv:RightExerciseNotice"},
    }
    return _encode(members).removeprefix(b"{") + b"}"


def _controller(issuer: Issuer, catalogue: Catalogue) -> dict[str, object]:
    known = catalogue.controller
    node: dict[str, object] = {
        "@id": issuer.node,
        "@type": "dpv:DataController",
        "dct:identifier": issuer.tenant,
        "dpv:hasName": known.name or issuer.controller,
        "schema:url": _named(known.contact.url or issuer.url),
    }
    if known.country:
        node["dpv:hasCountry"] = _named(terms.place_term(known.country))
    node.update({name: value for name, value in _reached(known.contact).items() if name not in node})
    for role, contact in (("dpv:DataProtectionOfficer", known.dpo), ("dpv:Authority", known.authority)):
        if contact is not None:
            member = "dpv:hasRepresentative" if role == "dpv:DataProtectionOfficer" else "dpv:hasAuthority"
            node[member] = {"@type": role, "dpv:hasName": contact.name, **_reached(contact)}
    return node


def _reached(contact: ContactPoint) -> dict[str, object]:
    reached = [each for each in (contact.email, contact.phone) if each]
    node: dict[str, object] = {}
    if contact.address:
        node["dpv:hasAddress"] = contact.address
    if reached:
        node["dpv:hasContact"] = reached[0] if len(reached) == 1 else reached
    if contact.url:
        node["schema:url"] = _named(contact.url)
    return node


def _data(purpose: Purpose, category: str) -> dict[str, object]:
    kind = "dpv:SensitivePersonalData" if purpose.sensitive else "dpv:PersonalData"
    node: dict[str, object] = {
        "@type": kind,
        "dct:identifier": category,
        "dpv:hasNecessity": _named("dpv:Required" if purpose.required_for_service else "dpv:Optional"),
    }
    known = terms.data_term(category)
    if known is not None:
        node["skos:broader"] = _named(known)
    if category in purpose.sources:
        node["dpv:hasDataSource"] = _named(terms.SOURCES[purpose.sources[category]])
    return node


def _processing(purpose: Purpose) -> list[dict[str, str]]:
    further = (("dpv:Share", purpose.recipients), ("dpv:Transfer", purpose.transfers))
    return [_named(each) for each in ("dpv:Collect", "dpv:Use", *(name for name, given in further if given))]


def _rights(issuer: Issuer, basis: str, codes: Iterable[str]) -> dict[str, object]:
    kinds = ["dpv:ActiveRight", "dpv:DataSubjectRight"]
    if terms.in_eea(codes):
        kinds += ["eu-gdpr:A15", "eu-gdpr:A17", "eu-gdpr:A7-3" if basis == "consent" else "eu-gdpr:A21"]
    return {"@type": kinds, "dpv:isExercisedAt": _named(issuer.preferences)}


def _storage(purpose: Purpose) -> list[dict[str, object]]:
    """Where and how long. Data with no term of their own end with the last purpose that they serve."""
    lasting: object = _named("dpv:IndeterminateDuration")
    if purpose.retention:
        lasting = {
            "@type": "dpv:TemporalDuration",
            "rdf:value": {"@type": "xsd:duration", "@value": purpose.retention},
        }
    where = [_named(terms.place_term(each)) for each in purpose.storage_locations]
    return [
        {"@type": "dpv:StorageLocation", "dpv:hasLocation": where or _UNSTATED},
        {"@type": "dpv:StorageDuration", "dpv:hasDuration": lasting},
    ]
