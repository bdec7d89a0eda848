"""Every policy can be looked at as messages: the presets, and those that others have published."""

from pathlib import Path

import pytest
from whenever import Date

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.core.policy import Action
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.banner_specimen import banner_specimens, write_banner_specimen
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


@pytest.mark.parametrize("name", [*PRESETS, *EXAMPLES], ids=lambda name: Path(name).stem)
def test_every_banner_of_a_policy_is_shown_in_words(name):
    """B7."""
    policy = find_policy(name)

    shown = banner_specimens(policy, ends=ENDS)

    assert {each.showing.banner.facts.stage for each in shown} == {
        stage.id for stage in policy.stages if stage.banner
    }
    assert all(write_banner_specimen(COMPOSER, each, language="en").heading for each in shown)


def test_administrators_users_and_who_leaves_alone_read_words_of_their_own():
    shown = banner_specimens(find_policy("edit-only-grace"), ends=ENDS)
    told = [each.showing.banner for each in shown]

    advice = {write_banner_specimen(COMPOSER, each, language="de").advice for each in shown}

    assert [(each.is_for_administrator, each.facts.is_one_member) for each in told] == [
        *((True, False), (False, False), (False, True)),
    ]
    assert {each.facts.days_left for each in told} == {90}  # the first day of the stage
    assert len(advice) == 3
