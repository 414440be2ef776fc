"""Finished answers on their way out."""

from typing import Any

from litestar import Response

from sayso.server.idempotency import Answer


def answered(answer: Answer) -> Response[Any]:
    """What a unit answered, byte for byte as it was stored under its Idempotency-Key."""
    headers = {"location": answer.where} if answer.where else {}
    if answer.seq:
        headers["sayso-registry-seq"] = answer.seq
    return Response(answer.body, status_code=answer.status, media_type=answer.media_type, headers=headers)
