"""Erasure, whole: nothing opens any more, the no stays, the log still verifies. On both engines."""

import asyncio
import contextlib
import json
import sqlite3
from base64 import urlsafe_b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import func, select

from audit import decode_leaf, print_trust, verify
from consent import Held, NoRecord, NoSubject
from consent import tables as consent_tables
from policies import AccessDenied
from rights import ImpossibleStep, LegalGround, NothingToKeep, NotShredded
from rights import tables as rights_tables
from rights.certificate import NOTHING_HELD
from sayso.kernel import Conflict, NotFound, Tx, Work, new_raw, raw, text
from sayso.kernel.sqlite import SqliteDatabase
from tests.rights.world import CUSTOMER, EMAIL, MAILER, PHONE, SHOP, World, entry_type
from vault import tables as vault_tables

PERSONAL = (
    vault_tables.vault_record,
    vault_tables.vault_index,
    vault_tables.vault_index_of,
    vault_tables.vault_token,
    vault_tables.vault_token_of,
    consent_tables.consent_identifier,
    consent_tables.consent_identifier_of,
    consent_tables.consent_aid,
)


async def counts(world: World) -> dict[str, int]:
    """Rows in every table that holds something of a person."""

    def unit(tx: Tx) -> Work[dict[str, int]]:
        rows = yield tuple(tx.select(select(func.count()).select_from(table)) for table in PERSONAL)
        return {table.name: found[0][0] for table, found in zip(PERSONAL, rows, strict=True)}

    return await world.look(unit)


async def classes_of(world: World, subject: bytes) -> set[str]:
    """The classes of the person's keys."""

    def unit(tx: Tx) -> Work[set[str]]:
        c = vault_tables.vault_key.c
        (rows,) = yield (tx.select(select(c["class"]).where(c.owner == subject)),)
        return {row[0] for row in rows}

    return await world.look(unit)


def claims_of(certificate: str) -> dict:
    payload = certificate.split(".")[1]
    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


async def test_after_an_erasure_nothing_of_the_person_opens(world: World) -> None:
    before = await counts(world)
    one = await world.customer()
    assert await world.reveal(one.tokens["email"]) == EMAIL
    assert (await world.ask(one.subject)).decision.allowed

    await world.erase(one.subject)

    assert await world.reveal(one.tokens["email"]) is None
    assert (await world.ask(one.subject)).decision.reason == "no_subject"
    with pytest.raises(NoSubject):
        await world.resolve(create=False)
    with pytest.raises(NoSubject):
        await world.look(lambda tx: world.consent.state(tx, world.policy.catalogue, one.subject))
    with pytest.raises(NoRecord):
        await world.look(lambda tx: world.consent.receipt(tx, raw(one.record, "cns")))
    assert await counts(world) == before
    # What stays is the proof, under a key of its own.
    assert await classes_of(world, one.subject) == {"proof"}
    page = await world.look(lambda tx: world.audit.entries_about(tx, one.subject))
    assert page.entries == []


async def test_importing_the_erased_person_again_permits_nothing(world: World) -> None:
    one = await world.customer()
    await world.erase(one.subject)

    again = await world.resolve()
    assert again != one.subject
    recorded = await world.choose(again)
    assert recorded.ignored == {"marketing.email": "suppressed"}
    await world.store(again, email=EMAIL)
    answer = await world.ask(again)
    assert not answer.decision.allowed
    assert not (await world.ask(one.subject)).decision.allowed


async def test_the_certificate_names_what_went_and_what_stays(world: World) -> None:
    one = await world.customer()
    request = await world.erase(one.subject)

    claims = claims_of(await world.certificate(request))
    statement = claims["certificate"]
    gone = {item["what"]: item["count"] for item in statement["gone"]}
    assert gone.pop("openings") >= 4
    assert gone == {
        "aid": 1,
        "consent_records": 1,
        "identifiers": 1,
        "indexes": 1,
        "records": 2,
        "requests": 1,
        "state": 1,
        "tokens": 2,
    }
    assert {key["class"] for key in statement["keys"]} == {"data", "log"}
    assert [kept["what"] for kept in statement["kept"]] == ["proof", "suppression"]
    assert all(
        kept["ground"] and kept["scope"] and kept["until"] > statement["completed_at"] for kept in statement["kept"]
    )
    assert statement["stage"] == "shredded"
    assert statement["final"]["epochs"] == [1]
    assert text("sub", one.subject) not in json.dumps(claims)
    assert one.subject.hex() not in json.dumps(claims)


async def test_the_certificate_is_bound_to_the_log_and_verifies_offline(world: World, tmp_path: Path) -> None:
    one = await world.customer()
    request = await world.erase(one.subject)
    early = await world.certificate(request)
    await world.audit.drain(world.database, world.tenant)
    late = await world.certificate(request)
    assert "proof" not in claims_of(early)
    assert claims_of(late) | {"proof": ""} == claims_of(early) | {"proof": ""}

    trust = tmp_path / "trust.json"
    vkey = await world.look(world.audit.vkey)
    trust.write_bytes(print_trust([vkey], [world.keyring.public_key(world.tenant, "certificate")]))
    for number, certificate in enumerate((early, late)):
        path = tmp_path / f"{number}.jws"
        path.write_text(certificate)
        verdict = verify(path, trust)
        assert verdict.code == 0, verdict.report
    assert "rights.erasure.completed" in verdict.report

    # The entry answers for the statement's content.
    claims = claims_of(late)
    entry = await world.look(lambda tx: world.audit.entry(tx, claims["entry"]))
    leaf = decode_leaf(entry.leaf)
    canonical = json.dumps(claims["certificate"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert leaf.res["certificate"] == sha256(canonical.encode()).hexdigest()
    assert leaf.res["request"] == request

    forged = late.split(".")
    forged[1] = ("A" if forged[1][0] != "A" else "B") + forged[1][1:]
    path.write_text(".".join(forged))
    assert verify(path, trust).code == 1


async def test_the_log_still_verifies_and_holds_nothing_in_clear(world: World, tmp_path: Path) -> None:
    one = await world.customer()
    await world.erase(one.subject)
    types = await world.types()
    assert types.count("rights.erasure.completed") == types.count("vault.key.shredded") == 1
    out = tmp_path / "log"
    await world.audit.export(world.database, world.tenant, out)
    verdict = verify(out)
    assert verdict.code == 0, verdict.report
    exported = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for personal in (EMAIL, PHONE, CUSTOMER, one.subject.hex()):
        assert personal.encode() not in exported


# On PostgreSQL old pages go by vacuum; the certificate says shredded, not final.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_sqlite_file_no_longer_holds_the_wrapped_keys(world: World, sqlite_url: str) -> None:
    one = await world.customer()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as reader:
        wrapped = [row[0] for row in reader.execute("SELECT wrapped FROM vault_key WHERE owner = ?", (one.subject,))]
    reader.close()
    assert len(wrapped) == 2
    await world.erase(one.subject)
    files = b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))
    assert not any(key in files for key in wrapped)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_erasure_asks_nothing_of_a_thread_while_everybody_waits_for_it(world: World) -> None:
    one = await world.customer()
    request = await world.verified(one.subject)
    asked: list[str] = []
    assert isinstance(world.database, SqliteDatabase)
    world.database._queries.set_trace_callback(asked.append)
    await world.fulfil(request)
    assert asked == []


async def test_two_fulfils_at_once_are_one_erasure(world: World) -> None:
    one = await world.customer()
    request = await world.verified(one.subject)
    results = await asyncio.gather(*(world.fulfil(request) for _ in range(6)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert len(refused) == 5
    assert all(isinstance(error, Conflict) for error in refused)
    assert (await world.types()).count("rights.erasure.completed") == 1


async def test_an_erasure_during_an_import_leaves_nothing_behind(world: World, other_node: World) -> None:
    before = await counts(world)
    one = await world.customer()
    request = await world.verified(one.subject)

    async def imports() -> None:
        for nth in range(8):
            await other_node.choose(one.subject, "refused" if nth % 2 else "granted")
            await other_node.store(one.subject, email=f"linden.{nth}@example.com")

    async def erases() -> None:
        while (await world.look(lambda tx: world.desk.request(tx, request))).status != "fulfilled":
            # An import that wins the race again and again makes the erasure a conflict; officers ask again.
            with contextlib.suppress(Conflict):
                await world.fulfil(request)

    erased, imported = await asyncio.gather(erases(), imports(), return_exceptions=True)
    assert erased is None
    assert imported is None or isinstance(imported, NotFound)
    assert await counts(world) == before
    assert await classes_of(world, one.subject) == {"proof"}
    assert not (await world.ask(one.subject)).decision.allowed


async def test_two_nodes_that_fulfil_at_once_erase_once(world: World, other_node: World) -> None:
    one = await world.customer()
    request = await world.verified(one.subject)
    results = await asyncio.gather(world.fulfil(request), other_node.fulfil(request), return_exceptions=True)
    assert sorted(isinstance(result, Conflict) for result in results) == [False, True]
    assert (await world.types()).count("rights.erasure.completed") == 1


async def test_a_second_fulfil_is_told_that_it_is_done(world: World) -> None:
    one = await world.customer()
    request = await world.erase(one.subject)
    first = await world.certificate(request)
    with pytest.raises(ImpossibleStep) as refused:
        await world.fulfil(request)
    assert refused.value.slug == "request-closed"
    assert await world.certificate(request) == first


async def test_two_requests_for_one_erasure_share_its_certificate(world: World) -> None:
    one = await world.customer()
    first = await world.verified(one.subject)
    opened = await world.request(one.subject)
    assert opened.related == first
    await world.cold(lambda tx: world.desk.verify(tx, opened.request, "officer"))
    await world.fulfil(first)
    done = await world.fulfil(opened.request)
    assert (done.status, done.subject) == ("fulfilled", "")
    assert await world.certificate(opened.request) == await world.certificate(first)
    assert (await world.types()).count("rights.erasure.completed") == 1


async def test_erasing_takes_the_person_out_of_all_their_requests(world: World) -> None:
    one = await world.customer()
    other = await world.request(one.subject, "objection", purposes=("marketing.email",))
    assert other.purposes == ("marketing.email",)
    await world.erase(one.subject)
    shown = await world.look(lambda tx: world.desk.request(tx, other.request))
    assert (shown.subject, shown.purposes, shown.status) == ("", (), "open")

    def unit(tx: Tx) -> Work[list]:
        c = rights_tables.rights_request.c
        (rows,) = yield (tx.select(select(c.subject, c.private)),)
        return rows

    assert all(row == (None, None) for row in map(tuple, await world.look(unit)))
    refused = await world.cold(lambda tx: world.desk.refuse(tx, other.request, "no_match", "She is gone."))
    assert (refused.status, refused.statements) == ("denied", [])
    opened = await world.look(lambda tx: world.audit.openings(tx, refused.entry))
    assert not any(b"gone" in opening.payload for opening in opened)


async def test_someone_unknown_is_erased_without_a_trace_of_difference(world: World) -> None:
    one = await world.customer()
    known, unknown = await world.request(one.subject), await world.request(new_raw())
    for field in known.__struct_fields__:
        if field not in ("request", "subject", "received_at", "entry", "entries"):
            assert getattr(known, field) == getattr(unknown, field)
    assert len(known.entries) == len(unknown.entries) == 1
    await world.cold(lambda tx: world.desk.verify(tx, unknown.request, "officer"))
    assert (await world.fulfil(unknown.request)).status == "fulfilled"
    statement = claims_of(await world.certificate(unknown.request))["certificate"]
    assert (statement["keys"], statement["kept"]) == ([], [])
    assert statement["final"] == {"epochs": [], "pending": NOTHING_HELD}


async def test_a_person_erased_twice_has_nothing_left_to_erase(world: World) -> None:
    one = await world.customer()
    await world.erase(one.subject)
    request = await world.erase(one.subject)
    statement = claims_of(await world.certificate(request))["certificate"]
    assert statement["keys"] == []


async def test_what_a_law_makes_the_controller_keep_stays_and_is_named(world: World) -> None:
    one = await world.customer()
    await world.store(one.subject, invoice="2026-17, 12.80 EUR")
    ground = LegalGround("invoices", "GDPR 17(3)(b): German Fiscal Code s. 147", "2034-12-31T23:00:00Z")
    request = await world.erase(one.subject, (ground,))
    statement = claims_of(await world.certificate(request))["certificate"]
    assert statement["kept"][-1] == {
        "count": 1,
        "ground": "GDPR 17(3)(b): German Fiscal Code s. 147",
        "scope": "retention class invoices",
        "until": "2034-12-31T23:00:00.000000Z",
        "what": "records",
    }
    assert await classes_of(world, one.subject) == {"invoices", "proof"}
    left = await world.look(lambda tx: world.vault.held(tx, one.subject))
    assert [value.field for value in left] == ["invoice"]
    assert await world.reveal(one.tokens["email"]) is None


async def test_a_ground_that_keeps_nothing_stops_the_erasure_whole(world: World) -> None:
    one = await world.customer()
    request = await world.verified(one.subject)
    before = await world.types()
    for wrong in ("invoices", "log", "proof"):
        with pytest.raises(NothingToKeep):
            await world.fulfil(request, grounds=(LegalGround(wrong, "some law"),))
    assert await world.types() == before
    assert await world.reveal(one.tokens["email"]) == EMAIL
    assert (await world.look(lambda tx: world.desk.request(tx, request))).status == "in_progress"


async def test_a_legal_hold_stops_the_erasure(world: World) -> None:
    one = await world.customer()
    request = await world.verified(one.subject)
    await world.cold(lambda tx: world.consent.hold(tx, one.subject, on=True))
    with pytest.raises(Held):
        await world.fulfil(request)
    assert await world.reveal(one.tokens["email"]) == EMAIL
    assert (await world.types())[-2:].count("access.denied") == 1
    await world.cold(lambda tx: world.consent.hold(tx, one.subject, on=False))
    assert (await world.fulfil(request)).status == "fulfilled"


async def test_who_may_not_erase_does_not_and_the_try_is_entered(world: World) -> None:
    one = await world.customer()
    request = await world.verified(one.subject)
    for actor in (SHOP, MAILER):
        with pytest.raises(AccessDenied):
            await world.fulfil(request, actor)
    assert (await world.types())[-2:] == ["access.denied", "access.denied"]
    assert await world.reveal(one.tokens["email"]) == EMAIL


async def test_there_is_no_certificate_before_the_erasure(world: World) -> None:
    one = await world.customer()
    request = await world.verified(one.subject)
    with pytest.raises(NotShredded):
        await world.certificate(request)
    access = await world.verified(one.subject, "access")
    await world.fulfil(access)
    with pytest.raises(NotShredded):
        await world.certificate(access)


async def test_the_entry_of_the_erasure_says_nothing_about_the_person(world: World) -> None:
    one = await world.customer()
    request = await world.erase(one.subject)
    claims = claims_of(await world.certificate(request))
    entry = await world.look(lambda tx: world.audit.entry(tx, claims["entry"]))
    assert entry_type(entry.leaf) == "rights.erasure.completed"
    assert await world.look(lambda tx: world.audit.subject_of(tx, entry.id)) is None
    opened = await world.look(lambda tx: world.audit.openings(tx, entry.id))
    assert {opening.compartment for opening in opened} == {"a", "d"}
