"""What an agent asks for and is told: the protocol's actions and its status object (sections 3.01 to 3.03), pure."""

from typing import Final

from msgspec import Struct

from rights import Kind, Law, RequestView
from sayso.server.drp.messages import DrpRefused, Exercise

ACTIONS: Final[dict[str, Kind]] = {
    "sale:opt_out": "opt_out_sale",
    "deletion": "erasure",
    "access": "access",
    "access:categories": "access",
    "access:specific": "access",
}
"""Actions we take, as the directory lists them. `sale:opt_in` is not among them: a grant is the person's own, on a
notice that they were shown.
"""

_SEEN: Final = frozenset(("access",))
"""What ends in something to be fetched."""


class ExerciseStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The protocol's status object (3.03). Our states are the protocol's, one to one."""

    request_id: str
    received_at: str
    expected_by: str
    status: str
    reason: str = ""
    agent_request_id: str = ""
    processing_details: str = ""
    user_verification_url: str = ""
    results_url: str = ""


def wanted(message: Exercise) -> tuple[Kind, Law]:
    """What is asked, under which law. Raises `DrpRefused` for what we do not take."""
    kind = ACTIONS.get(message.exercise.replace("-", "_"))
    if kind is None:
        raise DrpRefused("Unsupported rights action submitted.")
    if message.regime not in (None, "ccpa"):
        raise DrpRefused("Unsupported regime: it is ccpa, or left out.")
    return kind, "ccpa" if message.regime else "default"


def status_of(view: RequestView, agent_request: str, page: str) -> ExerciseStatus:
    """A request as its agent is told of it. `page` is where the person shows who they are, and finds their answer.

    Of what officers said only the reason of a longer term is told: it is the person's to know (3.08).
    """
    extended = [each.text for each in view.statements if each.step == "extend"]
    details = extended[-1] if view.extension and extended else ""
    if view.extension and not details:
        details = "The law's longer term was taken."
    if view.paused:
        details = f"The clock rests: {view.pauses[-1].reason} is awaited."
    return ExerciseStatus(
        request_id=view.request,
        received_at=view.received_at,
        expected_by=view.due_on,
        status=view.status,
        reason=view.reason,
        agent_request_id=agent_request,
        processing_details=details,
        user_verification_url=page if view.reason == "need_user_verification" else "",
        results_url=page if view.status == "fulfilled" and view.kind in _SEEN else "",
    )
