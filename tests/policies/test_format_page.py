"""The page about policies says what the code does."""

import re
from pathlib import Path
from typing import get_args

from consent import BASES
from policies import ACTIONS, Reason
from policies.obligations import TYPES
from tests.policies.worlds import a_policy, warnings_of

PAGE = (Path(__file__).parents[2] / "docs" / "formats" / "policies.md").read_text(encoding="utf-8")


def test_the_manifest_on_the_page_is_taken_without_a_word_but_on_marketing():
    (manifest,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert a_policy(manifest)
    assert [warning.message[:25] for warning in warnings_of(manifest)] == ["R1: it allows marketing u"]


def test_every_reason_basis_action_and_obligation_is_on_the_page():
    words = set(re.findall(r"[a-z_0-9]+", PAGE))
    named = {*get_args(Reason), *BASES, *ACTIONS, *TYPES}
    assert named - words <= {"notify", "step_up", "permitted"}
