"""The way to the mail server: encrypted or not at all, and with a login where one is set."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.builders.certificate import a_certificate, for_server, trusted
from tests.builders.mail import Mailbox, a_mail_server
from tests.server.test_mail import ANN, carried, let_time_pass, post, rows
from tests.server.worlds import World, a_world

USER, PASSWORD = "brand", "a long password"


@asynccontextmanager
async def a_brand(
    folder: Path,
    database_url: str,
    *,
    begins: Literal["starttls", "tls"] = "starttls",
    trusts: bool = True,
    **more: Any,
) -> AsyncIterator[tuple[World, Mailbox]]:
    """A brand whose mail server wants encryption and a login."""
    certificate = a_certificate(folder)
    password = folder / "mail-password"
    password.write_text(f"{PASSWORD}\n")
    async with AsyncExitStack() as stack:
        mailbox = await stack.enter_async_context(a_mail_server(for_server(certificate), begins, (USER, PASSWORD)))
        if trusts:
            stack.enter_context(trusted(certificate))
        settings = {
            "mail_host": "127.0.0.1",
            "mail_port": mailbox.port,
            "mail_tls": begins,
            "mail_timeout": 60,
            "mail_user": USER,
            "mail_password_file": str(password),
            "mail_from": "privacy@brand.example",
        }
        world = await stack.enter_async_context(a_world(folder, database_url, **(settings | more)))
        await world.smallest()
        yield world, mailbox


@pytest.mark.parametrize("begins", ["starttls", "tls"])
async def test_a_letter_goes_encrypted_and_with_a_login(
    tmp_path: Path, database_url: str, begins: Literal["starttls", "tls"]
) -> None:
    async with a_brand(tmp_path, database_url, begins=begins) as (world, mailbox):
        await post(world)
        await carried(world, tries=9)
        assert (mailbox.recipients, mailbox.encrypted, mailbox.users) == ([[ANN]], [True], [USER])
        assert await rows(world) == []


async def test_a_wrong_password_keeps_the_letter_until_it_is_set_right(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_brand(tmp_path, database_url) as (world, mailbox):
        password = tmp_path / "mail-password"
        password.write_text("last year's password")
        await post(world)
        await carried(world, why="unreachable")
        assert mailbox.letters == []
        logged = capsys.readouterr().err
        assert "SMTPAuthenticationError" in logged
        assert "last year" not in logged
        password.write_text(PASSWORD)
        await let_time_pass(world)
        await carried(world, tries=9)
        assert mailbox.users == [USER]


async def test_a_server_that_nobody_vouches_for_is_told_nothing(tmp_path: Path, sqlite_url: str) -> None:
    async with a_brand(tmp_path, sqlite_url, trusts=False) as (world, mailbox):
        await post(world)
        await carried(world, why="unreachable")
        assert (mailbox.letters, mailbox.users) == ([], [])


async def test_a_server_that_cannot_encrypt_gets_neither_letter_nor_password(tmp_path: Path, sqlite_url: str) -> None:
    async with a_mail_server() as plain, a_brand(tmp_path, sqlite_url, mail_port=plain.port) as (world, _):
        await post(world)
        await carried(world)
        ((_, sealed, tries, _),) = await rows(world)
        assert (plain.letters, tries, bool(sealed)) == ([], 1, True)
