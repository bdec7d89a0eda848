"""Every policy can be looked at as messages: the presets, and those that others have published."""

from pathlib import Path

import pytest
from whenever import Date

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.core.policy import Action
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.specimen import specimens, write_specimen

ENDS = Date(2024, 8, 30)
EXAMPLES = sorted(map(str, (Path(__file__).parents[2] / "examples" / "policies").glob("*.yaml")))
COMPOSER = JinjaComposer()


@pytest.mark.parametrize("name", [*PRESETS, *EXAMPLES], ids=lambda name: Path(name).stem)
def test_every_notice_of_a_policy_is_shown_in_words(name):
    policy = find_policy(name)
    told = {s.id for s in policy.steps if s.action in (Action.NOTIFY, Action.EXPORT) and s.audience}

    shown = specimens(policy, ends=ENDS)

    assert {each.facts.notice for each in shown} >= told
    assert len({each.name for each in shown}) == len(shown)
    assert all(write_specimen(COMPOSER, each, language="en").text for each in shown)
