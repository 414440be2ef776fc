"""Who stands behind a purpose: the controller and those who get data from it. Sections `controller`, `recipients`."""

from typing import Final

from msgspec import Struct

from consent.catalogue.purpose import Texts

ROLES: Final = ("processor", "joint_controller", "third_party", "authority")
"""What a recipient is to the controller: GDPR Art. 4(8), 26, 4(10), 4(9)."""


class ContactPoint(Struct, frozen=True, omit_defaults=True):
    """How somebody is reached. What is not known is empty."""

    name: str = ""
    email: str = ""
    phone: str = ""
    url: str = ""
    address: str = ""


class Recipient(Struct, frozen=True, omit_defaults=True):
    """Somebody who gets personal data. `country` is ISO 3166-1, lower case."""

    name: str
    role: str
    country: str
    title: Texts = {}
    contact: ContactPoint = ContactPoint()

    def party(self) -> str:
        """Role and country, as a purpose keeps them: a change of either is material."""
        return f"{self.role} {self.country}"


class Controller(Struct, frozen=True, omit_defaults=True):
    """Who answers for it all (GDPR Art. 13(1)(a)-(b), 27; PIPL Art. 17, 52, 53).

    `representatives` stand per jurisdiction, `authority` is where people may complain.
    """

    name: str = ""
    country: str = ""
    contact: ContactPoint = ContactPoint()
    dpo: ContactPoint | None = None
    representatives: dict[str, ContactPoint] = {}
    authority: ContactPoint | None = None
