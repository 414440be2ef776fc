"""What the console shows of changes of the rules: lists, and one proposal laid open for whoever decides."""

from typing import Any, Final

import msgspec

from policies import Difference
from sayso.kernel import Tx, Work, now, parse_instant
from sayso.server import store
from sayso.server.call import Call
from sayso.server.control.proposals import ProposalView, list_proposals, one_proposal
from sayso.server.control.versions import VersionView, list_versions
from sayso.server.manifests import manifest
from sayso.server.manifests.applying import Applied
from sayso.server.manifests.manifest import Change, Plain
from sayso.server.pages import (
    AnswerLine,
    ChangePage,
    ChangeProblem,
    ChangesPage,
    Frame,
    MemberLine,
    Operator,
    ProposalLine,
    VersionLine,
    differing,
)

VERSIONS: Final = 20
_MEMBERS: Final = 200
_ANSWERS: Final = 50

_report = msgspec.json.Decoder(Applied).decode


def changes_page(
    call: Call, tx: Tx, frame: Frame, operator: Operator, before: int | None, problem: ChangeProblem | None
) -> Work[ChangesPage]:
    """The list, in one unit that only looks."""
    proposals = yield from list_proposals(call.services, tx)
    versions = yield from list_versions(call.services, tx, before, VERSIONS)
    held = call.configuration
    lines = [_line(call, each) for each in proposals]
    stale = held.lag is not None and 0 < held.policy.good_until <= now()
    return ChangesPage(
        frame=frame,
        operator=operator,
        two=held.approval == "two",
        waiting=tuple(line for line in lines if line.state in ("open", "stale")),
        decided=tuple(line for line in lines if line.state not in ("open", "stale")),
        versions=tuple(_version(each) for each in versions.versions),
        older=versions.next,
        lag=held.lag.version if held.lag is not None else 0,
        stale=stale,
        problem=problem,
    )


def change_page(
    call: Call, tx: Tx, frame: Frame, operator: Operator, proposal: str, problem: ChangeProblem | None
) -> Work[ChangePage]:
    """One proposal against the version it was made from. Raises `UnknownProposal`, `Invalid`."""
    view, held = yield from one_proposal(call.services, tx, proposal)
    (row,) = yield (tx.get(store.MANIFEST, view.base),)
    before, after = manifest.decode(bytes(row[1])), manifest.decode(held.content)
    report = _report(held.report)
    difference = report.difference
    return ChangePage(
        frame=frame,
        operator=operator,
        line=_line(call, view, own=held.is_by(call.principal)),
        live=call.configuration.version,
        members=tuple(_member(each, before, after) for each in report.changes[:_MEMBERS]),
        answers=tuple(_answers(difference)) if difference is not None else (),
        warnings=tuple(each.message for each in report.warnings),
        asked_again=report.asked_again.people if report.asked_again is not None else None,
        exact=report.asked_again is None or report.asked_again.exact,
        kept=report.kept,
        loss=report.loss,
        tests=report.tests,
        reason=view.reason,
        more=_unlisted(difference) + max(0, len(report.changes) - _MEMBERS),
        complete=difference is None or difference.complete,
        problem=problem,
    )


def _line(call: Call, view: ProposalView, *, own: bool | None = None) -> ProposalLine:
    return ProposalLine(
        proposal=view.proposal,
        state=view.state,
        author=view.author.name,
        at=parse_instant(view.decided_at or view.proposed_at),
        base=view.base,
        changes=view.changes,
        restores=view.restores or 0,
        decider=view.decided_by.name if view.decided_by is not None else "",
        own=view.author.id == call.principal.counts_as if own is None else own,
    )


def _version(each: VersionView) -> VersionLine:
    return VersionLine(
        version=each.version,
        hash=each.hash,
        author=each.author.name,
        at=parse_instant(each.activated_at),
        live=each.state == "live",
        approver=each.approver.name if each.approver is not None else "",
        restores=each.restores or 0,
        glass=each.break_glass,
    )


def _member(change: Change, before: Plain, after: Plain) -> MemberLine:
    was, becomes = (manifest.member_of(side, change.section, change.name) for side in (before, after))
    return MemberLine(
        section=change.section,
        name=change.name,
        change=change.change,
        pieces=differing(_written(was), _written(becomes)),
    )


def _written(member: object) -> str:
    """A member as people read it; a bare name says nothing that its line does not."""
    if member is None or isinstance(member, str):
        return ""
    return msgspec.json.format(msgspec.json.encode(member), indent=2).decode()


def _answers(difference: Difference) -> Any:
    for group in difference.groups[:_ANSWERS]:
        yield AnswerLine(
            change=group.change,
            roles=str(group.roles),
            actions=str(group.actions),
            categories=str(group.categories),
            purposes=str(group.purposes),
            jurisdictions=str(group.jurisdictions),
            cells=group.cells,
            before=group.before,
            after=group.after,
        )


def _unlisted(difference: Difference | None) -> int:
    return 0 if difference is None else difference.more + max(0, len(difference.groups) - _ANSWERS)
