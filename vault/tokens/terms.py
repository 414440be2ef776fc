"""What a field declares of its tokens, and what one issue may ask besides: shape, life, uses.

phone: {type: phone, category: contact.phone, token: {shape: phone, ttl: PT15M, uses: 1}}
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sayso.kernel import Instant, Invalid, Map, Node, Scalar, add_duration, nearest
from vault.tokens.shapes import SHAPES

PLAIN: Final = "token"
"""The shape of a token that looks like one: `tok_…`."""

MOST_USES: Final = 1000
USUAL_LIFE: Final = "P30D"
"""How long a token lives that is good for so many uses and names no life of its own."""

_MEMBERS: Final = ("shape", "ttl", "uses")


class InvalidTerms(Invalid):
    def __init__(self, message: str) -> None:
        super().__init__("invalid-token-terms", message)


class TokenTerms(Struct, frozen=True):
    """`ttl` is an ISO 8601 duration, empty for as long as the field is stored; `uses` 0 means as often as wanted."""

    shape: str = PLAIN
    ttl: str = ""
    uses: int = 0

    @property
    def limited(self) -> bool:
        """Whether a token ends by itself. Such a one is new with each issue: nobody else spends its uses."""
        return bool(self.ttl or self.uses)

    def ends(self, at: Instant) -> Instant:
        """When a token issued at `at` ends, 0 for never."""
        return add_duration(at, self.ttl or USUAL_LIFE) if self.limited else Instant(0)

    def narrowed(self, ttl: str = "", uses: int = 0) -> "TokenTerms":
        """These terms with a shorter life or fewer uses. Raises `InvalidTerms` for longer, more, or none at all."""
        if uses < 0 or uses > MOST_USES:
            raise InvalidTerms(f"A token is good for 1 to {MOST_USES} uses, or for any number.")
        if ttl and add_duration(0, ttl) <= 0:
            raise InvalidTerms("A token lives for some time.")
        if self.uses and uses > self.uses:
            raise InvalidTerms("The field allows its tokens fewer uses.")
        if self.ttl and ttl and add_duration(0, ttl) > add_duration(0, self.ttl):
            raise InvalidTerms("The field allows its tokens a shorter life.")
        return replace(self, ttl=ttl or self.ttl, uses=uses or self.uses)


def read_terms(node: Node, kind: str | None) -> tuple[TokenTerms, str | None, str | None]:
    """The terms in a manifest for a field of type `kind`; what is wrong with them, and the nearest name that would not
    be.
    """
    usual = TokenTerms()
    if not isinstance(node, Map):
        return usual, "token is a mapping, as in {shape: phone, ttl: PT15M, uses: 1}.", None
    for name in node:
        if name not in _MEMBERS:
            return usual, f"token has no member {name!r}.", nearest(name, _MEMBERS)
    shape, ttl, uses = (
        _value(node.get(name), usual_value) for name, usual_value in zip(_MEMBERS, (PLAIN, "", 0), strict=True)
    )
    if shape not in (PLAIN, *SHAPES):
        return usual, f"There is no shape {shape!r}.", nearest(str(shape), (PLAIN, *SHAPES))
    if shape not in (PLAIN, kind):
        return usual, f"A field of type {kind!r} has no tokens in the shape of a {shape}.", None
    if not isinstance(ttl, str) or type(uses) is not int or ("uses" in node and not uses):
        return usual, f"ttl is a duration such as PT15M, and uses a number from 1 to {MOST_USES}.", None
    try:
        return TokenTerms(str(shape)).narrowed(ttl, uses), None, None
    except Invalid as error:
        return usual, error.message, None


def _value(node: Node | None, usual: object) -> object:
    if node is None:
        return usual
    return node.value if isinstance(node, Scalar) else node
