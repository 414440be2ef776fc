"""Messages do not go inside, however the address is written or resolved."""

import asyncio

import pytest

from sayso.server.feed import outgoing
from sayso.server.feed.addresses import RefusedAddress, check, public
from sayso.server.feed.attempts import Message
from sayso.server.feed.pinned import PinnedBackend, RefusedHost
from sayso.server.feed.sender import Sender
from tests.builders.served import free_port
from tests.server.feed.receivers import Receiver

MESSAGE = Message("msg_1", 1, "v1,x", "sayso.x.y", b"{}")

INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "ff02::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://localhost/",
        "https://a.localhost/",
        "https://printer.local/",
        "http://example.com/",
        "https://",
        "https:///x",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://user@example.com/",
        "https://example.com/#x",
        "https://exa mple.com/",
        "https://example.com/\x01",
        "https://bücher.example/",
        "https://a..example/",
        "https://" + "a" * 64 + ".example/",
        "https://example.com/" + "x" * 3000,
        "gopher://example.com/",
        "",
    ],
)
def test_addresses_are_refused_when_they_are_named(url: str) -> None:
    with pytest.raises(RefusedAddress):
        check(url, ())


def test_the_operator_may_allow_a_host() -> None:
    check("https://example.com/hook?x=1", ())
    check("http://mailer.intranet:8080/hook", ("mailer.intranet",))
    check("http://[::1]:8080/hook", ("::1",))


async def test_a_name_that_leads_inside_is_refused_at_the_connection(receiver: Receiver) -> None:
    name = "localhost"  # resolves to loopback everywhere, and is not allowed here
    with pytest.raises(RefusedHost):
        await PinnedBackend(()).connect_tcp(name, receiver.port)
    sender = Sender(())
    outcome = await sender.send(f"http://{name}:{receiver.port}/", MESSAGE, 0)
    await sender.close()
    assert outcome.code == "refused"
    assert receiver.got == []


@pytest.mark.parametrize("written", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
async def test_other_spellings_of_loopback_are_refused(receiver: Receiver, written: str) -> None:
    sender = Sender(())
    outcome = await sender.send(f"http://{written}:{receiver.port}/", MESSAGE, 0)
    await sender.close()
    assert outcome.code in ("refused", "unreachable")
    assert receiver.got == []


async def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    stream = await PinnedBackend(("127.0.0.1",)).connect_tcp("127.0.0.1", receiver.port)
    assert stream.get_extra_info("server_addr")[:2] == ("127.0.0.1", receiver.port)
    await stream.aclose()


async def test_nobody_there_is_a_failure_like_any_other() -> None:
    port = free_port()
    sender = Sender(("127.0.0.1",))
    outcome = await sender.send(f"http://127.0.0.1:{port}/", MESSAGE, 0)
    assert (outcome.code, outcome.delivered) == ("unreachable", False)
    plain = await sender.send(f"https://127.0.0.1:{port}/", MESSAGE, 0)
    assert plain.code == "unreachable"
    await sender.close()


async def test_a_name_that_can_be_none_is_a_failure_like_any_other() -> None:
    name = "a..example"
    sender = Sender((name,))
    outcome = await sender.send(f"http://{name}/", MESSAGE, 0)
    await sender.close()
    assert (outcome.code, outcome.delivered) == ("unreachable", False)


async def test_a_receiver_without_tls_where_tls_was_named_is_a_failure(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "_STEPS", dict.fromkeys(outgoing._STEPS, 1.0))
    sender = Sender(("127.0.0.1",))
    outcome = await asyncio.wait_for(sender.send(f"https://127.0.0.1:{receiver.port}/", MESSAGE, 0), 60)
    await sender.close()
    assert outcome.code in ("tls", "unreachable", "timeout")
