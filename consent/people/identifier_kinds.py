"""Which types of identifiers there are: those shipped, and those that a manifest declares.

    identifiers:
      loyalty_card: {like: customer_id}

`like` says how two spellings of a value are compared: as an `email` address, a `phone` number, or letter by letter
(`customer_id`). Each type is a world of its own: the same value under two types is two identifiers.
"""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from consent.catalogue.reader import Reader
from sayso.kernel import Invalid, Node, nearest

LIKE: Final = ("customer_id", "email", "phone")
"""How values of a declared type are compared."""

_PLAIN: Final = frozenset({"customer_id", "device", "email", "phone"})
"""Types whose tags were always made under their own name."""

SHIPPED: Final[dict[str, str]] = {
    "customer_id": "customer_id",
    "device": "device",
    "email": "email",
    "phone": "phone",
    "cookie": "customer_id",
    "ad_id": "customer_id",
    "push_token": "customer_id",
    "wechat_openid": "customer_id",
    "wechat_unionid": "customer_id",
    "alipay_user_id": "customer_id",
    "line_user_id": "customer_id",
    "whatsapp": "phone",
    "telegram_id": "customer_id",
    "loyalty_card": "customer_id",
}

LONGEST: Final = 64
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class UnknownIdentifierType(Invalid):
    """A type of identifier that is neither shipped nor declared; `nearest` is the one most like it."""

    def __init__(self, near: str | None) -> None:
        super().__init__("unknown-kind", "There is no such type of identifier.", **({"nearest": near} if near else {}))


class IdentifierKinds(Struct, frozen=True):
    """The types of one brand: what each is compared like."""

    declared: dict[str, str] = {}

    def place(self, name: str) -> tuple[str, str]:
        """The kind of value, and what sets the type's tags apart. Raises `UnknownIdentifierType`."""
        if name in _PLAIN:
            return name, ""
        like = SHIPPED.get(name) or self.declared.get(name)
        if like is None:
            raise UnknownIdentifierType(nearest(name, {**SHIPPED, **self.declared}))
        return like, f":{name}"


KindsOf = Callable[[str], IdentifierKinds]
"""The types of a tenant."""

_BUILT_IN: Final = IdentifierKinds()


def built_in_kinds(_tenant: str) -> IdentifierKinds:
    """The types of a brand that declares none."""
    return _BUILT_IN


def read_kinds(reader: Reader, section: Node | None) -> dict[str, str]:
    """The section `identifiers` of a manifest. What is wrong is added to the reader's problems."""
    found: dict[str, str] = {}
    for name, _, node in reader.members(section, "identifiers"):
        reader.known(node, ("like",))
        if not _NAME.fullmatch(name) or len(name) > LONGEST:
            reader.wrong(node, f"{name!r} is no type of identifier: a lower-case word of at most {LONGEST} letters.")
        elif name in SHIPPED:
            reader.wrong(node, f"The type {name!r} is shipped; it needs no declaration.")
        else:
            found[name] = reader.one_of(node.get("like"), "way to compare", LIKE) or LIKE[0]
    return found
