"""Types of `window.sayso` for the people who write a site's pages: its own purposes by name, so that a typo does not
compile.
"""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from sayso.server.calls.sites import site_of
from sayso.server.routes.gate import public, services_of

_TYPES = """\
/** What the banner offers the pages of the site `{site}`; to be fetched again when its notice changes. */
declare global {{
  namespace Sayso {{
    type Purpose = {purposes};
    type Answer = "granted" | "refused";
    type Choices = {{ [P in Purpose]?: Answer }};
    /** Proof of a choice: its record, the signed receipt, the entry of the log. */
    interface Recorded {{ record: string; receipt: string; entry: string }}
    interface Events {{ ready: Choices; change: Choices; recorded: Recorded }}
    interface Banner {{
      /** How things stand, per purpose. */
      get(): Record<Purpose, Answer | "unasked">;
      /** Whether the visitor said yes to this purpose. */
      has(purpose: Purpose): boolean;
      /** Open the choices. */
      open(): void;
      /** Listen; the answer stops it. */
      on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): () => void;
    }}
  }}
  interface Window {{ sayso?: Sayso.Banner }}
  /** The same events, for code that runs before the banner is there. */
  interface DocumentEventMap {{
    "sayso:ready": CustomEvent<Sayso.Choices>;
    "sayso:change": CustomEvent<Sayso.Choices>;
    "sayso:recorded": CustomEvent<Sayso.Recorded>;
  }}
}}
export {{}};
"""


@get(
    "/v1/sites/{site:str}/banner.d.ts",
    opt=public("the names of a site's purposes stand in its banner already"),
    operation_id="sites.types",
    include_in_schema=False,
    media_type="text/plain",
)
async def types(request: Request[Any, Any, Any], site: FromPath[str]) -> Response[str]:
    """TypeScript declarations of `window.sayso` for this site."""
    configuration, found = site_of(services_of(request), site)
    catalogue = configuration.catalogue
    asked = [name for name in catalogue.notice(found.notice).purposes if catalogue.blockable(name)]
    union = " | ".join(msgspec.json.encode(name).decode() for name in asked) or "never"
    return Response(_TYPES.format(site=site, purposes=union), headers={"cache-control": "public, max-age=300"})


handlers: list[BaseRouteHandler] = [types]
