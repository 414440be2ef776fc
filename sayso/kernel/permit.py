"""A permit is a value: whoever hands out personal data demands one as an argument.

Only `policies` constructs it (a test reads the source for it). It is minted for one tenant, person, category, action
and purpose, and the receiver checks all five.
"""

from msgspec import Struct

from sayso.kernel.errors import Denied


class Obligation(Struct, frozen=True):
    """What the caller must do with what it gets (AuthZEN obligations profile): `mask_last4`, `log`, `notify` …"""

    id: str
    type: str
    properties: dict[str, str | int]


class Permit(Struct, frozen=True, gc=False):
    """The policy engine said yes to exactly this."""

    tenant: str
    subject: bytes
    category: str
    action: str
    purpose: str
    obligations: tuple[Obligation, ...]
    rule: str
    basis: str

    def demand(self, *, tenant: str, subject: bytes, action: str, category: str | None = None) -> None:
        """Raise `Denied` unless this permit was minted for just that.

        `category` None asks for a permit over the root category: one that covers the person whole.
        """
        wanted = (tenant, subject, action, category or "any")
        if (self.tenant, self.subject, self.action, self.category) != wanted:
            raise Denied("permit-mismatch", "The permit presented was minted for something else.")
