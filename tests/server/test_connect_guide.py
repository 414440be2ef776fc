"""The guide for engineers, followed as it stands: what it declares is applied, what it says to call is called."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
import yaml
from sqlalchemy import NullPool, create_engine, text
from standardwebhooks import Webhook

from sayso.server.connectors.secrets import FOLDER
from tests.builders.served import HOST
from tests.server.feed.receivers import a_receiver
from tests.server.processors import Processor, a_processor
from tests.server.test_systems import Told, ready, tasks_of
from tests.server.worlds import a_world
from tests.source import ROOT

GUIDE = (ROOT / "docs" / "guides" / "connect-a-system.md").read_text("utf-8")
CRM, SHOP, CDP = (yaml.safe_load(each)["systems"] for each in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))


@pytest_asyncio.fixture
async def processor() -> AsyncIterator[Processor]:
    async with a_processor() as made:
        yield made


@pytest_asyncio.fixture
async def brand(tmp_path: Path, sqlite_url: str, processor: Processor) -> AsyncIterator[Told]:
    async with a_world(tmp_path, sqlite_url, webhook_hosts=(HOST,)) as world:
        folder = world.services.settings.key_folder / FOLDER
        folder.mkdir()
        (folder / "shop").write_text(f"sqlite:///{tmp_path / 'shop.db'}")
        (folder / "cdp").write_text(processor.url)
        CDP["cdp"]["certificate"] = processor.identity.certificate
        yield await ready(world, yaml.safe_dump({"systems": CRM | SHOP | CDP}))


async def test_the_systems_of_the_guide_are_connected_and_answer(
    brand: Told, tmp_path: Path, processor: Processor
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id INTEGER, item TEXT, price INTEGER, mail TEXT)"))
        connection.execute(text("CREATE TABLE customers (name TEXT, mail TEXT)"))
        connection.execute(text("INSERT INTO orders VALUES (1, 'tea', 4, 'lin@example.com')"))
    tried = await brand.admin.post("/v1/rights/systems/shop/check", json={"dry_run": True})
    assert tried.json()["problems"] == []
    async with a_receiver() as receiver:
        (types,) = re.findall(r'"types": (\["sayso\.rights[^\]]*\])', GUIDE)
        made = await brand.crm.post("/v1/webhooks", json={"url": receiver.url, "types": yaml.safe_load(types)})
        request = await brand.served(await brand.customer())
        message = (await receiver.count(1))[0]
        Webhook(made.json()["secret"]).verify(message.body, message.headers)
        task = message.event["data"]["task"]
        assert set(re.findall(r'"(\w+)":', re.findall(r'"data": (\{"task": .*?)\n```', GUIDE, re.DOTALL)[0])) <= {
            "task",
            *task,
            *task["identify"],
        }
    (path,) = re.findall(r"POST (/v1/rights/tasks/)tsk_…/done", GUIDE)
    done = await brand.crm.post(f"{path}{task['task']}/done", json={"request": task["request"], "count": 3})
    assert done.status_code == 200, done.text
    while await brand.services.connectors.round():
        pass
    (told,) = processor.posted()
    headers, body = processor.callback(told.body["subject_request_id"], "completed")
    (path,) = re.findall(r"`(/t/TENANT/opendsr/)TASK`", GUIDE)
    path = path.replace("TENANT", "default") + tasks_of(request)["cdp"]
    assert (await brand.nobody.post(path, headers=headers, content=body)).status_code == 202
    closed = await brand.request(request["request"])
    assert (closed["status"], set(tasks_of(closed))) == ("fulfilled", {"crm", "shop", "cdp"})
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM orders")).scalar() == 0


def test_the_guide_names_every_word_that_a_check_may_say() -> None:
    source = "".join(file.read_text() for file in (ROOT / "sayso/server/connectors").glob("*.py"))
    words = set(re.findall(r'Refused\("([a-z-]+)"', source)) | {"no-client"}
    # `not-ours` goes to the log alone: whoever has the task then says what comes of it.
    assert words - {"too-much-data", "not-ours"} <= set(re.findall(r"`([a-z-]+)`", GUIDE))
