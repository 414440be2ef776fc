"""Opening many entries at once, with the keys at hand: what an export reads page by page."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from audit import store
from audit.leaf.commitment import COLLECTION, OPENING_LABEL, OpeningInvalid, actor_r, split_opening, verify_opening
from audit.leaf.encoding import decode_leaf, encode_subject
from audit.leaf.entry import Entry, Leaf, Opening
from audit.reading.search import check_openings
from sayso.kernel import TENANT_OWNER, Key, Sealer, Tx, Work, text


class Indexed(Struct, frozen=True):
    """An integrated entry, with whose keys open it: `subject` and `actor` as the index still knows them."""

    entry: bytes
    log: str
    index: int
    leaf: bytes
    subject: bytes | None
    actor: bytes

    @property
    def id(self) -> str:
        return text("ent", self.entry)

    def decoded(self) -> Leaf:
        return decode_leaf(self.leaf)


class Opener:
    """Opens entries for one reader. `parts` are the compartments that may be shown; people's own keys come in
    `subject_keys`, and without one that person's compartments stay closed.

    Remembers, for the length of an export, who each actor ever was.
    """

    def __init__(self, sealer: Sealer, tenant: str, parts: str, subject_keys: Mapping[bytes, Key | None]) -> None:
        self._sealer = sealer
        self._tenant = tenant
        self._parts = frozenset(parts)
        self._people = subject_keys
        self._standings: dict[bytes, tuple[bytes, list[bytes]]] = {}

    def open(self, tx: Tx, entries: Sequence[Indexed]) -> Work[list[list[Opening]]]:
        """The openings of each entry, checked against its leaf."""
        yield from self._learn(tx, entries)
        about = [each for each in entries if each.subject is not None and self._people.get(each.subject) is not None]
        wanted = [each for each in entries if "d" in self._parts and each not in about]
        rows = yield (
            *(store.sealed_about(tx, each.subject or b"", each.entry) for each in about),
            *(store.sealed_detail(tx, each.entry) for each in wanted),
        )
        seals = dict(zip((each.entry for each in about), rows, strict=False))
        details = dict(zip((each.entry for each in wanted), rows[len(about) :], strict=True))
        return [self._opened(each, seals.get(each.entry), details.get(each.entry)) for each in entries]

    def _learn(self, tx: Tx, entries: Sequence[Indexed]) -> Work[None]:
        people = {each.actor for each in entries if each.actor == each.subject}
        actors = {each.actor for each in entries} if "a" in self._parts else people & self._people.keys()
        unknown = list(actors - self._standings.keys())
        found = yield tuple(store.standings_of(tx, actor) for actor in unknown)
        for actor, rows in zip(unknown, found, strict=True):
            # A person's own act opens with that person's key alone.
            own = actor in people
            key = self._people.get(actor) if own else self._sealer.standing(self._tenant, actor)
            if key is not None:
                opened = [key.open(COLLECTION, f"{name.hex()}/a", sealed) for name, sealed in rows]
                self._standings[actor] = key.derive(OPENING_LABEL), opened

    def _opened(self, each: Indexed, about: Sequence[bytes] | None, detail: Sequence[bytes] | None) -> list[Opening]:
        found: list[Opening] = []
        key = self._people.get(each.subject) if each.subject is not None else None
        if about is not None and key is not None:
            r, sealed = split_opening(key.open(COLLECTION, f"{each.id}/s", about[0]))
            found.append(Opening("s", r, encode_subject(key.owner)))
            if sealed:
                found.append(Opening("d", *split_opening(sealed)))
        elif detail is not None:
            tenant = self._sealer.standing(self._tenant, TENANT_OWNER)
            found.append(Opening("d", *split_opening(tenant.open(COLLECTION, f"{each.id}/d", detail[0]))))
        check_openings(Entry(each.id, each.log, each.index, each.leaf), found)
        return [*self._actor(each), *found]

    def _actor(self, each: Indexed) -> list[Opening]:
        """The actor as they stood then: of all the ways they ever stood the one that the leaf committed to."""
        secret, payloads = self._standings.get(each.actor, (b"", []))
        if not payloads:
            return []
        r, committed = actor_r(secret, each.entry), each.decoded().c.a or b""
        for payload in payloads:
            try:
                verify_opening(committed, r, b"a", each.entry, payload)
            except OpeningInvalid:
                continue
            return [Opening("a", r, payload)]
        return []
