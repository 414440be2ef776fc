"""Mail over a real SMTP server: taken, refused, stalled, down. On both databases where it is stored."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from sayso.kernel import DAY, SYSTEM, Context, now, raw
from sayso.server.mail import KINDS, Letter, compose
from sayso.server.mail.outbox import PAUSES
from sayso.server.mail.store import NEVER
from sayso.server.mail.tables import mail
from tests.builders.mail import Mailbox, a_mail_server
from tests.builders.served import free_port
from tests.server.worlds import World, a_world, until

VALUES = {"url": "https://brand.example/p/#default.abc", "minutes": "15", "code": "12345678"}
VALUES |= {"purposes": "News by e-mail", "until": "2026-11-28"}
ANN = "ann@example.org"


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mail_server() as made:
        yield made


@pytest_asyncio.fixture
async def world(tmp_path: Path, database_url: str, mailbox: Mailbox) -> AsyncIterator[World]:
    """A brand that writes through the mailbox."""
    more = {"mail_host": "127.0.0.1", "mail_port": mailbox.port, "mail_tls": "none", "mail_timeout": 60}
    async with a_world(tmp_path, database_url, mail_from="Brand <privacy@brand.example>", **more) as made:
        await made.smallest()
        yield made


async def post(world: World, kind: str = "preference_link", to: str = ANN, locale: str = "en", days: int = 7) -> str:
    subject = await world.person("c-1")
    services = world.services

    def unit(tx):
        letter = Letter(kind, to, locale, VALUES)
        return services.outbox.post(tx, raw(subject, "sub"), letter, tx.context.at + days * DAY)

    await services.database.run(Context("default", SYSTEM, now(), "test"), unit)
    return subject


async def rows(world: World):
    def unit(tx):
        (found,) = yield (tx.select(select(mail.c.kind, mail.c.sealed, mail.c.tries, mail.c.why)),)
        return found

    return await world.services.database.look(Context("default", SYSTEM, now(), "test"), unit)


async def carried(world: World, tries: int = 1, why: str | None = None) -> None:
    """A round, and the end of whatever round of the server's own was under way."""

    async def met() -> bool:
        return all(each[2] >= tries and why in (None, each[3]) for each in await rows(world))

    await world.services.carrier.round()
    await until(met)


async def let_time_pass(world: World) -> None:
    """Every letter that waits is due."""

    def unit(tx):
        tx.execute(update(mail).where(mail.c.next_at < NEVER).values(next_at=0))
        yield ()

    await world.services.database.run_alone(Context("default", SYSTEM, now(), "test"), unit)


async def test_a_letter_is_delivered_once_and_nothing_of_it_stays(world: World, mailbox: Mailbox) -> None:
    await post(world)
    assert ANN not in repr(await rows(world))
    await carried(world, tries=9)
    assert mailbox.recipients == [[ANN]]
    assert VALUES["url"] in mailbox.text()
    assert f'href="{VALUES["url"]}"' in mailbox.html()
    letter = mailbox.letters[0]
    assert letter["From"] == "Brand <privacy@brand.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert await rows(world) == []


async def test_a_server_that_puts_us_off_is_asked_again_at_its_time(world: World, mailbox: Mailbox) -> None:
    mailbox.reply = "451 Try again later"
    await post(world)
    for _ in range(3):
        await carried(world, why="refused")
    ((_, _, tries, why),) = await rows(world)
    assert (tries, why) == (1, "refused"), "not before its time"
    mailbox.reply = "250 OK"
    await let_time_pass(world)
    await carried(world, tries=9)
    assert await rows(world) == []
    assert len(mailbox.letters) == 1


async def test_an_unreachable_server_keeps_the_letter_and_stops_nothing(tmp_path: Path, sqlite_url: str) -> None:
    more = {"mail_host": "127.0.0.1", "mail_port": free_port(), "mail_tls": "none"}
    async with a_world(tmp_path, sqlite_url, mail_from="privacy@brand.example", **more) as world:
        await world.smallest()
        await post(world)
        await carried(world, why="unreachable")
        ((_, sealed, tries, why),) = await rows(world)
        assert (tries, why, bool(sealed)) == (1, "unreachable", True)


async def test_a_letter_that_is_refused_for_good_is_dead_and_told_of(
    world: World, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    mailbox.reply = "550 No such user"
    await post(world)
    await carried(world, why="refused")
    ((kind, sealed, tries, why),) = await rows(world)
    assert (kind, bytes(sealed), tries, why) == ("preference_link", b"", 1, "refused")
    told = (await world.admin.get("/v1/mail")).json()
    assert (told["configured"], told["waiting"], len(told["dead"])) == (True, 0, 1)
    assert told["dead"][0]["why"] == "refused"
    metrics = world.services.metrics.exposition().decode()
    assert "sayso_mail_dead 1.0" in metrics
    logged = capsys.readouterr().err
    assert "SMTPDataError" in logged
    assert "ann" not in logged + repr(told) + metrics


async def test_a_server_that_stalls_is_left_after_the_timeout(
    tmp_path: Path, database_url: str, mailbox: Mailbox
) -> None:
    mailbox.stall = 3
    more = {"mail_host": "127.0.0.1", "mail_port": mailbox.port, "mail_tls": "none", "mail_timeout": 1}
    async with a_world(tmp_path, database_url, mail_from="privacy@brand.example", **more) as world:
        await world.smallest()
        await post(world)
        await carried(world, why="unreachable")
        ((_, _, tries, why),) = await rows(world)
        assert (tries, why) == (1, "unreachable")


async def test_tries_are_bounded(world: World, mailbox: Mailbox) -> None:
    mailbox.reply = "451 Try again later"
    await post(world)
    for tried in range(len(PAUSES) + 1):
        await carried(world, tried + 1, "refused")
        await let_time_pass(world)
    await carried(world)
    ((_, sealed, tries, _),) = await rows(world)
    assert (bytes(sealed), tries) == (b"", len(PAUSES) + 1)


async def test_a_letter_past_its_term_is_not_sent(world: World, mailbox: Mailbox) -> None:
    await post(world, days=0)
    await carried(world, tries=0, why="ended")
    assert mailbox.letters == []
    ((_, sealed, _, why),) = await rows(world)
    assert (bytes(sealed), why) == (b"", "ended")


async def test_a_letter_to_somebody_erased_is_never_sent(world: World, mailbox: Mailbox) -> None:
    mailbox.reply = "451 Try again later"
    subject = await post(world)
    opened = await world.admin.post("/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": "gdpr"})
    request = opened.json()["request"]
    await world.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    done = await world.admin.post(f"/v1/rights/requests/{request}/fulfil", json={})
    assert done.status_code == 200, done.text
    mailbox.reply = "250 OK"
    await let_time_pass(world)
    await world.services.carrier.round()
    assert mailbox.letters == []
    assert await rows(world) == []


async def test_without_a_mail_server_nothing_is_promised(lite: World) -> None:
    await lite.smallest()
    subject = await lite.person()
    body = {"identifier": {"type": "email", "value": ANN}}
    refused = await lite.admin.post(f"/v1/subjects/{subject}/identifiers/codes", json=body)
    assert refused.status_code == 503
    assert refused.json()["type"].endswith("#mail-not-configured")
    assert (await lite.admin.get("/v1/mail")).json()["configured"] is False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("wanted", "used"),
    [
        ("en", "en"),
        ("zh-CN", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("de-AT", "de"),
        ("fr", "fr"),
        ("es-MX", "es"),
        ("pt-PT", "pt-BR"),
        ("ja", "ja"),
        ("ar-EG", "ar"),
        ("sv", "en"),
    ],
)
def test_every_letter_stands_in_every_language(kind: str, wanted: str, used: str) -> None:
    message = compose(Letter(kind, ANN, wanted, VALUES), "Tea & <Co>\nBcc: all@example.org", "a@b.example", now())
    assert message["Content-Language"] == used
    assert "\n" not in message["Subject"]
    assert message["Bcc"] is None
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert "$" not in plain.get_content()
    assert "<Co>" not in rich.get_content()
