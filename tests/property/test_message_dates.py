"""L7, N1: what a message says of dates is what the plan says, by the calendar of its reader."""

import re
from dataclasses import replace

from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st
from whenever import TimeDelta

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.core.access import Question, Standing, Voter, decide
from offramp.core.banner import Reader, show_banner
from offramp.core.model import Member, Organization, Role
from offramp.core.notice import state_facts
from offramp.core.plan import plan
from offramp.core.policy import Capability
from offramp.engine.specimen import specimens, write_specimen
from tests.property.strategies import PRESETS, days, facts, find_policy, policies, zones

COMPOSER = JinjaComposer()
TICK = TimeDelta(nanoseconds=1)
WITH_DATES = ("expiring-soon", "achievements", "company-data", "now-deactivated", "generic")
FORMS = ("full", "long")
YEAR = re.compile(r"\b\d{4}\b")
READER = Member(
    id="1",
    organization="acme",
    email="anna@example.com",
    name="Anna",
    roles=frozenset({Role.ADMIN}),
    locale="en",
    zone="",
)
ASKED = Question(roles=frozenset({Role.MEMBER}), surface="app", capability=Capability.CREATE)


def plain(words):
    """Write words on one line, with spaces of one kind."""
    return " ".join(words.split())


def written(date, language):
    """Write a date in every form that a message may have it in, the longest first."""
    forms = [plain(format_date(date.to_stdlib(), form, locale=language)) for form in FORMS]
    return [*forms, *(re.sub(r"\b1\b", "1er", form) for form in forms if language == "fr")]


def planned_dates(timeline, zone):
    """List the dates on which anything begins, ends or is due, by a reader's calendar."""
    edges = {span.ends_at for span in timeline.spans} | {span.starts_at for span in timeline.spans}
    ends = {p.deadline_at for p in timeline.steps} | edges
    due = {planned.due_at for planned in timeline.steps}
    moments = {end - TICK for end in ends if end is not None} | due
    return {moment.to_tz(zone).date() for moment in moments}


def without(words, dates, language):
    """Cross out some dates."""
    for date in dates:
        for form in written(date, language):
            words = words.replace(form, "")
    return words


@given(
    policy=policies,
    known=facts(),
    zone=zones,
    language=st.sampled_from(COMPOSER.languages),
    notice=st.sampled_from(WITH_DATES),
    data=st.data(),
)
def test_a_message_names_no_date_that_is_not_in_the_plan_L7_N1(
    policy, known, zone, language, notice, data
):
    timeline = plan(policy, known)
    step = data.draw(st.sampled_from([p for p in timeline.steps if p.step is not None]))
    told = state_facts(timeline, step, receipts={}, now=step.due_at)
    company = Organization(id="a", name="A", zone=known.zone, locale="en", policy="p")

    message = COMPOSER.compose(
        replace(told, notice=notice),
        message_id="1",
        member=replace(READER, locale=language, zone=zone),
        organization=company,
    )

    expected = planned_dates(timeline, zone)
    if told.erases_at is not None:  # a notice that is late moves it, see core/due.py
        expected.add(told.erases_at.to_tz(zone).date())
    for words in (message.subject, message.text):
        assert YEAR.findall(without(plain(words), expected, language)) == []


@given(policy=policies, known=facts(), zone=zones)
def test_the_day_a_reader_is_told_is_the_last_with_access_by_their_own_clock_L1_L7(
    policy, known, zone
):
    timeline = plan(policy, known)
    step = timeline.steps[0]
    told = state_facts(timeline, step, receipts={}, now=step.due_at)
    end = told.access_ends_at
    standing = Standing(voter=Voter.ORGANIZATION, timeline=timeline)

    day = told.for_reader(frozenset(), zone=zone).access_ends_on

    assert decide(ASKED, [standing], now=end - TICK).is_allowed
    assert not decide(ASKED, [standing], now=end).is_allowed
    assert day <= (end - TICK).to_tz(zone).date()


@given(ends=days, preset=st.sampled_from(PRESETS), language=st.sampled_from(COMPOSER.languages))
def test_every_message_of_a_preset_names_the_dates_of_its_table_L7(ends, preset, language):
    for specimen in specimens(find_policy(preset), ends=ends):
        message = write_specimen(COMPOSER, specimen, language=language)

        dates = {specimen.facts.access_ends_on, specimen.facts.erases_on} - {None}
        missing = [
            date
            for date in dates
            if not any(form in plain(message.text) for form in written(date, language))
        ]
        assert missing == []


@given(
    policy=policies,
    known=facts(),
    zone=zones,
    language=st.sampled_from(COMPOSER.languages),
    role=st.sampled_from(list(Role)),
    data=st.data(),
)
def test_a_banner_names_no_date_that_is_not_in_the_plan_L7(
    policy, known, zone, language, role, data
):
    timeline = plan(banners_everywhere(policy), known)
    moments = sorted({span.starts_at for span in timeline.spans if span.starts_at is not None})
    now = data.draw(st.sampled_from(moments)).add(hours=data.draw(st.integers(-30, 3000)))
    standing = Standing(voter=Voter.ORGANIZATION, timeline=timeline)
    shown = show_banner(Reader(roles=frozenset({role}), standings=(standing,)), now=now).banner
    company = Organization(id="a", name="A", zone=known.zone, locale="en", policy="p")

    words = COMPOSER.write_banner(
        shown, member=replace(READER, zone=zone), organization=company, locale=language
    )

    expected = planned_dates(timeline, zone)
    if shown.facts.erases_at is not None:  # a notice that is late moves it, see core/due.py
        expected.add(shown.facts.erases_at.to_tz(zone).date())
    said = plain(f"{words.heading} {words.text} {words.until} {words.advice} {words.note}")
    assert YEAR.findall(without(said, expected, language)) == []
    ends_on = shown.facts.for_reader(frozenset(), zone=zone).stage_ends_on
    if ends_on is not None:
        assert any(form in plain(words.until) for form in written(ends_on, language))


def banners_everywhere(policy):
    """Let every stage of a policy have a banner."""
    stages = tuple(stage.model_copy(update={"banner": True}) for stage in policy.stages)
    return policy.model_copy(update={"stages": stages})
