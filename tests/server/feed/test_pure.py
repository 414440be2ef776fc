"""Signatures, schedule, filters, cursors: without a server."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from sayso.kernel import SECOND
from sayso.server.feed import ForgedMessage, verify
from sayso.server.feed.filters import Filter, related
from sayso.server.feed.messages import id_of, position_in
from sayso.server.feed.schedule import DELAYS, next_try
from sayso.server.feed.signing import new_secret, signatures

PURPOSE = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join)


def test_the_published_vector_holds() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signatures((secret,), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.integers(0, 2**40))
def test_what_we_sign_is_verified_by_the_standards_own_library_and_by_us(content: str, position: int) -> None:
    body = json.dumps(content, ensure_ascii=False).encode()
    old, new = new_secret(), new_secret()
    seconds = int(time.time())
    message = id_of(b"\7" * 16, position)
    signature = signatures((new, old), message, seconds, body)
    headers = {"webhook-id": message, "webhook-timestamp": str(seconds), "webhook-signature": signature}
    for secret in (old, new):
        verify(secret, message, str(seconds), signature, body, seconds)
        assert Webhook(secret).verify(body, headers) == content
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    other = new_secret()
    with pytest.raises(ForgedMessage):
        verify(other, message, str(seconds), signature, body, seconds)
    with pytest.raises(ForgedMessage):
        verify(new, message, str(seconds), signature, body, seconds + 301)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(body, headers)


def test_the_schedule_is_the_standards_and_ends() -> None:
    for attempts, seconds in enumerate(DELAYS, 1):
        due = next_try(attempts, 0)
        assert due is not None
        assert seconds * SECOND <= due <= seconds * SECOND * 1.1
    assert next_try(len(DELAYS) + 1, 0) is None


@given(PURPOSE, PURPOSE)
def test_a_choice_above_or_below_is_heard_of(one: str, other: str) -> None:
    above = one.startswith(other + ".") or other.startswith(one + ".") or one == other
    assert related(one, other) == above == Filter((), (one,)).covers((other,))
    assert Filter().covers((other,))


def test_types_are_taken_whole_or_by_their_beginning() -> None:
    wants = Filter(("consent.choice.*", "consent.person.forgotten"))
    assert wants.takes("consent.choice.withdrawn")
    assert wants.takes("consent.person.forgotten")
    assert not wants.takes("consent.person.created")
    assert not wants.takes("consent.choices.withdrawn")


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**60))
def test_a_messages_id_leads_back_to_its_position_in_its_own_subscription_only(owner: bytes, position: int) -> None:
    raw_id = bytes.fromhex(id_of(owner, position).removeprefix("msg_"))
    assert position_in(raw_id, owner) == position
    assert position_in(raw_id, bytes(16) if owner[8:] != bytes(8) else b"\1" * 16) is None
