"""The fairness lint: what the laws forbid in how people are asked.

Refusing is as easy as accepting, separate consents are not bundled, nothing is on before the law lets it, and no
service depends on a consent that it does not need. What is plainly unlawful is refused; what may be is doubted.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from consent.catalogue.completeness import asked_of
from consent.catalogue.notice import Notice
from consent.catalogue.purpose import Purpose
from consent.catalogue.reader import Reader
from consent.laws.jurisdictions import REGIMES, ROOT, Regime, chain
from sayso.kernel import Problem, add_duration

if TYPE_CHECKING:
    from consent.catalogue.declarations import Declarations

_WITHOUT_ASKING: Final = frozenset({"legitimate_interest", "notice"})
_ONLY_BRITISH: Final = frozenset({"statistics", "appearance", "emergency_assistance"})
_SOMEBODY_ELSE: Final = frozenset({"third_party", "cross_border"})
_SIX_MONTHS: Final = "P6M"


def check_fairness(declared: "Declarations", reader: Reader) -> Iterator[Problem]:
    """Adds what is refused to the reader's problems; yields what is only doubted."""
    lint = _Lint(declared, reader)
    for purpose in declared.purposes.values():
        lint.service(purpose)
        lint.unasked(purpose)
        lint.separate(purpose)
        yield from lint.terms(purpose)
        yield from lint.abroad(purpose)
        yield from lint.confirmation(purpose)
    for notice in declared.notices.values():
        lint.steps(notice)
        yield from lint.bundles(notice)
        yield from lint.languages(notice)


class _Lint:
    def __init__(self, declared: "Declarations", reader: Reader) -> None:
        self._declared = declared
        self._reader = reader

    # what is refused

    def service(self, purpose: Purpose) -> None:
        """GDPR Art. 7(4); PIPL Art. 16: no service withheld for a consent that it does not need."""
        if not purpose.required_for_service:
            return
        if purpose.direct_marketing:
            self._refuse(purpose, "required_for_service", "no service depends on agreeing to marketing.")
        elif "consent" in _bases(purpose).values() and not purpose.justification:
            self._refuse(
                purpose,
                "required_for_service",
                "a consent on which the service depends is not free; say in 'justification' why it is needed, or take "
                "it out (GDPR Art. 7(4), PIPL Art. 16).",
            )

    def unasked(self, purpose: Purpose) -> None:
        """Nothing is on before a choice where the law asks first: device storage and sensitive data."""
        for code, basis in _bases(purpose).items():
            if basis not in _WITHOUT_ASKING:
                continue
            for law in _reached(code, basis):
                if purpose.sensitive and law.sensitive == "in":
                    message = f"sensitive data need consent under {law.code!r}, not {basis!r}."
                elif purpose.device_storage == "consent" and law.opt == "in" and law.code != ROOT:
                    message = f"storage on a device that needs consent is off before it under {law.code!r}."
                else:
                    continue
                self._refuse(purpose, "legal_basis", message)
                break

    def separate(self, purpose: Purpose) -> None:
        """PIPL Art. 23, 39: whoever is asked for a separate consent is told who gets the data."""
        ground = purpose.separate_consent
        if ground not in _SOMEBODY_ELSE:
            return
        if ground == "cross_border" and not purpose.transfers:
            self._refuse(
                purpose, "separate_consent", "it is about data that leave; name the 'transfers' (PIPL Art. 39)."
            )
        silent = [name for name in purpose.recipients if not self._reachable(name)]
        if not purpose.recipients or silent:
            who = f"a contact of {silent[0]!r}" if silent else "the 'recipients'"
            self._refuse(
                purpose, "separate_consent", f"people are told who gets the data: name {who} (PIPL Art. 23, 39)."
            )

    def steps(self, notice: Notice) -> None:
        """GDPR Art. 7(3); 11 CCR 7004: symmetry in choice."""
        steps = notice.steps
        if steps is None:
            return
        for what, count in (("refuse", steps.refuse), ("withdraw", steps.withdraw)):
            if count > steps.accept:
                place = self._place("notices", notice.name, "steps")
                message = f"Notice {notice.name!r}: to {what} takes {count} steps, to accept {steps.accept}."
                self._reader.problems.append(Problem(*place, message))

    # what is doubted

    def terms(self, purpose: Purpose) -> Iterator[Problem]:
        """CNIL: a no is kept as long as a yes, and 6 months at least."""
        no, yes = purpose.refusal_valid_for, purpose.expires_after
        if no is None:
            return
        if _shorter(no, _SIX_MONTHS):
            yield self._doubt(
                purpose, "refusal_valid_for", "a no is kept for 6 months at least; the law's term counts."
            )
        elif yes is not None and _shorter(no, yes):
            yield self._doubt(purpose, "refusal_valid_for", "a no is kept for a shorter time than a yes.")

    def abroad(self, purpose: Purpose) -> Iterator[Problem]:
        """Recipients and transfers: GDPR Art. 13(1)(f), 44; PIPL Art. 38, 39; PIPA Art. 28-8."""
        home = self._declared.controller.country
        named = {transfer.to for transfer in purpose.transfers}
        for name in purpose.recipients:
            country = self._declared.recipients[name].country
            if home and country not in named and _apart(home, country):
                message = f"{name!r} is in {country!r}; say in 'transfers' what sending data there rests on."
                yield self._doubt(purpose, "recipients", message)
        for code in _named(purpose):
            law = REGIMES[code]
            if purpose.separate_consent is not None or self._basis(purpose, code) != "consent":
                continue
            if "cross_border" in law.separate_consent and any(to != code for to in named):
                yield self._doubt(purpose, "transfers", f"data that leave {code!r} need a separate consent.")
            elif "sensitive" in law.separate_consent and purpose.sensitive:
                yield self._doubt(purpose, "sensitive", f"sensitive data need a separate consent in {code!r}.")

    def confirmation(self, purpose: Purpose) -> Iterator[Problem]:
        """Exemptions and confirmations that do not reach as far as they seem to."""
        if purpose.double_opt_in and "email" not in purpose.channels:
            yield self._doubt(purpose, "double_opt_in", "it is confirmed by e-mail, which is none of its 'channels'.")
        if purpose.device_storage in _ONLY_BRITISH:
            yield self._doubt(purpose, "device_storage", "this exemption is the United Kingdom's alone.")

    def bundles(self, notice: Notice) -> Iterator[Problem]:
        """PIPL Art. 14: a separate consent is asked by itself."""
        asked = asked_of(self._declared, notice)
        separate = [name for name in asked if self._declared.purposes[name].separate_consent]
        if separate and len(asked) > 1:
            message = (
                f"Notice {notice.name!r} asks for {separate[0]!r}, which needs a consent of its own, beside others: no "
                "'accept all' can include it. A notice of its own is clearer."
            )
            yield Problem(*self._place("notices", notice.name, "purposes"), message)

    def languages(self, notice: Notice) -> Iterator[Problem]:
        """PIPL Art. 17; Charter of the French language: a notice in the language that the law asks for."""
        shown = {locale.partition("-")[0].lower() for locale in notice.text}
        codes = {code for name in asked_of(self._declared, notice) for code in _named(self._declared.purposes[name])}
        for code in sorted(codes):
            wanted = REGIMES[code].languages
            if wanted and not wanted & shown:
                message = f"Notice {notice.name!r} asks people in {code!r} and is not in {' or '.join(sorted(wanted))}."
                yield Problem(*self._place("notices", notice.name, "text"), message)

    def _basis(self, purpose: Purpose, code: str) -> str | None:
        bases = _bases(purpose)
        return next((bases[each] for each in chain(code) if each in bases), None)

    def _reachable(self, recipient: str) -> bool:
        contact = self._declared.recipients[recipient].contact
        return any((contact.email, contact.phone, contact.url, contact.address))

    def _refuse(self, purpose: Purpose, member: str, message: str) -> None:
        self._reader.problems.append(self._doubt(purpose, member, message))

    def _doubt(self, purpose: Purpose, member: str, message: str) -> Problem:
        return Problem(*self._place("purposes", purpose.name, member), f"Purpose {purpose.name!r}: {message}")

    def _place(self, *path: str) -> tuple[str, int]:
        return self._reader.places.get(path) or self._reader.places.get(path[:2]) or ("", 0)


def _bases(purpose: Purpose) -> dict[str, str]:
    basis = purpose.legal_basis
    return {ROOT: basis} if isinstance(basis, str) else basis


def _named(purpose: Purpose) -> Iterable[str]:
    """The jurisdictions that a purpose names one by one."""
    return (code for code in _bases(purpose) if code != ROOT)


def _reached(code: str, basis: str) -> Iterator[Regime]:
    """The laws at and below a jurisdiction that know the basis; elsewhere it counts as consent anyway."""
    return (law for law in REGIMES.values() if code in chain(law.code) and basis in law.bases)


def _apart(home: str, country: str) -> bool:
    """Whether data that go from one country to the other leave the reach of one law."""
    if home == country:
        return False
    return not all(code in REGIMES and REGIMES[code].parent == "eea" for code in (home, country))


def _shorter(one: str, other: str) -> bool:
    return add_duration(0, one) < add_duration(0, other)
