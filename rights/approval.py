"""Two officers for one answer: one proposes to fulfil a request, another one does it.

For which kinds, the manifest says (`rights: {two_officers: [erasure]}`). What was proposed, with the grounds on which
something stays, lies sealed in the request; the second officer carries out just that.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from rights import events
from rights.beside import ProposalRefused
from rights.erasure import check_grounds
from rights.model import KINDS, Kind, Propose, RightsRequest, Withdraw
from rights.steps import Opened, Steps, said_of
from rights.view import RequestView
from rights.wanted import LegalGround
from sayso.kernel import Denied, Invalid, ManifestError, Map, Node, Problem, Scalar, Seq, Tx, Work, nearest, problem

_MEMBERS: Final = ("two_officers",)


class OtherOfficer(Denied):
    """Who proposed it cannot be who approves it."""

    def __init__(self) -> None:
        super().__init__("four-eyes", "Another officer than the one who proposed this must approve it.")


class Approval:
    """Proposals of fulfilment. Methods are cold units of work. `person` is who the caller counts as."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def propose(
        self, tx: Tx, request: str, person: str, grounds: tuple[LegalGround, ...] = (), statement: str = ""
    ) -> Work[RequestView]:
        """Propose to fulfil it, keeping what `grounds` name. Nothing is done yet.

        Raises `ImpossibleStep` before it is known who asks, `ProposalRefused` while a proposal waits.
        """
        said = said_of(statement)
        opened = yield from self._steps.load(tx, request)
        if grounds and opened.found.request.kind != "erasure":
            raise Invalid("grounds-not-taken", "Only an erasure names what must be kept.")
        check_grounds(grounds)
        private = replace(opened.private, grounds=grounds, statement=said)
        return self._steps.step(tx, opened, Propose(person), events.proposed, private=private)

    def decline(self, tx: Tx, request: str, reason: str) -> Work[RequestView]:
        """Turn down what was proposed, or take it back, with a reason. Raises `ProposalRefused`."""
        said = said_of(reason)
        if not said:
            raise Invalid("reason-missing", "Say why it is not to be done so.")
        opened = yield from self._steps.load(tx, request)
        private = replace(opened.private, grounds=(), statement="")
        return self._steps.step(tx, opened, Withdraw(), events.proposal_declined, said, private=private)


def demand_another(request: RightsRequest, person: str) -> None:
    """Raises unless somebody else than `person` proposed to fulfil this."""
    if request.proposal is None:
        raise ProposalRefused("nothing-proposed", "This takes two officers: one proposes it, another one approves.")
    if not person or request.proposal.by == person:
        raise OtherOfficer


def proposed(opened: Opened) -> tuple[tuple[LegalGround, ...], str]:
    """The grounds and the words of what was proposed."""
    return opened.private.grounds, opened.private.statement


class AnswerRules(Struct, frozen=True):
    """The section `rights`: kinds of requests that take two officers to fulfil."""

    two_officers: frozenset[Kind] = frozenset()


def parse_answer_rules(section: Node | None) -> AnswerRules:
    """The section, or no rules. Raises `ManifestError` with every problem."""
    if section is None:
        return AnswerRules()
    if not isinstance(section, Map):
        raise ManifestError([problem(section, "rights: a mapping, as in {two_officers: [erasure]}.")])
    problems = [
        Problem(section.file, section.lines[name], f"rights has no member {name!r}.", nearest(name, _MEMBERS))
        for name in section
        if name not in _MEMBERS
    ]
    listed, found = section.get("two_officers"), list[Kind]()
    if listed is not None and not isinstance(listed, Seq):
        problems.append(problem(listed, "two_officers: a list of kinds of requests."))
    elif listed is not None:
        for node in listed:
            name = node.text if isinstance(node, Scalar) else ""
            if name in KINDS:
                found.append(KINDS[KINDS.index(name)])
            else:
                problems.append(Problem(node.file, node.line, f"{name!r} is no kind of request.", nearest(name, KINDS)))
    if problems:
        raise ManifestError(problems)
    return AnswerRules(frozenset(found))
