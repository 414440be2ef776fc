"""How many people a manifest asks again: counted in pages, so that neither server nor store waits for the count."""

import asyncio
from functools import partial

from consent import (
    BUCKETS,
    MOST_READ,
    AskedAgain,
    Catalogue,
    Publication,
    Tally,
    asked_again,
    next_width,
)
from sayso.server.call import Call


async def count_asked_again(call: Call, before: Catalogue, publication: Publication) -> AskedAgain | None:
    """People whose grant the publication makes stale; None where it makes none so and nobody was counted."""
    names = frozenset(publication.causes)
    if not names:
        return None
    counted, first, width = Tally(), 0, 1
    while first < BUCKETS and counted.read < MOST_READ:
        last = min(BUCKETS, first + width)
        unit = partial(
            call.services.registry.publisher.count,
            before=before,
            after=publication.catalogue,
            names=names,
            first=first,
            last=last,
        )
        page = await call.look(unit)
        # A page may have been read without ever waiting; others want their turn.
        await asyncio.sleep(0)
        counted, width, first = counted.plus(page), next_width(last - first, page.read), last
    return asked_again(counted, first, names)
