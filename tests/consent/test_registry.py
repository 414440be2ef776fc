"""The registry on both databases, with real keys and a real log."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from freezegun import freeze_time

from consent import (
    Identifier,
    NoSubject,
    PurposeNotInNotice,
    StaleNotice,
    UnknownLocale,
    UnknownNotice,
    UnknownPurpose,
)
from sayso.kernel import DAY, Actor, Conflict, Denied, Invalid, ManifestError, TooLarge, now, raw, text
from tests.consent.conftest import MANIFEST, Store, claims_of

SECOND_VERSION = MANIFEST.replace("version: 1", "version: 2").replace("only if you say so", "when you say so")


async def test_a_grant_is_recorded_with_its_receipt_and_its_entry(store: Store) -> None:
    subject = await store.person()
    done = await store.record(subject, choices={"marketing.email": "granted", "ads": "refused"}, locale="zh-CN")
    assert done.state["marketing.email"].status == "granted"
    assert done.state["ads"].status == "refused"
    assert done.state["marketing.email"].notice_version == 1
    assert done.state["marketing.email"].record == done.record
    assert done.subject == text("sub", subject)
    entry = await store.look(lambda tx: store.log.entry(tx, done.entry))
    leaf = json.loads(entry.leaf)
    assert leaf["type"] == "consent.choice.recorded"
    assert leaf["res"] == {"method": "api", "notice": "web", "notice_version": "1"}
    assert "marketing" not in entry.leaf.decode()
    claims = claims_of(done.receipt)
    assert set(claims) == {"iss", "iat", "jti", "sub", "v", "receipt"}
    assert claims["sub"] == done.subject
    body = claims["receipt"]
    assert claims["v"] == 2
    assert body["dct:publisher"]["dpv:hasName"] == "Tea Ltd, Ireland"
    assert body["entry"] == done.entry
    refused, granted = body["dpv:hasRecordOfActivity"]
    assert [told(each) for each in (granted, refused)] == [("ConsentGiven", "邮件资讯"), ("ConsentRefused", "广告")]


def told(record: dict[str, Any]) -> tuple[str, str]:
    """State and title of a record with one purpose."""
    (process,) = record["dpv:hasProcess"]
    return record["dpv:hasConsentStatus"]["@type"][0].removeprefix("dpv:"), process["dpv:hasPurpose"]["dct:title"]


async def test_a_receipt_verifies_by_the_key_in_its_header_and_reads_again_byte_for_byte(store: Store) -> None:
    done = await store.record(await store.person())
    head, body, signature = done.receipt.split(".")
    header = json.loads(urlsafe_b64decode(head + "=="))
    assert (header["alg"], header["typ"]) == ("Ed25519", "consent-receipt+jwt")
    assert header["kid"] == store.keys.kid("default", "receipt")
    key = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(header["jwk"]["x"] + "="))
    key.verify(urlsafe_b64decode(signature + "=="), f"{head}.{body}".encode())
    again = await store.look(lambda tx: store.registry.receipt(tx, raw(done.record, "cns")))
    assert again == done.receipt


async def test_withdrawing_all_reaches_every_purpose_that_a_no_can_block_asked_or_not(store: Store) -> None:
    subject = await store.person()
    await store.record(subject)
    done = await store.withdraw(subject)
    assert done.state["marketing.email"].status == "withdrawn"
    assert done.state["marketing.similar"].status == "withdrawn"
    assert done.state["marketing.similar"].objected is True
    assert "support" not in done.state
    assert await store.statuses(subject) == {
        "ads": "withdrawn",
        "marketing": "withdrawn",
        "marketing.email": "withdrawn",
        "marketing.similar": "withdrawn",
        "support": "unasked",
    }


async def test_a_later_grant_reopens_consent_and_leaves_the_objection(store: Store) -> None:
    subject = await store.person()
    await store.withdraw(subject, ["marketing.email"], method="list_unsubscribe_one_click")
    done = await store.record(subject)
    assert done.state["marketing.email"].status == "granted"
    assert done.state["marketing.email"].objected is True
    cleared = await store.hot(lambda tx: store.registry.reconsider(tx, store.catalogue, subject, ["marketing.email"]))
    assert cleared.state["marketing.email"].status == "granted"
    assert "objected" not in json.loads(msgspec.json.encode(cleared))["state"]["marketing.email"]


async def test_a_grant_claimed_from_before_a_refusal_is_recorded_and_ignored(store: Store) -> None:
    subject = await store.person()
    await store.record(subject, choices={"marketing.email": "refused"})
    done = await store.record(subject, occurred_at=now() - DAY, method="import")
    assert done.ignored == {"marketing.email": "late"}
    assert done.state["marketing.email"].status == "refused"


async def test_a_device_does_not_loosen_what_a_session_refused(store: Store) -> None:
    subject = await store.person()
    await store.record(subject, choices={"marketing.email": "refused"})
    done = await store.record(subject, assurance="device")
    assert done.ignored == {"marketing.email": "weaker"}
    # A weaker no in between does not make the next yes any stronger.
    await store.record(subject, choices={"marketing.email": "refused"}, assurance="device")
    assert (await store.record(subject, assurance="device")).ignored == {"marketing.email": "weaker"}
    assert (await store.record(subject, assurance="staff")).state["marketing.email"].status == "granted"


async def test_names_that_are_not_declared_are_refused_with_the_nearest(store: Store) -> None:
    subject = await store.person()
    with pytest.raises(UnknownPurpose) as unknown:
        await store.record(subject, choices={"marketing.emial": "granted"})
    assert unknown.value.facts == {"nearest": "marketing.email"}
    with pytest.raises(PurposeNotInNotice):
        await store.record(subject, choices={"support": "granted"})
    with pytest.raises(UnknownNotice):
        await store.record(subject, notice="wbe")
    with pytest.raises(UnknownLocale):
        await store.record(subject, locale="fr")
    with pytest.raises(UnknownPurpose):
        await store.withdraw(subject, ["nothing"])
    assert set((await store.statuses(subject)).values()) == {"unasked"}


async def test_malformed_submissions_are_refused_before_anybody_is_made(store: Store) -> None:
    who = Identifier("customer_id", "c-bad")
    for changes, error in (
        ({"choices": {}}, Invalid),
        ({"choices": {"marketing.email": "withdrawn"}}, Invalid),
        ({"method": "telepathy"}, Invalid),
        ({"occurred_at": now() + DAY}, Invalid),
        ({"evidence": {"agent": "x" * 5_000}}, TooLarge),
        ({"locale": "e" * 99}, Invalid),
        ({"notice_version": 0}, Invalid),
    ):
        with pytest.raises(error):
            await store.record(identifier=who, **changes)
    with pytest.raises(NoSubject):
        await store.look(lambda tx: store.registry.resolve(tx, who, create=False))


async def test_a_stale_notice_takes_refusals_and_no_grants(store: Store) -> None:
    subject = await store.person()
    await store.record(subject)
    store.catalogue = await store.apply(SECOND_VERSION)
    with pytest.raises(StaleNotice) as stale:
        await store.record(subject, choices={"marketing.email": "granted", "ads": "refused"})
    assert stale.value.facts["published_version"] == 2
    done = await store.record(subject, choices={"ads": "refused"})
    assert done.state["ads"].status == "refused"
    assert done.state["marketing.email"].status == "granted"
    never_published = await store.record(subject, notice_version=9, choices={"ads": "refused"})
    assert never_published.state["ads"].notice_version == 9


async def test_a_published_notice_does_not_change(store: Store) -> None:
    with pytest.raises(ManifestError) as refused:
        await store.apply(MANIFEST.replace("only if", "whenever"))
    assert refused.value.problems[0].line == MANIFEST[: MANIFEST.index("version: 1")].count("\n") + 1
    assert (await store.apply(MANIFEST)).notice("web").version == 1


async def test_a_material_change_makes_earlier_grants_stale(store: Store) -> None:
    subject = await store.person()
    await store.record(subject)
    before = now()
    store.catalogue = await store.apply(MANIFEST.replace("News by e-mail", "Our letter"))
    assert (await store.statuses(subject))["marketing.email"] == "granted"
    store.catalogue = await store.apply(MANIFEST.replace("[contact.email]", "[contact.email, behaviour]"))
    assert store.catalogue.version("marketing.email") == 2
    assert (await store.statuses(subject))["marketing.email"] == "stale"
    assert (await store.statuses(subject, as_of=before))["marketing.email"] == "granted"
    assert (await store.record(subject)).state["marketing.email"].status == "granted"


async def test_a_grant_ends_at_its_term_and_a_refusal_does_not(store: Store) -> None:
    with freeze_time("2026-11-21", real_asyncio=True) as clock:
        subject = await store.person()
        await store.record(subject, choices={"marketing.email": "granted", "ads": "refused"})
        clock.move_to(datetime(2028, 11, 21, tzinfo=UTC) - timedelta(seconds=1))
        assert (await store.statuses(subject))["marketing.email"] == "granted"
        clock.move_to(datetime(2028, 11, 21, tzinfo=UTC))
        assert await store.statuses(subject) | {"support": ""} == {
            "ads": "refused",
            "marketing.email": "expired",
            "marketing.similar": "unasked",
            "support": "",
        }
        # A signed paper counts from the day it was signed.
        late = await store.person("c-2")
        done = await store.record(late, occurred_at=now() - 800 * DAY, method="paper")
        assert done.state["marketing.email"].status == "expired"


async def test_time_travel_tells_what_held_and_what_was_known(store: Store) -> None:
    with freeze_time("2026-11-21T12:00:00", real_asyncio=True) as clock:
        subject = await store.person()
        await store.record(subject)
        clock.tick(3600)
        granted = now()
        clock.tick(3600)
        # Said on paper half an hour before `granted`, typed in now.
        await store.record(
            subject, choices={"marketing.email": "refused"}, occurred_at=granted - 1_800_000_000, method="paper"
        )
        assert (await store.statuses(subject))["marketing.email"] == "refused"
        assert (await store.statuses(subject, as_of=granted, known_at=granted))["marketing.email"] == "granted"
        assert (await store.statuses(subject, as_of=granted))["marketing.email"] == "refused"
        assert (await store.statuses(subject, as_of=granted - DAY))["marketing.email"] == "unasked"


async def test_the_row_is_what_the_records_make(store: Store) -> None:
    subject = await store.person()
    for choice in ("granted", "refused", "granted"):
        await store.record(subject, choices={"marketing.email": choice, "ads": choice})
    await store.withdraw(subject, ["marketing"])
    await store.record(subject)
    live = await store.look(lambda tx: store.registry.state(tx, store.catalogue, subject))
    replayed = await store.look(lambda tx: store.registry.state(tx, store.catalogue, subject, as_of=now()))
    assert live.purposes == replayed.purposes


async def test_a_choice_is_later_than_the_one_before_it_even_when_the_clock_stands_still(store: Store) -> None:
    with freeze_time("2026-11-21", real_asyncio=True):
        subject = await store.person()
        await store.record(subject)
        await store.record(subject, choices={"marketing.email": "refused"})
        done = await store.record(subject)
        assert done.state["marketing.email"].status == "granted"
        assert (await store.statuses(subject))["marketing.email"] == "granted"


async def test_history_needs_a_permit_or_the_person_and_pages_newest_first(store: Store) -> None:
    subject, other = await store.person(), await store.person("c-2")
    for _ in range(5):
        await store.record(subject, evidence={"steps": 2})
    history, permit = store.registry.history, store.permit(subject, "read")
    with pytest.raises(Denied):
        await store.cold(lambda tx: history(tx, subject))
    with pytest.raises(Denied):
        await store.cold(lambda tx: history(tx, subject, store.permit(other, "read")))
    first = await store.cold(lambda tx: history(tx, subject, permit, limit=3))
    rest = await store.cold(lambda tx: history(tx, subject, permit, limit=3, cursor=first.next))
    assert (len(first.items), len(rest.items), rest.next) == (3, 2, None)
    assert len({item.record for item in (*first.items, *rest.items)}) == 5
    assert first.items[0].evidence == {"steps": 2}
    themselves = Actor(text("sub", subject), "", "person", frozenset({"self"}))
    own = await store.cold(lambda tx: history(tx, subject), themselves)
    assert len(own.items) == 5
    with pytest.raises(Denied):
        await store.cold(lambda tx: history(tx, other), themselves)


async def test_nothing_is_written_when_the_unit_fails_after_the_record(store: Store) -> None:
    subject = await store.person()

    def fails(tx):
        yield from store.registry.record(tx, store.catalogue, store.submission(subject=subject))
        raise Conflict("broken", "No.")

    with pytest.raises(Conflict):
        await store.hot(fails)
    assert set((await store.statuses(subject)).values()) == {"unasked"}
    page = await store.cold(lambda tx: store.registry.history(tx, subject, store.permit(subject, "read")))
    assert page.items == []
