"""The console's report on uses of data: ordered by a form, shown as a table, taken along with its proofs."""

import io
import re
import zipfile
from pathlib import Path

import httpx

from audit import verify
from tests.server.test_exports import busy, worked
from tests.server.worlds import World


async def signed_in(world: World, key: str) -> tuple[httpx.AsyncClient, str]:
    browser = await world.client(None, origin="http://127.0.0.1:8080")
    entered = await browser.post("/console/session", data={"key": key})
    assert entered.status_code == 303, entered.text
    page = (await browser.get("/console/uses")).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return browser, found[1]


async def test_an_officer_makes_a_report_reads_it_and_takes_its_proofs(world: World, tmp_path: Path) -> None:
    await busy(world)
    await world.services.integrate()
    browser, csrf = await signed_in(world, world.admin_key)
    made = await browser.post("/console/uses", data={"csrf": csrf, "from": "2020-01-01", "to": ""})
    assert made.status_code == 303
    if "export=" not in made.headers["location"]:
        await worked(world)
    export = (await world.admin.get("/v1/exports")).json()["exports"][0]["export"]
    page = (await browser.get(f"/console/uses?export={export}")).text
    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "mailer contact.email marketing.email use Permitted 3 Refused 0" in told
    assert "mailer health marketing.email use Permitted 0 Refused 3" in told
    bundle = await browser.get(f"/console/uses/{export}/bundle")
    file = tmp_path / "report.zip"
    file.write_bytes(bundle.content)
    assert verify(file).code == 0
    assert "report.csv" in zipfile.ZipFile(io.BytesIO(bundle.content)).namelist()
    assert (await browser.get(f"/console/uses/{export}/pdf")).content.startswith(b"%PDF")
    assert (await browser.get(f"/console/uses/{export}/csv")).text.startswith("day,service")
    assert (await browser.get(f"/console/uses/{export}/exe")).status_code == 400


async def test_a_form_of_another_page_or_a_day_that_is_none_makes_nothing(lite: World) -> None:
    await lite.smallest()
    browser, csrf = await signed_in(lite, lite.admin_key)
    assert (await browser.post("/console/uses", data={"csrf": "wrong", "from": ""})).status_code == 403
    refused = await browser.post("/console/uses", data={"csrf": csrf, "from": "yesterday"})
    assert refused.status_code == 400
    assert "Not a date." in refused.text
    assert (await lite.admin.get("/v1/exports")).json()["exports"] == []
    assert "cannot be shown" in (await browser.get("/console/uses?export=exp_" + "00" * 16)).text


async def test_without_a_session_there_is_the_sign_in(lite: World) -> None:
    browser = await lite.client(None)
    assert (await browser.get("/console/uses")).status_code == 303
    assert (await browser.get("/console/uses/exp_00/csv")).status_code in (401, 404)
