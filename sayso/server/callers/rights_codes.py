"""Codes of rights requests on their way: to which address, and in which words.

All that differs between somebody known and somebody unknown happens here, after the answer was given.
"""

from typing import Final

from msgspec.structs import replace

from policies import rights_question
from rights import RequestView, Sent
from sayso.kernel import SECOND, Actor, SaysoError, Tx, Work, now, parse_instant, raw
from sayso.server.call import Call
from sayso.server.mail import Letter
from vault import Ask, Located, Revealed

ON_DUTY: Final = Actor("system", "sayso", "system", frozenset({"officer"}))
"""An address is opened on the shipped rule of officers: no rule of its own lets a program read anybody's."""

REASON: Final = "identity check"


async def send_code(call: Call, request: RequestView, sent: Sent, locale: str) -> None:
    """Write to the address that was known before the request, if there is one. Never raises what the caller could
    tell apart.
    """
    services = call.services
    context = replace(call.context, actor=ON_DUTY, at=now())

    def unit(tx: Tx) -> Work[bool]:
        if not request.subject:
            return False
        subject = raw(request.subject, "sub")
        address = yield from _address(call, tx, subject, parse_instant(request.received_at))
        if address is None:
            return False
        minutes = str((sent.expires_at - tx.context.at) // (60 * SECOND) + 1)
        letter = Letter("code", address, locale, {"code": sent.code, "minutes": minutes})
        yield from services.outbox.post(tx, subject, letter, sent.expires_at)
        return True

    try:
        if not await services.database.run_alone(context, unit):
            services.log.info("code not sent", why="no-address", request=request.request)
    except SaysoError as error:
        services.log.info("code not sent", why=error.slug, request=request.request)


def _address(call: Call, tx: Tx, subject: bytes, before: int) -> Work[str | None]:
    """The e-mail address that is known the longest, opened by permit. One stored after the request came in is not
    taken: who changes an address and asks next is not to get the code.
    """
    services, configuration = call.services, call.configuration
    places: list[tuple[int, Located]] = []
    for each in (yield from services.registry.ids(tx, subject)):
        for value in (yield from services.vault.held(tx, each)):
            declared = configuration.collections.get(value.collection)
            field = declared.fields.get(value.field) if declared is not None else None
            if field is not None and field.type == "email" and value.at <= before:
                places.append((value.at, Located(each, value.collection, field, found=True)))
    if not places:
        return None
    _, located = min(places, key=lambda place: place[0])
    access = rights_question(tx.context.actor, located.subject, "reveal", located.category)
    answer = yield from services.engine.judge(tx, configuration.policy, access)
    ask = Ask(purpose="dsar", reason=REASON, policy=answer.policy, why=answer.decision.reason)
    done = yield from services.vault.reveal(tx, located, answer.permit, ask)
    return done.value if isinstance(done, Revealed) else None
