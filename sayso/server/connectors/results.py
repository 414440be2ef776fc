"""What a processor found for somebody who asked to see it, from where the processor says it lies (OpenDSR 2.0,
sections 7.3 and 8.6). Pure.

The protocol leaves the form of results open. JSON is taken as it is, tables and lines as text; anything else (an
archive, a page to click through) stays where it lies.
"""

from typing import Any, Final

import msgspec

from rights import RESULT_LIMIT, encoded_result
from sayso.kernel import TooLarge
from sayso.server.connectors.failures import Refused
from sayso.server.feed.outgoing import Reply

LONGEST: Final = RESULT_LIMIT
ACCEPTED: Final = "application/json, application/x-ndjson;q=0.9, text/csv;q=0.8, text/plain;q=0.7"
_TEXT: Final = frozenset(("text/csv", "text/plain", "application/x-ndjson", "application/jsonl"))


def read_results(reply: Reply) -> Any:
    """The results of a good answer, fit for a package. Raises `Refused`: `too-much-data`, `content-type`, `garbled`."""
    if reply.long:
        raise Refused("too-much-data")
    kind, _, more = reply.headers.get("content-type", "").lower().partition(";")
    kind, charset = kind.strip(), more.partition("charset=")[2].partition(";")[0].strip(' "')
    structured = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    if not (structured or kind in _TEXT) or charset not in ("", "utf-8", "us-ascii"):
        raise Refused("content-type")
    if reply.headers.get("content-encoding", "identity").strip().lower() != "identity" or not reply.body:
        # Packed though nobody asked for it, or cut short by the time.
        raise Refused("garbled")
    try:
        found = msgspec.json.decode(reply.body) if structured else reply.body.decode()
        encoded_result({"results": found})
    except TooLarge:
        raise Refused("too-much-data") from None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise Refused("garbled") from None
    return found
