"""Casbin, as the judge: the stock Enforcer over the same model, rows and trees.

It is exact and slow (microseconds for every rule of every question). The snapshot answers; this one is asked again for
a share of what the snapshot answered, and in the tests for all of it.
"""

import configparser
import logging
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from threading import Lock
from typing import Final

from policies.ruleset.rules import Rule
from policies.ruleset.trees import Trees

STOPPED_DISTRIBUTION: Final = "casbin"


class WrongCasbin(ImportError):
    """The distribution `casbin`, stopped in 2025, is installed: it overwrites the files of `pycasbin`."""


def refuse_stopped_distribution(name: str = STOPPED_DISTRIBUTION) -> None:
    """Raise `WrongCasbin` if a distribution of this name is installed beside `pycasbin`."""
    try:
        found = version(name)
    except PackageNotFoundError:
        return
    raise WrongCasbin(
        f"Uninstall the distribution {name} {found}, then reinstall pycasbin: both own the package casbin."
    )


refuse_stopped_distribution()

import casbin  # noqa: E402 - never before the check above
from casbin.effect import get_effector  # noqa: E402
from casbin.model import Model  # noqa: E402
from casbin.persist import Adapter  # noqa: E402

MODEL_TEXT: Final = files("policies").joinpath("model.conf").read_text(encoding="utf-8")
EFFECT: Final = "some(where (p_eft == allow)) && !some(where (p_eft == deny))"
TREES: Final = ("g", "g2", "g3", "g4", "g5")
"""Roles, categories, purposes, jurisdictions, actions: the order of `Trees`."""

Question = tuple[str, str, str, str, str, str]
"""Tenant, action, role, category, purpose, jurisdiction: `request_definition` in model.conf."""


class ForbiddenModel(ValueError):
    """The model is not of the one form whose effect is deny-override with default deny."""


def read_model(text: str = MODEL_TEXT) -> Model:
    """The model, if it has exactly the sections and the effect that this engine stands on. Raises `ForbiddenModel`.

    Casbin itself takes a second effect and ignores it, takes an effect without `some(allow)` and permits everybody, and
    takes a comment behind a definition as part of it.
    """
    sections = configparser.ConfigParser(interpolation=None)
    try:
        sections.read_string(text)
    except configparser.Error as error:
        raise ForbiddenModel(str(error)) from None
    wanted = {
        "request_definition": ("r",),
        "policy_definition": ("p",),
        "role_definition": TREES,
        "policy_effect": ("e",),
        "matchers": ("m",),
    }
    found = {name: tuple(sections[name]) for name in sections.sections()}
    if found != wanted or sections.defaults():
        raise ForbiddenModel("a section or definition is missing, or there is one too many")
    if "#" in text:
        raise ForbiddenModel("a comment")
    model = Model()
    model.load_model_from_text(text)
    if model["e"]["e"].value != EFFECT:
        raise ForbiddenModel("the effect is not deny-override with default deny")
    return model


class StaysOn(RuntimeError):
    """Somebody wanted to switch the judge off."""

    def __init__(self) -> None:
        super().__init__("This enforcer cannot be switched off.")


class _Loaded(Adapter):  # type: ignore[misc]  # casbin ships no types
    """Hands Casbin its rows as they are. Its own way in, text split at commas, reads brackets its own way."""

    def __init__(self, rules: Sequence[Rule], trees: Trees) -> None:
        self._rules = rules
        self._trees = (trees.roles, trees.categories, trees.purposes, trees.jurisdictions, trees.actions)

    def load_policy(self, model: Model) -> None:
        model["p"]["p"].policy.extend(list(rule.row()) for rule in self._rules)
        for section, tree in zip(TREES, self._trees, strict=True):
            model["g"][section].policy.extend(list(link) for link in tree.links())


class Reference(casbin.Enforcer):  # type: ignore[misc]  # casbin ships no types
    """The stock Enforcer, loaded once and never changed; it cannot be switched off."""

    def __init__(self, rules: Sequence[Rule], trees: Trees, text: str = MODEL_TEXT) -> None:
        super().__init__(read_model(text), _Loaded(rules, trees))
        # Casbin logs every denied question with all its values.
        logging.getLogger("casbin").disabled = True
        self._asking = Lock()
        held = len(self.get_policy())
        if held != len(rules):
            raise ForbiddenModel(f"Casbin holds {held} of {len(rules)} rules")

    def enable_enforce(self, enabled: bool = True) -> None:
        """It is on. Raises `StaysOn` when asked to be off: it would permit everything."""
        if not enabled:
            raise StaysOn

    def permits(self, question: Question) -> bool:
        """Casbin's answer. Every name must be a name of its tree: Casbin would remember an unknown one for ever."""
        with self._asking:
            return bool(self.enforce(*question))


def final_effect(allowed: bool, denied: bool) -> bool:
    """Casbin's own effector over what matched."""
    return bool(_EFFECTOR.final_effect({*((_ALLOW,) if allowed else ()), *((_DENY,) if denied else ())}) == _ALLOW)


_EFFECTOR: Final = get_effector(EFFECT)
_ALLOW: Final = casbin.effect.Effector.ALLOW
_DENY: Final = casbin.effect.Effector.DENY
