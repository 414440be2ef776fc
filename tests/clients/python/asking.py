"""Questions and answers of the Python client, for tests."""

from typing import Any

import msgspec
from sayso_client import Action, Entity, Evaluation, RequestContext
from sayso_client.talk import Reply


def question(**context: Any) -> Evaluation:
    """May the mailer write to somebody?"""
    return Evaluation(
        Entity("service", "mailer"),
        Action("use"),
        Entity("contact.email", "sub_" + "0" * 32),
        RequestContext(purpose="marketing.email", **context),
    )


def answered(decision: bool, *obligations: dict[str, Any], registry_seq: str = "0" * 16) -> Reply:
    """What Sayso answers to it."""
    context = {"reason": "permitted" if decision else "withdrawn", "registry_seq": registry_seq, "entry": "ent_1"}
    body = {"decision": decision, "context": {**context, "policy_version": "v1", "obligations": obligations}}
    return Reply(200, {}, msgspec.json.encode(body))
