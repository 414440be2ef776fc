"""Each person sees what an answer about many said of them, however many they are."""

import httpx
import pytest

from policies.audiences import answers
from policies.audiences.store import AIDS
from sayso.kernel import SYSTEM, Context, Tx, Work, new_id, now, raw
from tests.server.test_audiences import QUESTION, ask, people, unpacked
from tests.server.test_person_pages import MANIFEST, words
from tests.server.test_preferences import enter
from tests.server.worlds import World


async def seen(world: World, subject: str) -> str:
    browser, _ = await enter(world, subject)
    return words(await browser.get("/p/you/uses"))


async def keep_only(world: World, answer: httpx.Response, parts: list[int], own: int) -> None:
    """Of all parts of an answer's list only one is left: whoever opened another would see."""
    answered = raw(answer.headers["sayso-audience"], "aud")

    def unit(tx: Tx) -> Work[None]:
        for first in parts:
            if first != own:
                tx.delete(AIDS, answered, first.to_bytes(8, "big"))
        yield ()

    await world.services.database.run_alone(Context("default", SYSTEM, now(), new_id("req")), unit)


async def test_each_person_sees_that_use_and_no_other_part_of_the_list_is_opened(
    lite: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await lite.apply(MANIFEST)).status_code == 200
    monkeypatch.setattr(answers, "PART", 3)
    mailer = await lite.key("sender", "sender")
    known = await people(lite, 8, refuse=2)
    first = await ask(mailer, known.values())
    second = await ask(mailer, known.values())
    permitted, order = unpacked(first.content), sorted(known.values())
    yes = next(subject for subject, aid in known.items() if aid in permitted)
    no = next(subject for subject, aid in known.items() if aid not in permitted)
    told = await seen(lite, yes)
    assert told.count("Used your e-mail address") == 2
    assert "What for News by e-mail Who Sender Allowed because you said yes to it" in told
    told = await seen(lite, no)
    assert told.count("Asked for your e-mail address, and was refused") == 2
    assert "Used your" not in told
    parts = order[::3]
    own = parts[order.index(known[yes]) // 3]
    for answer in (first, second):
        await keep_only(lite, answer, parts, own)
    assert (await seen(lite, yes)).count("Used your e-mail address") == 2
    stranger = await lite.person("c-100")
    assert "e-mail address" not in await seen(lite, stranger)


async def test_pages_of_uses_go_on_through_lists_and_single_questions(
    lite: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sayso.server.views import person_uses

    assert (await lite.apply(MANIFEST)).status_code == 200
    monkeypatch.setattr(person_uses, "LISTS_LOOKED_THROUGH", 2)
    monkeypatch.setattr(person_uses, "LOOKED_THROUGH", 3)
    mailer = await lite.key("sender", "sender")
    (subject, aid), *_ = (await people(lite, 2, refuse=9)).items()
    await lite.choose(subject)
    single = {
        "subject": {"type": "service", "id": "sender"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": QUESTION["purpose"]},
    }
    for turn in range(9):
        if turn % 3:
            await ask(mailer, [aid])
        else:
            await mailer.post("/access/v1/evaluation", json=single)
    browser, _ = await enter(lite, subject)
    found, place = 0, "/p/you/uses"
    for _ in range(20):
        page = await browser.get(place)
        found += words(page).count("Used your e-mail address")
        older = [part.split('"')[0] for part in page.text.split('href="') if "before=" in part.split('"')[0]]
        if not older:
            break
        place = older[0].replace("&amp;", "&")
        place = place if place.startswith("/") else f"/p/you/uses{place}"
    assert found == 9
