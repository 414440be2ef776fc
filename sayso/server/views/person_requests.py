"""What a person does about their requests on their own page: ask, have a code sent, confirm."""

from typing import Final, Literal

from litestar.background_tasks import BackgroundTask

from consent import CodeUnusable, Wrong
from policies import Answer
from rights import LIGHT, Correction, ImpossibleStep, Kind, Opening, RequestNotFound, RequestView, Sent, TooManyCodes
from sayso.kernel import Tx, Work
from sayso.server.answering import demand_fields
from sayso.server.call import Call
from sayso.server.callers.rights_codes import send_code
from sayso.server.callers.sessions import Session, may_fetch, strengthen
from sayso.server.packages import PACKAGED, NoPackage

LONGEST_CODE: Final = 40

Confirmed = Literal["confirmed", "confirm_wrong", "confirm_ended"]


async def open_own(
    call: Call, session: Session, kind: Kind, locale: str, corrections: tuple[Correction, ...] = ()
) -> BackgroundTask | None:
    """Open a request, unless one of the kind is open. What is light needs no more than this page; for the rest a code
    is sent by the task that is returned, after the answer. `corrections` are what a rectification is about.

    Raises `InvalidValue` for a correction that its field does not take.
    """
    demand_fields(call.configuration, corrections)
    desk, mail = call.services.desk, call.services.outbox.configured

    def unit(tx: Tx) -> Work[RequestView | None]:
        standing = yield from desk.requests_of(tx, session.ref)
        if any(each.kind == kind and not each.closed_at for each in standing):
            return None
        opening = Opening(subject=session.ref, kind=kind, law="default", corrections=corrections)
        return (yield from desk.open(tx, call.configuration.policy, opening))

    opened = await call.alone(unit)
    if opened is None:
        return None
    if kind in LIGHT:
        # A second unit: a step is put in place of what was read.
        await call.alone(lambda tx: desk.identity.signed_in(tx, opened.request))
        return None
    if not mail:
        return None
    try:
        return await own_code(call, session, opened.request, locale)
    except TooManyCodes:
        # The request stands all the same; an officer finds out who asks.
        return None


async def own_code(call: Call, session: Session, request: str, locale: str) -> BackgroundTask:
    """A new code for a request of this very person. Raises `RequestNotFound`, `TooManyCodes`, `MailNotConfigured`."""
    call.services.outbox.demand(call.tenant)

    def unit(tx: Tx) -> Work[tuple[RequestView, Sent]]:
        yield from _demand_own(call, tx, session, request)
        return (yield from call.services.desk.identity.challenge(tx, request))

    view, sent = await call.alone(unit)
    return BackgroundTask(send_code, call, view, sent, locale)


async def confirm_own(call: Call, session: Session, request: str, code: str, locale: str) -> Confirmed:
    """Type the code for a request of this very person; what answers it is then made. Raises `RequestNotFound`."""

    def unit(tx: Tx) -> Work[RequestView | Wrong]:
        yield from _demand_own(call, tx, session, request)
        done = yield from call.services.desk.identity.confirm(tx, request, code)
        if isinstance(done, RequestView):
            if not may_fetch(session.assurance):
                strengthen(tx, session, "code")
            if done.kind in PACKAGED:
                yield from call.services.packages.want(tx, done, locale)
        return done

    try:
        done = await call.alone(unit)
    except (CodeUnusable, TooManyCodes, ImpossibleStep):
        return "confirm_ended"
    return "confirm_wrong" if isinstance(done, Wrong) else "confirmed"


def _demand_own(call: Call, tx: Tx, session: Session, request: str) -> Work[None]:
    """Any other person's request is as unknown as none."""
    mine = yield from call.services.desk.requests_of(tx, session.ref)
    if not any(each.request == request for each in mine):
        raise RequestNotFound


async def package_of_own(call: Call, session: Session, request: str) -> bytes | Answer:
    """The package of a request of this very person; an `Answer` is the rules' refusal. Raises `RequestNotFound`,
    `NoPackage`, `PackageNotReady`.
    """
    if not may_fetch(session.assurance):
        raise NoPackage

    def unit(tx: Tx) -> Work[bytes | Answer]:
        yield from _demand_own(call, tx, session, request)
        return (yield from call.services.packages.fetch(tx, request))

    return await call.alone(unit)
