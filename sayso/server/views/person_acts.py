"""What a person does on their page, and in its parts on the brand's own pages: each act with the outcome to be told."""

from functools import partial
from typing import Any

from msgspec import Struct

from consent import (
    DirectiveState,
    NothingToUndo,
    Preferences,
    Signal,
    StaleNotice,
    StalePreferences,
    Submission,
    Telling,
    UnfitPreference,
)
from sayso.kernel import Tx, Work, parse_instant, raw
from sayso.server.brand.opting import GPC
from sayso.server.call import Call
from sayso.server.callers.sessions import Session
from sayso.server.views.told import ReadForm

Values = dict[str, list[str]]


class Outcome(Struct, frozen=True):
    """What came of an act: the sentence to tell (`Flash.kind`), 0 or the status of a refusal, and the answer that did
    not fit.
    """

    kind: Any
    refused: int = 0
    unfit: str = ""


async def choose(call: Call, session: Session, values: Values, locale: str) -> Outcome:
    """Record what differs from where the person stands."""
    granted, shown = set(values.get("granted", [])), values.get("shown", [])
    every = _first(values, "decide") == "all"
    shown_conflicts = set(_first(values, "conflict_shown").split("."))
    version = _first(values, "notice_version")

    separate = {name for name in granted if name in call.configuration.catalogue.demands.separate}

    def unit(tx: Tx, alone: str | None = None) -> Work[bool]:
        catalogue = call.configuration.catalogue
        standing = yield from call.services.registry.state(tx, catalogue, session.ref)
        choices = {}
        for purpose in shown if alone is None else [alone]:
            if alone is None and purpose in separate:
                continue
            status = standing.purposes[purpose].status if purpose in standing.purposes else "unasked"
            if purpose in granted and status not in ("granted", "pending"):
                choices[purpose] = "granted"
            elif purpose not in granted and (
                # A request that still waits for its confirmation stands at yes on the page, and a no cancels it.
                status in ("granted", "pending") or (every and status in ("unasked", "expired", "stale"))
            ):
                choices[purpose] = "refused"
        if not choices:
            return False
        submission = Submission(
            choices=choices,  # type: ignore[arg-type]
            notice=_first(values, "notice"),
            notice_version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            locale=locale,
            method="preference_centre",
            assurance=session.assurance,  # type: ignore[arg-type]
            subject=session.ref,
            # The page shows what stands against a yes; one that came to stand since then was not shown.
            conflict_shown=_marks(standing.directives or []) <= shown_conflicts,
        )
        yield from call.services.registry.record(tx, catalogue, submission)
        return True

    try:
        changed = await call.run(unit)
        # A switch of its own is a consent of its own, and gets a record of its own (PIPL Art. 23, 29, 39).
        for name in sorted(separate.intersection(shown)):
            changed = await call.run(partial(unit, alone=name)) or changed
    except StaleNotice:
        return Outcome("stale", 409)
    return Outcome("saved" if changed else "unchanged")


async def withdraw(call: Call, session: Session) -> Outcome:
    """Stop everything that a no can stop."""

    def unit(tx: Tx) -> Work[None]:
        assurance: Any = session.assurance
        yield from call.services.registry.withdraw(
            tx,
            call.configuration.catalogue,
            session.ref,
            "all",
            method="preference_centre",
            assurance=assurance,
            undoable=True,
        )

    await call.run(unit)
    return Outcome("withdrawn")


async def undo(call: Call, session: Session, values: Values) -> Outcome:
    """Take a withdrawal back, as long as nothing else was chosen since."""

    def unit(tx: Tx) -> Work[None]:
        found = raw(_first(values, "record"), "cns")
        assurance: Any = session.assurance
        yield from call.services.registry.undoing.undo(
            tx, call.configuration.catalogue, session.ref, found, method="preference_centre", assurance=assurance
        )

    try:
        await call.run(unit)
    except NothingToUndo:
        return Outcome("undo_late", 409)
    return Outcome("undone")


async def tell(call: Call, session: Session, values: Values, read: ReadForm) -> Outcome:
    """Change what the person told, as `read` finds it in the form."""
    version = _first(values, "version")

    def unit(tx: Tx) -> Work[Preferences | None]:
        asked, book = call.configuration.questionnaire, call.services.registry.preferences
        told = yield from book.read(tx, call.configuration.catalogue, asked, session.ref)
        said = read(asked, told, values, tx.context.at)
        if not said:
            return None
        telling = Telling(
            values=said,
            method="preference_centre",
            assurance=session.assurance,  # type: ignore[arg-type]
            version=int(version) if version.isdecimal() and len(version) < 16 else -1,
        )
        return (yield from book.change(tx, asked, session.ref, telling))

    try:
        done = await call.run(unit)
    except StalePreferences:
        return Outcome("moved", 409)
    except UnfitPreference as error:
        return Outcome("unfit", 400, str(error.facts["member"]))
    if done is None:
        return Outcome("unchanged")
    return Outcome("weaker" if done.ignored else "saved")


async def honour(call: Call, session: Session) -> None:
    """The signal of a browser whose person is known holds for all that is known of them (11 CCR 7025(c)(1))."""
    signal = Signal(GPC, "header", b"preference page")

    def unit(tx: Tx) -> Work[None]:
        yield from call.services.registry.signals.give(
            tx,
            call.configuration.catalogue,
            session.ref,
            [signal],
            method="preference_centre",
            assurance=session.assurance,  # type: ignore[arg-type]
        )

    await call.run(unit)


def _marks(directives: list[DirectiveState]) -> set[str]:
    """The directives as the page names them to itself: which, and given when."""
    return {f"{each.kind}@{parse_instant(each.given_at)}" for each in directives}


def _first(values: Values, name: str) -> str:
    return values.get(name, [""])[0]
