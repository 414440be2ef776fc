"""Caps are counted: how many messages a person was sent of late, as far as they asked for a limit. Pure.

Every permit to use somebody's data over a channel that they capped is one message, from the commit in which its entry
is written until the cap's period has passed, or until the caller says that nothing was sent. Counting begins with the
wish: before it nobody's messages are kept.
"""

from typing import Final

from msgspec.structs import replace

from consent.preferences.contact import MOST_MESSAGES, WINDOWS, Contact, Use

_LONGEST: Final = max(WINDOWS.values())


def below_cap(contact: Contact, channel: str, at: int) -> int:
    """The first instant, `at` or later, at which one more message is admitted; 0 when that is now."""
    cap = contact.caps.get(channel)
    if cap is None:
        return 0
    window = WINDOWS[cap.per]
    live = sorted(use.at for use in contact.uses.get(channel, ()) if use.at > at - window)
    return live[-cap.most] + window if len(live) >= cap.most else 0


def live_uses(contact: Contact, channel: str, at: int) -> int:
    """How many messages count against the channel's cap at the instant `at`."""
    window = WINDOWS[contact.caps[channel].per]
    return sum(use.at > at - window for use in contact.uses.get(channel, ()))


def counted(contact: Contact, channel: str, use: Use) -> Contact:
    """The wishes with one message more; those that no cap can count any more are forgotten."""
    kept = tuple(each for each in contact.uses.get(channel, ()) if each.at > use.at - _LONGEST)
    capped = {name: uses for name, uses in contact.uses.items() if name in contact.caps}
    return replace(contact, uses={**capped, channel: (*kept, use)[-MOST_MESSAGES:]})


def given_back(contact: Contact, entry: bytes, client: str | None) -> Contact | None:
    """The wishes without the messages that `client` (None: anybody) was permitted by an entry; None if it has none."""
    uses = {}
    for channel, held in contact.uses.items():
        kept = tuple(each for each in held if each.entry != entry or client not in (None, each.client))
        if kept:
            uses[channel] = kept
    return replace(contact, uses=uses) if uses != contact.uses else None


def joined_uses(one: Contact, other: Contact) -> dict[str, tuple[Use, ...]]:
    """The messages of two people who turn out to be one, each once."""
    channels = sorted(one.uses.keys() | other.uses.keys())
    return {
        channel: tuple(
            sorted(
                {*one.uses.get(channel, ()), *other.uses.get(channel, ())},
                key=lambda use: (use.at, use.entry, use.client),
            )[-MOST_MESSAGES:]
        )
        for channel in channels
    }
