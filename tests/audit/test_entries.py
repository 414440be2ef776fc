"""What an entry keeps, who can open it, and what is left when a key is gone."""

import base64
import json
from collections import Counter
from itertools import combinations

import pytest
from freezegun import freeze_time
from sqlalchemy import select

from audit import AuditEvent, EntryNotFound, Search, SizeNotInLog, TileNotFound, declare
from audit.leaf.commitment import TAG_LABEL, tag
from audit.leaf.encoding import decode_leaf
from audit.tables import audit_actor, audit_index, audit_outbox, audit_subject
from audit.tlog.proof import TlogProof
from audit.tlog.tiles import unpack
from audit.tree import proving
from sayso.kernel import Actor, Invalid, Tx, Work, new_id, text
from tests.audit.builders import CHANGED, CRM, TENANT, Store, carried, context

ACCESS = declare("tests.access.decided", "name")
SECRET_WORD = "marmalade"
NOBODY = bytes(range(16))


def about(subject: bytes, **changes: object) -> AuditEvent:
    fields = {
        "type": ACCESS,
        "out": "deny",
        "res": {"name": "x"},
        "subject": subject,
        "detail": {"reason": SECRET_WORD},
    }
    return AuditEvent(**(fields | changes))  # type: ignore[arg-type]


def shown(openings: list) -> dict[str, dict]:
    return {opening.compartment: json.loads(opening.payload) for opening in openings}


async def test_the_right_keys_open_an_entry_waiting_or_integrated(store: Store) -> None:
    ann = store.person()
    entry = await store.append(about(ann))
    key, bob = store.sealer.person(TENANT, ann), store.sealer.person(TENANT, store.person())
    for _ in range(2):
        assert await store.look(lambda tx: store.log.subject_of(tx, entry)) == ann
        opened = shown(await store.look(lambda tx: store.log.openings(tx, entry, key)))
        assert opened == {
            "s": {"subject": text("sub", ann)},
            "d": {"reason": SECRET_WORD},
            "a": {"id": CRM.id, "kind": "service", "name": CRM.name, "roles": ["recorder"]},
        }
        assert shown(await store.look(lambda tx: store.log.openings(tx, entry))).keys() == {"a"}
        assert shown(await store.look(lambda tx: store.log.openings(tx, entry, bob))).keys() == {"a"}
        await store.log.drain(store.database, TENANT)


async def test_a_leaf_shows_nothing_of_the_person_the_actor_or_the_detail(store: Store) -> None:
    ann = store.person()
    entry = await store.append(about(ann))
    leaf = (await store.look(lambda tx: store.log.entry(tx, entry))).leaf
    for secret in (ann.hex().encode(), ann, CRM.id.encode(), CRM.name.encode(), SECRET_WORD.encode()):
        assert secret not in leaf
        assert base64.b64encode(secret).rstrip(b"=")[:-1] not in leaf
    fields = json.loads(leaf)
    assert fields["actor_class"] == "service"
    assert (fields["org"], fields["src"], fields["type"], fields["out"]) == (TENANT, "n1", ACCESS, "deny")


async def test_an_entry_about_nobody_opens_with_the_tenants_key(store: Store) -> None:
    entry = await store.append(AuditEvent(CHANGED, "ok", {"name": "x"}, detail={"list": [1, 2]}))
    leaf = decode_leaf((await store.look(lambda tx: store.log.entry(tx, entry))).leaf)
    assert not leaf.c.s
    assert not leaf.t.s
    opened = shown(await store.look(lambda tx: store.log.openings(tx, entry)))
    assert opened["d"] == {"list": [1, 2]}


async def test_an_unknown_or_erased_subject_leaves_random_bytes(store: Store) -> None:
    entry = await store.append(about(NOBODY))
    leaf = decode_leaf((await store.look(lambda tx: store.log.entry(tx, entry))).leaf)
    assert leaf.c.s
    assert len(leaf.c.s) == 32
    assert leaf.t.s
    assert len(leaf.t.s) == 16
    assert await store.look(lambda tx: store.log.subject_of(tx, entry)) is None
    opened = shown(await store.look(lambda tx: store.log.openings(tx, entry)))
    assert opened.keys() == {"a", "d"}


async def test_a_persons_own_act_opens_with_their_key_alone(store: Store) -> None:
    ann = store.person()
    actor = Actor(text("sub", ann), "ann", "person", frozenset({"self"}))
    entry = await store.append(about(ann), actor=actor)
    key = store.sealer.person(TENANT, ann)
    assert shown(await store.look(lambda tx: store.log.openings(tx, entry, key)))["a"]["id"] == actor.id
    assert await store.look(lambda tx: store.log.openings(tx, entry)) == []

    stranger = Actor(new_id("sub"), "bob", "person", frozenset({"self"}))
    other = await store.append(about(NOBODY), actor=stranger)
    assert shown(await store.look(lambda tx: store.log.openings(tx, other))).keys() == {"d"}


async def test_forgetting_a_person_leaves_the_log_and_nothing_that_leads_to_them(store: Store) -> None:
    ann, bob = store.person(), store.person()
    self_actor = Actor(text("sub", ann), "ann", "person", frozenset({"self"}))
    before = [
        await store.append(about(ann)),
        await store.append(about(ann), actor=self_actor),
        await store.append(about(bob)),
    ]
    await store.log.drain(store.database, TENANT)
    head = await store.look(lambda tx: store.log.checkpoint(tx))
    before += [await store.append(about(ann)), await store.append(about(ann), actor=self_actor)]
    tag_key = store.sealer.person(TENANT, ann).derive(TAG_LABEL)

    assert await store.database.run_alone(context(), lambda tx: store.log.forget(tx, ann)) == 4
    store.sealer.shred(TENANT, ann)
    await store.log.drain(store.database, TENANT)
    after = await store.append(about(ann))
    await store.log.drain(store.database, TENANT)

    for table in (audit_subject, audit_actor, audit_index, audit_outbox):
        (rows,) = await store.look(lambda tx, table=table: _rows(tx, select(table)))  # type: ignore[misc]
        assert not any(ann in value for row in rows for value in row if isinstance(value, bytes)), table.name
    assert (await store.look(lambda tx: store.log.entries_about(tx, ann))).entries == []
    assert len((await store.look(lambda tx: store.log.entries_about(tx, bob))).entries) == 1
    for entry in before[:2]:
        assert await store.look(lambda tx, entry=entry: store.log.subject_of(tx, entry)) is None  # type: ignore[misc]
    together = await store.look(lambda tx: store.log.tlog_proofs(tx, [*before, "ent_" + "0" * 32]))
    assert set(together) == set(before), "one that nobody knows is left out"
    for number, entry in enumerate(before):
        made = await store.look(lambda tx, entry=entry: store.log.tlog_proof(tx, entry))  # type: ignore[misc]
        assert together[entry] == made
        receipt = TlogProof.parse(made)
        key, leaf = carried(receipt)
        assert receipt.verify(leaf, [key]).size == 6
        matches = tag(tag_key, decode_leaf(leaf).n) == decode_leaf(leaf).t.s
        assert matches == (number != 2)
    leaf = (await store.look(lambda tx: store.log.entry(tx, after))).leaf
    assert tag(tag_key, decode_leaf(leaf).n) != decode_leaf(leaf).t.s
    proof = await store.look(lambda tx: proving.consistency_proof(tx, "main", 3, 6))
    assert proof
    assert head


def _rows(tx: Tx, statement) -> Work[list]:
    return (yield (tx.select(statement),))


async def test_scanning_with_the_tag_key_finds_exactly_the_persons_entries(store: Store) -> None:
    people = [store.person() for _ in range(5)]
    for number in range(60):
        await store.append(about(people[number % 5]) if number % 3 else None)
    await store.log.drain(store.database, TENANT)
    bundle = await store.look(lambda tx: store.log.tile(tx, "tile/entries/000.p/60"))
    leaves = [decode_leaf(raw) for raw in unpack(bundle)]
    found = Counter()
    for person in people:
        tag_key = store.sealer.person(TENANT, person).derive(TAG_LABEL)
        ids = {leaf.id for leaf in leaves if leaf.t.s == tag(tag_key, leaf.n)}
        page = await store.look(lambda tx, person=person: store.log.entries_about(tx, person))  # type: ignore[misc]
        assert ids == {entry.id for entry in page.entries}
        found[person] = len(ids)
    assert sum(found.values()) == 40


async def test_two_entries_of_one_person_look_like_entries_of_two(sqlite_store: Store) -> None:
    """Bits of tags and commitments agree by chance alone: as often within a person as between people, about every
    second.
    """
    store = sqlite_store
    ann, bob = store.person(), store.person()
    for subject in [ann, bob] * 40:
        await store.append(about(subject))
    await store.log.drain(store.database, TENANT)
    leaves = [
        decode_leaf(raw) for raw in unpack(await store.look(lambda tx: store.log.tile(tx, "tile/entries/000.p/80")))
    ]
    keys = {person: store.sealer.person(TENANT, person).derive(TAG_LABEL) for person in (ann, bob)}
    whose = [next(person for person, key in keys.items() if tag(key, leaf.n) == leaf.t.s) for leaf in leaves]
    for value in (
        lambda leaf: leaf.t.s,
        lambda leaf: leaf.c.s,
        lambda leaf: leaf.c.d,
        lambda leaf: leaf.c.a,
        lambda leaf: leaf.n,
    ):
        values = [value(leaf) for leaf in leaves]
        assert len(set(values)) == 80
        agreeing: dict[bool, list[float]] = {True: [], False: []}
        for one, other in combinations(range(80), 2):
            bits = 8 * len(values[one])
            differing = (int.from_bytes(values[one]) ^ int.from_bytes(values[other])).bit_count()
            agreeing[whose[one] == whose[other]].append(1 - differing / bits)
        within, between = (sum(part) / len(part) for part in (agreeing[True], agreeing[False]))
        # 1,560 pairs of at least 128 bits each: one standard error of a mean is below 0.0012.
        assert abs(within - 0.5) < 0.008
        assert abs(between - 0.5) < 0.008


async def test_search_filters_and_pages_newest_first(store: Store) -> None:
    with freeze_time("2026-11-21T12:00:00Z", real_asyncio=True) as clock:
        for number in range(10):
            clock.tick(1)
            event = AuditEvent(CHANGED, "ok", {"name": str(number)}) if number % 2 else about(NOBODY)
            await store.append(event)
        await store.log.drain(store.database, TENANT)

    async def names(**wanted: object) -> list[int]:
        found: list[int] = []
        cursor = None
        while True:
            page = await store.look(lambda tx: store.log.entries(tx, Search(**wanted, cursor=cursor, limit=3)))  # type: ignore[arg-type] # noqa: B023
            found += [entry.index for entry in page.entries]  # type: ignore[misc]
            cursor = page.next
            if cursor is None:
                return found

    assert await names() == list(range(9, -1, -1))
    assert await names(type=CHANGED) == [9, 7, 5, 3, 1]
    assert await names(type="tests.*") == list(range(9, -1, -1))
    assert await names(type="tests.access.*", outcome="deny") == [8, 6, 4, 2, 0]
    assert await names(outcome="permit") == []
    second = 1_000_000
    noon = 1_795_262_400 * second
    assert await names(since=noon + 4 * second, until=noon + 7 * second) == [5, 4, 3]
    assert await names(since=noon + 4 * second + 1) == [9, 8, 7, 6, 5, 4]
    assert await names(until=-1) == []
    assert await names(since=1 << 62) == []
    with pytest.raises(Invalid):
        await store.look(lambda tx: store.log.entries(tx, Search(cursor="0")))


async def test_what_is_not_there_is_said_alike_everywhere(store: Store) -> None:
    entry = await store.append(tenant="other")
    await store.fill(3)
    await store.log.drain(store.database, TENANT)
    for unknown in (entry, new_id("ent")):
        for ask in (store.log.entry, store.log.tlog_proof, store.log.openings):
            with pytest.raises(EntryNotFound):
                await store.look(lambda tx, ask=ask, unknown=unknown: ask(tx, unknown))  # type: ignore[misc]
    with pytest.raises(Invalid):
        await store.look(lambda tx: store.log.entry(tx, "ent_1"))
    for path in (
        "tile/0/000",
        "tile/0/000.p/4",
        "tile/0/001",
        "tile/1/000.p/1",
        "tile/entries/000.p/9",
        "checkpoint",
        "../x",
    ):
        with pytest.raises(TileNotFound):
            await store.look(lambda tx, path=path: store.log.tile(tx, path))  # type: ignore[misc]
    for index, size in ((3, None), (0, 4), (2, 2), (-1, 3)):
        with pytest.raises(SizeNotInLog):
            await store.look(lambda tx, index=index, size=size: store.log.inclusion_proof(tx, index, size))  # type: ignore[misc]


async def test_a_failing_append_leaves_neither_entry_nor_change(store: Store) -> None:
    ann = store.person()

    def unit(tx: Tx) -> Work[None]:
        yield ()
        store.log.append(tx, about(ann), store.sealer.person(TENANT, ann))
        store.log.append(tx, about(ann, res={"name": "ann@example.com"}), store.sealer.person(TENANT, ann))

    with pytest.raises(ValueError, match="plain name"):
        await store.database.run(context(), unit)
    assert (await store.look(lambda tx: store.log.backlog(tx))).pending == 0
