"""Two ids of one person share a count, and each keeps the number that stands for it in lists."""

from consent import Cap, Contact, PersonState, pack
from consent.model import Family
from policies.counting import Uses
from sayso.kernel import SYSTEM, Context, Instant, Tx
from sayso.kernel.tx import Head, View

ONE, OTHER = b"1" * 16, b"2" * 16


def test_two_ids_share_a_count_and_keep_their_numbers() -> None:
    tx = Tx(Context("default", SYSTEM, Instant(1_800_000_000_000_000), "test"), View(), Head(0, 0))
    packed = pack(PersonState(contact=Contact(caps={"email": Cap(2, "week")}), family=Family(ONE, (OTHER,), {})))
    uses = Uses(tx)
    uses.hold(ONE, (1, 11, 0, packed))
    uses.hold(OTHER, (1, 22, 0, packed))
    uses.count(ONE, "email", "mailer")
    uses.count(OTHER, "email", "mailer")
    one, other = uses.person(ONE), uses.person(OTHER)
    assert one is not None
    assert other is not None
    assert (one.aid, other.aid) == (11, 22)
    assert one.state is other.state
    assert one.state.contact is not None
    assert len(one.state.contact.uses["email"]) == 2
    uses.restart()
    again = uses.person(OTHER)
    assert again is not None
    assert again.state.contact == Contact(caps={"email": Cap(2, "week")})
