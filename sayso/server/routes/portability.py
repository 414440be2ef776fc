"""One person's vault data, to be taken elsewhere: sealed for a key that they bring."""

import asyncio
from typing import Annotated

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from policies import RIGHTS, Answer, rights_question
from sayso.kernel import Tx, Work, raw
from sayso.server.call import Call
from sayso.server.calls.revealing import Word
from sayso.server.routes.gate import admits
from vault import Portable, recipient_of, sealed_for

AGE = "application/age"


class ExportVault(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose values, for which public key of age (`age1…`), and why. `grant` names the subject and the recipient."""

    subject: str
    recipient: Annotated[str, Meta(max_length=200)]
    reason: Word
    grant: Annotated[str, Meta(max_length=40)] | None = None


@post(
    "/v1/vault/export",
    opt=admits("officer"),
    operation_id="vault.export",
    tags=["Vault"],
    status_code=200,
)
async def export(call: NamedDependency[Call], data: JSONBody[ExportVault]) -> Response[bytes]:
    """A person's stored values as a file that only the holder of the recipient's key opens (age v1, JSON inside).

    Guarded fields are left out, and named, unless another person granted just this: ask with the subject and the
    recipient in place of tokens, for the purpose `dsar`. Header `Sayso-Entry` names the entry.
    """
    subject, recipient = raw(data.subject, "sub"), recipient_of(data.recipient)

    def unit(tx: Tx) -> Work[Portable | Answer]:
        services, configuration = call.services, call.configuration
        ask = rights_question(tx.context.actor, subject, "export")
        answer = yield from services.engine.evaluate(tx, configuration.policy, ask)
        if answer.permit is None:
            return answer
        approved = yield from services.vault.take_grant(tx, data.grant, RIGHTS, [data.subject, data.recipient])
        return (
            yield from services.vault.export(
                tx, configuration.collections, subject, answer.permit, data.reason, approved=approved
            )
        )

    made = await call.alone(unit)
    if isinstance(made, Answer):
        made.demand()
        raise AssertionError("an answer without a permit demands one")
    content = await asyncio.to_thread(sealed_for, recipient, made)
    headers = {
        "content-disposition": 'attachment; filename="vault.json.age"',
        "cache-control": "no-store",
        "sayso-entry": made.entry,
    }
    return Response(content, media_type=AGE, headers=headers)


handlers: list[BaseRouteHandler] = [export]
