"""Where a person stands on a purpose: stored choices folded over the tree, at an instant. Pure, and on the hottest
path.

Expiry and newer purpose versions are judged here, when asked, and never written into the row: what ran out yesterday
is out whether or not any worker has been by. Whatever is unknown is not a yes.
"""

from typing import Protocol

from msgspec.structs import replace

from consent.choices.directives import over
from consent.choices.fold import path
from consent.laws.minority import Laws, judged
from consent.model import NOES, Choice, Cover, PersonState, Standing, Status


class Versions(Laws, Protocol):
    """What a standing depends on besides the person."""

    def version(self, purpose: str) -> int:
        """The purpose's present version; one that no grant can have when it is not declared."""
        ...

    def basis_of(self, purpose: str, state: PersonState) -> str:
        """The legal basis that notices tell this person for the purpose."""
        ...

    def opt_outs(self, purpose: str) -> frozenset[str]:
        """Which opt-outs reach the purpose."""
        ...


def standing(state: PersonState, purpose: str, catalogue: Versions, at: int) -> Standing:
    """Where the person stands on `purpose` at the instant `at`. `granted` only where consent holds.

    The newest no of the purpose and of each above it blocks every grant that is not newer. A grant at a higher
    purpose that covers this one outdates that higher purpose's own no; a no anywhere else waits for a grant that
    names this one.
    """
    if state.unsure_at:
        return _unsure(state, purpose, catalogue, at)
    if state.waiting or state.minority is not None:
        return _qualified(state, purpose, catalogue, at)
    if state.directives:
        return _directed(state, purpose, catalogue, at)
    choices = state.choices
    basis = catalogue.basis_of(purpose, state)
    if not choices:
        return Standing("unasked", legal_basis=basis)
    own = choices.get(purpose)
    if (
        own is not None
        and own.status == "granted"
        and own.since
        and not state.denials
        and (len(choices) == 1 or choices.keys().isdisjoint(path(purpose)[1:]))
    ):
        # What nearly every grant looks like, without the walk: nothing was chosen above and it replaced no no, so
        # there is nothing to weigh it against.
        status = _lapsed(own.purpose_version, own.expires_at, catalogue.version(purpose), at)
        return Standing(
            status or ("refused" if state.suppressed_until > at else "granted"),
            own.since,
            own.notice,
            own.notice_version,
            own.expires_at,
            basis,
            own.record,
            own.objected_at != 0,
        )
    no, newest, objected, given = _walk(choices, state.denials, purpose)
    if own is not None and own.status in NOES:
        return _of(own, basis, objected)
    specific = own is not None and own.status == "granted" and own.since > newest
    if no is not None and not specific:
        return _of(no, basis, objected)
    if given:
        given = [(cover, choice) for cover, choice in given if cover.since > newest]
    if own is not None and specific:
        given.append((Cover(own.since, own.purpose_version, own.expires_at), own))
    if not given:
        return _without_grant(own, basis, objected)
    return _best(given, catalogue.version(purpose), at, basis, objected, suppressed=state.suppressed_until > at)


def _unsure(state: PersonState, purpose: str, catalogue: Versions, at: int) -> Standing:
    """The standing of somebody of whom an older copy was put back. A no stands as it did. Nothing else counts that is
    not newer: a grant is stale, and interest and notice are blocked, since an objection may be what was lost.
    """
    found = standing(replace(state, unsure_at=0), purpose, catalogue, at)
    if found.no or (found.status == "granted" and found.since > state.unsure_at):
        return found
    return replace(found, status="stale" if found.status == "granted" else found.status, blocked=True)


def _directed(state: PersonState, purpose: str, catalogue: Versions, at: int) -> Standing:
    """The standing under the person's directives: a no of their own is told as it is, anything else is objected to."""
    found = standing(replace(state, directives={}), purpose, catalogue, at)
    above = max(over(state.directives, purpose, catalogue.opt_outs(purpose)), key=lambda each: each[1].at, default=None)
    if above is None:
        return found
    kind, directive = above
    if found.no:
        return replace(found, objected=True, directive=kind)
    basis = found.legal_basis
    return Standing("objected", directive.at, legal_basis=basis, record=directive.record, objected=True, directive=kind)


def _qualified(state: PersonState, purpose: str, catalogue: Versions, at: int) -> Standing:
    """A standing of the few people of whom a request waits, or the age is known."""
    bare = replace(state, waiting={}, minority=None)
    found = judged(standing(bare, purpose, catalogue, at), state, purpose, at, catalogue)
    request = state.waiting.get(purpose)
    if request is None or request.until <= at or found.status == "granted":
        return found
    return replace(
        found,
        status="pending",
        since=request.since,
        notice=request.notice,
        notice_version=request.notice_version,
        expires_at=request.until,
        record=request.record,
        blocked=found.no,
    )


def _walk(
    choices: dict[str, Choice], denials: dict[str, Choice], purpose: str
) -> tuple[Choice | None, int, bool, list[tuple[Cover, Choice]]]:
    """Up from the purpose: the newest no that no grant of its own place outdates, the instant of the newest no at all,
    whether there is an objection, and the grants above that cover the purpose.
    """
    no: Choice | None = None
    newest = 0
    objected = False
    covering: list[tuple[Cover, Choice]] = []
    for node in path(purpose):
        choice = choices.get(node)
        if choice is None:
            continue
        if choice.objected_at:
            objected = True
        denial: Choice | None = choice
        outdated = False
        if choice.status not in NOES:
            denial = denials.get(node) if denials else None
            # Beside an `unasked`, it is an objection that was taken back.
            outdated = choice.status == "unasked"
            if choice.status == "granted":
                cover = choice.covers.get(purpose) if choice.covers else None
                outdated = node == purpose or cover is not None
                if cover is not None:
                    covering.append((cover, choice))
        if denial is not None:
            # An outdated no stands no more, but what it blocked before it was outdated stays blocked.
            newest = max(newest, denial.since)
            if not outdated and (no is None or denial.since > no.since):
                no = denial
    return no, newest, objected, covering


def _best(
    given: list[tuple[Cover, Choice]], version: int, at: int, basis: str, objected: bool, *, suppressed: bool
) -> Standing:
    """The newest grant that holds; when none does, what became of the newest."""
    cover, choice = given[0] if len(given) == 1 else max(given, key=lambda pair: _worth(pair[0], version, at))
    status: Status = _lapsed(cover.version, cover.expires_at, version, at) or ("refused" if suppressed else "granted")
    return Standing(
        status,
        cover.since,
        choice.notice,
        choice.notice_version,
        cover.expires_at,
        basis,
        choice.record,
        objected,
    )


def _worth(cover: Cover, version: int, at: int) -> tuple[bool, int]:
    return _lapsed(cover.version, cover.expires_at, version, at) is None, cover.since


def _lapsed(given: int, expires_at: int, version: int, at: int) -> Status | None:
    """What became of a grant on version `given` of a purpose whose present one is `version`; None: it holds."""
    if given < version:
        return "stale"
    return "expired" if expires_at and expires_at <= at else None


def _without_grant(own: Choice | None, basis: str, objected: bool) -> Standing:
    if own is not None and own.status in ("pending", "stale"):
        return _of(own, basis, objected)
    # A grant that a no outdated, where that no was in turn outdated at a higher place: nobody has said yes since.
    status: Status = "withdrawn" if own is not None and own.status == "granted" else "unasked"
    return Standing(status, legal_basis=basis, objected=objected)


def _of(choice: Choice, basis: str, objected: bool) -> Standing:
    return Standing(
        choice.status, choice.since, choice.notice, choice.notice_version, 0, basis, choice.record, objected
    )
