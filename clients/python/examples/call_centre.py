"""A screen of a call centre: a number is shown to whoever works on a case of that person, and the watch is told.

SAYSO_URL=https://say.example SAYSO_KEY=sk_… python call_centre.py 8090
curl 'http://127.0.0.1:8090/people/sub_…/phone/tok_…?case=case-17'
"""

import os
import sys
from typing import Any

import uvicorn
from litestar import Litestar, Request, get
from litestar.params import FromPath, FromQuery

from sayso_client import AsyncSayso, Evaluation, Notify, RevealContext, SaysoError
from sayso_client.litestar import SaysoPlugin, decision_of, from_path, from_query, requires

WATCH: list[str] = []
"""Stands for whoever is to hear when a number is opened."""


def tell_the_watch(_obligation: Notify, question: Evaluation) -> None:
    """Done before the permit is given. It names the case, not the person."""
    WATCH.append(f"{question.action.name} {question.resource.type} for {question.context.case}")


@get(
    "/people/{person:str}/phone/{token:str}",
    guards=[
        requires(
            action="reveal",
            category="contact.phone",
            purpose="support",
            subject=from_path("person"),
            case=from_query("case"),
        )
    ],
)
async def phone(request: Request[Any, Any, Any], token: FromPath[str], case: FromQuery[str]) -> dict[str, Any]:
    """The number itself, for this case. The guard has asked; here the same permit opens the token."""
    permit = decision_of(request)
    say: AsyncSayso = request.app.state["sayso"]
    try:
        (opened,) = await say.reveal([token], "support", case, context=RevealContext(case=case), decision=permit)
    except SaysoError:
        return {"phone": None, "why": "unreachable"}
    return {"phone": opened.value, "entry": opened.entry}


@get("/watch", sync_to_thread=False)
def watch() -> list[str]:
    """What the watch was told."""
    return WATCH


def desk(say: AsyncSayso) -> Litestar:
    """The application. It closes `say` when it ends."""
    return Litestar([phone, watch], plugins=[SaysoPlugin(say)])


if __name__ == "__main__":
    url, key = os.environ["SAYSO_URL"], os.environ["SAYSO_KEY"]
    client = AsyncSayso(url, key, name="desk", handlers={Notify: tell_the_watch}, timeout=10, decide_within=10)
    uvicorn.run(desk(client), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
