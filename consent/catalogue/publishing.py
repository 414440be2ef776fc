"""Publishing a manifest: reading what was published, writing what is new, and counting whom it asks again. Cold."""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.catalogue.catalogue import Catalogue, Notice, Purpose
from consent.catalogue.declarations import Declarations
from consent.catalogue.impact import Tally, tally
from consent.catalogue.publication import Publication, Staged, publish
from sayso.kernel import Tx, Work


class Stage(Struct, frozen=True):
    """One step of a notice version: where it stood, with which content, when, and who said so."""

    version: int
    stage: str
    hash: str
    at: int
    actor: str


class Publisher:
    """Publishes the registry's sections of a manifest."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def publish(self, tx: Tx, declared: Declarations) -> Work[Publication]:
        """Writes new versions, revisions and stages, each with its entry in the log.

        Raises `ManifestError` when it would change what is published.
        """
        found = yield from self.plan(tx, declared)
        for purpose in found.purposes:
            self._purpose(tx, purpose, found.causes.get(purpose.name, ()))
        for notice in found.staged:
            self._stage(tx, notice, notice.status)
            res = {"notice": notice.name, "version": str(notice.version), "hash": notice.hash(), "stage": notice.status}
            self._audit.append(tx, AuditEvent(events.NOTICE_STAGED, "ok", res))
        for notice in found.notices:
            tx.insert(store.NOTICE, notice.name, notice.version, tx.context.at, notice.hash(), notice.content())
            self._stage(tx, notice, "published")
            material = "undecided" if notice.material is None else " ".join(notice.asks_again()) or "no"
            res = {"notice": notice.name, "version": str(notice.version), "hash": notice.hash(), "material": material}
            self._audit.append(tx, AuditEvent(events.NOTICE_PUBLISHED, "ok", res))
        return found

    def plan(self, tx: Tx, declared: Declarations) -> Work[Publication]:
        """What `publish` would do; also how a node that starts gets the catalogue of a stored manifest. A look."""
        purposes, notices, stages = yield (
            tx.select(store.purposes()),
            tx.select(store.notices()),
            tx.select(store.notice_stages()),
        )
        history = [
            replace(msgspec.json.decode(content, type=Purpose), version=version, revision=revision)
            for version, revision, content in purposes
        ]
        published = [replace(msgspec.json.decode(content, type=Notice), published_at=at) for at, content in notices]
        # Rows come oldest first, so that the latest stage of a version is the one that stays.
        latest = {
            (name, version): Staged(name, version, stage, hashed)
            for name, version, _, stage, hashed, _ in stages
            if stage != "published"
        }
        return publish(declared, history, published, tx.context.at, latest.values())

    def count(
        self, tx: Tx, before: Catalogue, after: Catalogue, names: frozenset[str], first: int, last: int
    ) -> Work[Tally]:
        """Whom the catalogue `after` asks again about `names`, among the people in buckets `first` to `last` - 1."""
        (rows,) = yield (tx.select(store.states_between(first, last)),)
        return tally((state for (state,) in rows), names, before, after, tx.context.at)

    def stages(self, tx: Tx, notice: str) -> Work[list[Stage]]:
        """Every step that the versions of a notice took, oldest first."""
        (rows,) = yield (tx.select(store.stages_of(notice)),)
        return [Stage(version, stage, hashed, at, actor) for version, stage, hashed, at, actor in rows]

    def _purpose(self, tx: Tx, purpose: Purpose, causes: tuple[str, ...]) -> None:
        content = msgspec.json.encode(purpose)
        tx.insert(store.PURPOSE, purpose.name, purpose.version, purpose.revision, tx.context.at, content)
        res = {"purpose": purpose.name, "version": str(purpose.version), "revision": str(purpose.revision)}
        if causes:
            res["because"] = ", ".join(causes)
        self._audit.append(tx, AuditEvent(events.PURPOSE_PUBLISHED, "ok", res))

    def _stage(self, tx: Tx, notice: Notice, stage: str) -> None:
        at, actor = tx.context.at, tx.context.actor.id
        tx.insert(store.NOTICE_STAGE, notice.name, notice.version, at, stage, notice.hash(), actor, notice.content())
