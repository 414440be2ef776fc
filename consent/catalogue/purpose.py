"""A purpose: what for, on which legal basis, with which data, for how long, and who else gets it.

The members are those that ISO/IEC TS 27560 and ISO/IEC 29184 ask of a purpose, and what PIPL, GDPR and the ePrivacy
directive ask beside them. What of it people agree to, and when they must be asked again, says `materiality.py`.
"""

from typing import Final, Literal

from msgspec import Struct

Texts = dict[str, str]
"""One text per locale (BCP 47 tag)."""

CHANNELS: Final = ("email", "sms", "phone", "push", "post", "whatsapp", "wechat", "telegram", "line")
"""Ways by which a person can be reached."""

SEPARATE: Final = ("third_party", "publication", "public_imaging", "sensitive", "cross_border")
"""Grounds on which PIPL asks for a consent of its own (单独同意): Art. 23, 25, 26, 29, 39."""

STORAGE: Final = ("consent", "transmission", "strictly_necessary", "statistics", "appearance", "emergency_assistance")
"""On what ground something is stored on, or read from, the person's device. `consent`, or an exemption: ePrivacy
directive Art. 5(3) knows the first two, UK PECR Sch. A1 (2026) all of them.
"""

OPT_OUTS: Final = ("sale", "share", "targeted_ads", "sensitive")
"""What a person can opt out of as a kind: CCPA 1798.120 (sale, sharing), 1798.121 (sensitive data), and targeted
advertising as the other state acts call it.
"""

SOURCES: Final = ("zero_party", "first_party", "second_party", "third_party")
"""Where data come from: declared by the person, observed by us, from a partner who collected it, bought or public."""

MECHANISMS: Final = (
    "adequacy",
    "standard_clauses",
    "binding_rules",
    "standard_contract",
    "certification",
    "security_assessment",
    "consent",
    "derogation",
)
"""What a transfer rests on: GDPR Art. 45 to 49; PIPL Art. 38 (`standard_contract`, `certification`,
`security_assessment`).
"""


OnMerge = Literal["least_permissive", "newest"]
ON_MERGE: Final[tuple[OnMerge, ...]] = ("least_permissive", "newest")
"""How the answers of two people are joined who turn out to be one (`merging.py`)."""


class Transfer(Struct, frozen=True, omit_defaults=True):
    """Data that leave: the country (ISO 3166-1, lower case), what it rests on, and to which declared recipient."""

    to: str
    mechanism: str
    recipient: str = ""


class Purpose(Struct, frozen=True, omit_defaults=True):
    """One purpose in its newest published version. `legal_basis` is one basis, or one per jurisdiction.

    `version` counts what people agreed to, `revision` the wordings within a version. `implied` purposes exist because
    something below them was declared; nobody has described them, their version is 0. Durations are ISO 8601.
    `double_opt_in` None leaves it to the law. `parties` tells the role and country of each recipient as published.
    `opt_out` says which opt-outs reach it (`directives.OPT_OUTS`); None leaves it to what the purpose does.
    """

    name: str
    version: int = 0
    title: Texts = {}
    description: Texts = {}
    legal_basis: str | dict[str, str] = "consent"
    categories: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    expires_after: str | None = None
    direct_marketing: bool = False
    implied: bool = False
    published_at: int = 0
    revision: int = 0
    dpv: str = ""
    sources: dict[str, str] = {}
    retention: str | None = None
    storage_locations: tuple[str, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    parties: dict[str, str] = {}
    sensitive: bool = False
    separate_consent: str | None = None
    required_for_service: bool = False
    justification: Texts = {}
    device_storage: str | None = None
    channels: tuple[str, ...] = ()
    refusal_valid_for: str | None = None
    double_opt_in: bool | tuple[str, ...] | None = None
    opt_out: tuple[str, ...] | None = None
    on_merge: OnMerge = "least_permissive"
    revised_at: int = 0
