"""What each law says about each kind of request: how long it gives, and from where that is known. Data.

A kind that a law does not grant has no row there; our own row, `default`, serves then.
"""

from typing import Final, Literal

from msgspec import Struct

from rights.beside import PauseReason
from rights.model import Kind, Law

Unit = Literal["now", "days", "working_days", "months"]


class Term(Struct, frozen=True):
    """How long the law gives.

    `rolls`: a day that is no working day moves on to the next one. `country` fixes whose working days count (empty: the
    controller's). `at_most` caps a count of working days by calendar days. `source` is where it stands.
    """

    amount: int
    unit: Unit
    source: str
    rolls: bool = False
    country: str = ""
    at_most: int = 0


class Row(Struct, frozen=True):
    """What one law says about one kind.

    `extended` is the longest term, counted afresh from receipt; `pauses` says for what its clock may rest; `target` is
    a sooner term for a part of the answer.
    """

    answer: Term
    target: Term | None = None
    extended: Term | None = None
    acknowledge: Term | None = None
    pauses: frozenset[PauseReason] = frozenset()


def _now(source: str) -> Term:
    return Term(0, "now", source)


def _rows(row: Row, *kinds: Kind) -> dict[Kind, Row]:
    return dict.fromkeys(kinds, row)


_WAITING: Final = frozenset[PauseReason](("identity", "clarification"))


def _european(source: str, withdrawal: str) -> dict[Kind, Row]:
    month = Term(1, "months", source, rolls=True)
    longer = Term(3, "months", source, rolls=True)
    whole = Row(month, extended=longer, pauses=_WAITING)
    # An objection to direct marketing works at once, one to anything else within the month.
    objection = Row(month, target=_now("GDPR 21(3)"), extended=longer, pauses=_WAITING)
    at_once = Row(_now(withdrawal))
    return {
        **_rows(whole, "access", "portability", "rectification", "erasure", "restriction"),
        **_rows(whole, "automated_decision_review", "explanation"),
        "objection": objection,
        # No law of Europe speaks of sale: it is an objection to marketing or a withdrawal, and both work at once.
        **_rows(at_once, "opt_out_sale", "limit_sensitive", "withdraw_all"),
    }


def _ccpa() -> dict[Kind, Row]:
    acknowledge = Term(10, "working_days", "11 CCR 7021(a)", country="US")
    whole = Row(
        Term(45, "days", "Cal. Civ. Code 1798.130(a)(2)(A): from receipt; verification does not stop it"),
        extended=Term(90, "days", "Cal. Civ. Code 1798.130(a)(2)(A)"),
        acknowledge=acknowledge,
    )
    out = Row(Term(15, "working_days", "11 CCR 7026(f), 7027(g): 15 business days at most", country="US"))
    return {
        **_rows(whole, "access", "portability", "rectification", "erasure", "explanation"),
        **_rows(out, "opt_out_sale", "limit_sensitive", "withdraw_all", "automated_decision_review"),
    }


def _us_state() -> dict[Kind, Row]:
    whole = Row(
        Term(45, "days", "e.g. Va. Code 59.1-577(B); Iowa gives 90, so 45 is the safe term"),
        extended=Term(90, "days", "e.g. Va. Code 59.1-577(B)(1)"),
    )
    stop = Row(Term(15, "days", "e.g. Conn. Gen. Stat. 42-520(a)(6): 15 days to stop; Maryland gives 30"))
    return {
        **_rows(
            whole, "access", "portability", "rectification", "erasure", "opt_out_sale", "automated_decision_review"
        ),
        **_rows(stop, "limit_sensitive", "withdraw_all"),
    }


def _pipl() -> dict[Kind, Row]:
    whole = Row(
        Term(
            15,
            "working_days",
            "PIPL 50 gives no figure; 15 working days (app rule 2019, Art. 6), 30 days at most (GB/T 35273-2020, 8.7)",
            country="CN",
            at_most=30,
        )
    )
    at_once = Row(_now("PIPL 15, 24: withdrawal and refusal of personalised push work at once"))
    return {
        **_rows(whole, "access", "portability", "rectification", "erasure", "restriction", "objection"),
        **_rows(whole, "automated_decision_review", "explanation"),
        **_rows(at_once, "opt_out_sale", "limit_sensitive", "withdraw_all"),
    }


def _lgpd() -> dict[Kind, Row]:
    whole = Row(Term(15, "days", "LGPD 19 II for access; 18 par. 4 for the others: at once, else say why"))
    at_once = Row(_now("LGPD 8 par. 5, 18 IX"))
    return {
        **_rows(whole, "access", "portability", "rectification", "erasure", "restriction", "objection", "opt_out_sale"),
        **_rows(whole, "automated_decision_review", "explanation"),
        **_rows(at_once, "limit_sensitive", "withdraw_all"),
    }


def _law25() -> dict[Kind, Row]:
    whole = Row(Term(30, "days", "Quebec Act P-39.1, s. 32: silence is refusal"))
    at_once = Row(_now("Quebec Act P-39.1, s. 8, 12"))
    return {
        **_rows(whole, "access", "portability", "rectification", "erasure", "restriction", "objection"),
        **_rows(whole, "automated_decision_review", "explanation"),
        **_rows(at_once, "opt_out_sale", "limit_sensitive", "withdraw_all"),
    }


def _dpdp() -> dict[Kind, Row]:
    own = Row(
        Term(30, "days", "DPDP 11, 12, Rule 14(3): the controller publishes its own term; 30 days where it did not")
    )
    return {
        **_rows(own, "access", "rectification", "erasure"),
        **_rows(Row(Term(90, "days", "DPDP 13, Rule 14(3): grievance, 90 days at most")), "restriction", "objection"),
        "withdraw_all": Row(Term(7, "days", "DPDP 6(6): a reasonable time; 7 days is our reading")),
    }


def _default() -> dict[Kind, Row]:
    acknowledge = Term(3, "days", "ours")
    month, fortnight = Term(30, "days", "ours: no law is known"), Term(15, "days", "ours: no law is known")
    return {
        **_rows(
            Row(month, acknowledge=acknowledge), "access", "portability", "automated_decision_review", "explanation"
        ),
        **_rows(Row(fortnight, acknowledge=acknowledge), "rectification", "erasure", "restriction", "objection"),
        **_rows(Row(_now("ours"), acknowledge=acknowledge), "opt_out_sale", "limit_sensitive", "withdraw_all"),
    }


TABLE: Final[dict[Law, dict[Kind, Row]]] = {
    "gdpr": _european("GDPR 12(3); Regulation 1182/71, Art. 3", "GDPR 7(3), 21(3)"),
    # The UK starts the clock at the later of receipt and proof of identity; counting from receipt is never too late.
    "uk_gdpr": _european("UK GDPR 12A (DUAA 2025)", "UK GDPR 7(3), 21(3)"),
    "pipl": _pipl(),
    "ccpa": _ccpa(),
    "us_state": _us_state(),
    "lgpd": _lgpd(),
    "law25": _law25(),
    "dpdp": _dpdp(),
    "default": _default(),
}
"""Every law's rows. A kind that is absent is one the law does not grant."""


_OURS: Final = Term(30, "days", "ours: no law names a term for an appeal to the controller")

APPEALS: Final[dict[Law, Term]] = {
    "us_state": Term(45, "days", "Colo. Rev. Stat. 6-1-1306(3)(b); most others, e.g. Va. Code 59.1-577(C), give 60"),
    "uk_gdpr": Term(30, "days", "UK DPA 2018, s. 164A (DUAA 2025): a complaint is acknowledged within 30 days"),
    "dpdp": Term(90, "days", "DPDP Rule 14(3): grievance, 90 days at most"),
}
"""How long the answer to an appeal against a refusal may take, for the laws that say so; elsewhere 30 days are ours."""


def appeal_term(law: Law) -> Term:
    """The term of an appeal under a law."""
    return APPEALS.get(law, _OURS)


def row_of(law: Law, kind: Kind) -> tuple[Row, bool]:
    """What the law says about the kind, and whether the law says it (else it is our `default` row)."""
    row = TABLE[law].get(kind)
    return (row, law != "default") if row else (TABLE["default"][kind], False)
