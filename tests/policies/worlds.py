"""Small worlds to decide in: the manifest of the documentation, policies of one's own, and people in any state."""

from collections.abc import Iterable
from functools import cache

from consent import (
    Catalogue,
    Choice,
    Jurisdiction,
    PersonState,
    Relation,
    parse,
    publish,
)
from policies import Decision, Policy, Question, read_policy
from sayso.kernel import Problem, load

AT = 1_800_000_000_000_000

SMALLEST = """
categories: [contact.email, contact.phone, behaviour, health]
purposes:
  ads:
    title: {en: Advertising, zh-CN: 广告}
    legal_basis: consent
    categories: [behaviour]
  marketing.email:
    title: {en: News by e-mail, zh-CN: 邮件资讯}
    legal_basis: consent
    categories: [contact.email]
    expires_after: P24M
  support:
    title: {en: Customer care, zh-CN: 客户服务}
    legal_basis: contract
    categories: [contact.phone]
notices:
  web:
    version: 1
    purposes: [marketing.email]
    text: {en: "We write to you only if you say so.", zh-CN: "只有经您同意，我们才会给您写信。"}
roles: {marketing_sender: [], support_agent: [], support_lead: [support_agent]}
rules:
  - {id: R010, role: marketing_sender, action: use, category: contact.email,
     purpose: marketing.email, effect: allow, basis: consent}
  - {id: R011, role: marketing_sender, action: reveal, category: contact.email,
     purpose: marketing.email, effect: allow, basis: consent}
  - {id: R020, role: support_agent, action: reveal, category: contact.phone,
     purpose: support, effect: allow, basis: contract, obligations: [mask_last4]}
  - {id: R030, role: any, action: any, category: health, purpose: ads, effect: deny}
"""


def a_catalogue(text: str) -> Catalogue:
    """What consent makes of a manifest that nothing was published before."""
    return publish(parse(load([("manifest.yaml", text.encode())])), [], [], AT).catalogue


def a_policy(text: str = SMALLEST, tenant: str = "default") -> Policy:
    """The policy of a manifest."""
    return read_policy(load([("manifest.yaml", text.encode())]), a_catalogue(text), tenant)[0]


def warnings_of(text: str, tenant: str = "default") -> list[Problem]:
    """What lint says of a manifest that it takes."""
    return read_policy(load([("manifest.yaml", text.encode())]), a_catalogue(text), tenant)[1]


def with_rules(*rules: str, roles: str = "{marketing_sender: [], support_agent: []}", extra: str = "") -> str:
    """The documentation's manifest with other rules."""
    head = SMALLEST[: SMALLEST.index("roles:")]
    return f"{head}{extra}\nroles: {roles}\nrules:\n" + "".join(f"  - {rule}\n" for rule in rules)


def a_rule(**members: str) -> str:
    """One rule in flow style: an allow that stands on consent, unless said otherwise. A member of None is left out."""
    rule: dict[str, str | None] = {
        "id": "R1",
        "role": "marketing_sender",
        "action": "use",
        "category": "contact.email",
        "purpose": "marketing.email",
        "effect": "allow",
        "basis": "consent",
        **members,
    }
    return "{" + ", ".join(f"{name}: {value}" for name, value in rule.items() if value is not None) + "}"


def a_person(
    choices: dict[str, Choice] | None = None,
    *,
    under: Iterable[str] = (),
    relations: Iterable[Relation] = (),
    restricted_at: int = 0,
    erased_at: int = 0,
    suppressed_until: int = 0,
    held: int = 0,
) -> PersonState:
    """A person: nobody asked them anything yet, unless said otherwise."""
    return PersonState(
        choices=choices or {},
        restricted_at=restricted_at,
        erased_at=erased_at,
        suppressed_until=suppressed_until,
        held=held,
        jurisdictions=tuple(Jurisdiction(code, "declared", AT) for code in under),
        relations=tuple(relations),
    )


def a_choice(status: str, *, since: int = AT - 1000, version: int = 1, **members: object) -> Choice:
    """A choice made a while ago, on the purpose's first version."""
    return Choice(status, since, "web", 1, version, **members)  # type: ignore[arg-type]


def granted(*purposes: str, **members: object) -> dict[str, Choice]:
    return {purpose: a_choice("granted", record=bytes(16), **members) for purpose in purposes}


def a_question(**members: object) -> Question:
    """May the mailer use the e-mail address for the newsletter?"""
    given: dict[str, object] = {
        "roles": frozenset({"marketing_sender"}),
        "action": "use",
        "category": "contact.email",
        "purpose": "marketing.email",
        **members,
    }
    return Question(**given)  # type: ignore[arg-type]


@cache
def _smallest() -> Policy:
    return a_policy()


def decided(
    person: PersonState | None = None,
    policy: Policy | None = None,
    at: int = AT,
    behind: bool = False,
    **question: object,
) -> Decision:
    """The decision on `a_question` so changed, under the documentation's rules unless others are given."""
    return (policy or _smallest()).inquiry(a_question(**question)).decide(person, at, behind=behind)


def reason(person: PersonState | None = None, policy: Policy | None = None, **how: object) -> str:
    """Why, in one word: see `decided`."""
    return decided(person, policy, **how).reason  # type: ignore[arg-type]
