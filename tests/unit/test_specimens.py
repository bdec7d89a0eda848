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


def test_whoever_is_told_of_the_deletion_of_another_gets_the_certificate():
    """B8: the one who leaves gets it too; only who is told as one of many users does not."""
    shown = {each.name: each for each in specimens(find_policy("edit-only-grace"), ends=ENDS)}

    told = shown["erase-about-another"]
    message = write_specimen(COMPOSER, told, language="en")

    assert (told.reader.name, told.about.name) == ("Anna Nowak", "Zoë Murphy")
    assert [each.name for each in message.attachments] == ["certificate.json"]
    assert "certificate.json" in message.text
    assert "Zoë Murphy" in message.text
    assert shown["erase"].attachments == ()
