"""Every message of a policy as made-up people would get it, on the day on which it is due.

The facts are those of the same timeline as a real one's; nothing is stored and nothing is sent.

Source: policy language N1; lesson L7.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from whenever import Date

from offramp.core.dates import Boundary
from offramp.core.link import Download, last_day_of, link_ends_at
from offramp.core.model import (
    Anchor,
    Facts,
    Member,
    Organization,
    Outcome,
    Receipt,
    Role,
    SubjectKind,
)
from offramp.core.notice import NoticeFacts, state_facts
from offramp.core.plan import PlannedStep, Timeline, plan, substitute
from offramp.core.policy import Action, Audience, Policy
from offramp.ports import Attachment, Composer, Message

ZONE = "Europe/Dublin"
ORGANIZATION = Organization(
    id="acme", name="Acme Training Ltd", zone=ZONE, locale="en", policy="specimen"
)
ADMIN = Member(
    id="1",
    organization="acme",
    email="anna.nowak@example.com",
    name="Anna Nowak",
    roles=frozenset({Role.ADMIN}),
    locale="en",
    zone=ZONE,
)
USER = replace(
    ADMIN,
    id="2",
    email="zoe.murphy@example.com",
    name="Zoë Murphy",
    roles=frozenset({Role.MEMBER}),
)
# What comes with a message is not looked at: it only has a name and a size.
_DOCUMENT = Attachment(name="data.json", media_type="application/json", content=b" " * 184_000)
_ACHIEVEMENTS = Attachment(
    name="achievements.pdf", media_type="application/pdf", content=b" " * 62_000
)
_CERTIFICATE = Attachment(
    name="certificate.json", media_type="application/json", content=b" " * 9_000
)
_DATES = Attachment(name="dates.ics", media_type="text/calendar", content=b" " * 4_000)
_ADDRESS = "https://leaving.example.com/links/Yx3mT0c9QkP2vJ7sLh5RfWb8NzDgAe4UoKi6XtCq1Vy"
_LINK_DAYS = 30
_LATER = frozenset({Anchor.DELETION, Anchor.RETURN})  # what no end alone brings about


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One message that somebody may get.

    Attributes:
        name: the notice, and which case of it where there are several: ``alone`` where one member
            leaves, ``about-another`` for whoever else is told.
        about: the member, where one alone leaves and another reader is told.
    """

    name: str
    facts: NoticeFacts
    reader: Member
    about: Member | None = None
    attachments: tuple[Attachment, ...] = ()
    download: Download | None = None


def specimens(policy: Policy, *, ends: Date) -> tuple[Specimen, ...]:
    """List every message of a policy for a subject whose term ends, each case once."""
    found: dict[str, Specimen] = {}
    for kind in policy.applies_to:
        told_before = frozenset(found)
        timeline = timeline_of_kind(policy, kind, ends=ends)
        for each in (*_of_timeline(timeline), *_of_return(timeline, ends=ends)):
            name = f"{each.name}-alone" if each.name in told_before else each.name
            found.setdefault(name, replace(each, name=name))
    return tuple(found.values())


def timeline_of_kind(policy: Policy, kind: SubjectKind, *, ends: Date) -> Timeline:
    """Plan the leaving of a made-up subject of one kind."""
    anchors = {anchor.value: ends for anchor in Anchor if anchor not in _LATER}
    return plan(policy, Facts(kind=kind, zone=ZONE, anchors=anchors))


def receipt_of(planned: PlannedStep) -> Receipt:
    """Say that a step was done when it was due."""
    return Receipt(
        step=planned.key,
        outcome=Outcome.DONE,
        due_at=planned.due_at,
        done_at=planned.due_at,
        delivered_at=planned.due_at,
    )


def write_specimen(composer: Composer, specimen: Specimen, *, language: str) -> Message:
    """Write one of them in a language."""
    return composer.compose(
        specimen.facts,
        message_id=f"{specimen.name}.{language}",
        member=replace(specimen.reader, locale=language),
        organization=ORGANIZATION,
        about=specimen.about,
        attachments=specimen.attachments,
        download=specimen.download,
    )


def _of_timeline(timeline: Timeline) -> Iterator[Specimen]:
    receipts: dict[str, Receipt] = {}
    for planned in timeline.steps:
        if planned.step is not None and planned.step.audience:
            yield from _of_step(timeline, planned, receipts=receipts)
        if planned.is_destructive and planned.step is not None:
            for requirement in planned.step.requires:
                yield from _in_place_of(timeline, requirement.delivered, receipts=receipts)
        else:
            receipts[planned.key] = receipt_of(planned)


def _of_return(timeline: Timeline, *, ends: Date) -> Iterator[Specimen]:
    """Give what is written to those who stay for another year, on the day after the old end."""
    anchors: dict[str, Boundary] = {Anchor.EXPIRY: ends.add(years=1), Anchor.RETURN: ends}
    stays = plan(timeline.policy, Facts(kind=timeline.kind, zone=ZONE, anchors=anchors))
    for planned in stays.steps:
        if planned.is_of_return:
            yield from _of_step(stays, planned, receipts={})


def _of_step(
    timeline: Timeline, planned: PlannedStep, *, receipts: Mapping[str, Receipt]
) -> Iterator[Specimen]:
    """Give a notice as its reader gets it, and whatever else it may have to say."""
    step, now = planned.step, planned.due_at
    assert step is not None, "a notice is a step of the policy"
    facts = state_facts(timeline, planned, receipts=receipts, now=now)
    is_for_users = bool({Audience.MEMBERS, Audience.SUBJECT} & set(step.audience))
    told = Specimen(name=step.id, facts=facts, reader=USER if is_for_users else ADMIN)
    if step.attach is not None:
        yield replace(told, attachments=(_ACHIEVEMENTS,))
        yield replace(told, name=f"{step.id}-none")
    elif step.action is Action.EXPORT:
        sent = replace(told, attachments=(_DOCUMENT,))
        led = replace(told, name=f"{step.id}-link", download=_download(facts))
        for each in (sent, led):
            yield each
            yield replace(each, name=f"{each.name}-again", facts=replace(facts, issue=2))
    elif planned.is_destructive or planned.is_of_return:
        yield from _last_letters(told, planned)
    else:
        yield told
    if timeline.kind is SubjectKind.MEMBER and Audience.ADMINS in step.audience:
        files = (_CERTIFICATE,) if planned.is_destructive else ()
        yield replace(
            told,
            name=f"{step.id}-about-another",
            reader=ADMIN,
            about=USER,
            attachments=files,
        )


def _download(facts: NoticeFacts) -> Download:
    """Give what a message leads to where it would be too large."""
    now = facts.stated_at
    ends_at = link_ends_at(now, days=_LINK_DAYS, zone=facts.zone)
    return Download(
        address=_ADDRESS,
        name=_DOCUMENT.name,
        size_bytes=41_300_000,
        until_on=last_day_of(ends_at, erases_at=facts.erases_at, zone=facts.zone, now=now),
    )


def _last_letters(told: Specimen, planned: PlannedStep) -> Iterator[Specimen]:
    """Give what is written when all is over, or nothing is: some readers get a file with it."""
    file = _CERTIFICATE if planned.is_destructive else _DATES
    is_alone = told.facts.is_one_member
    if is_alone and planned.is_destructive:
        yield replace(told, attachments=(file,))
        return
    if is_alone or told.reader is USER:
        yield told
    if not is_alone:
        yield replace(told, name=f"{told.name}-with-file", reader=ADMIN, attachments=(file,))


def _in_place_of(
    timeline: Timeline, required: str, *, receipts: Mapping[str, Receipt]
) -> Iterator[Specimen]:
    """Give the notice that stands in for one that was missed, on the day after it."""
    due_at = max((planned.due_at for planned in timeline.occurrences(required)), default=None)
    if due_at is None:
        return
    now = due_at.add(hours=24)
    planned = substitute(timeline, required, now=now)
    missed = {key: receipt for key, receipt in receipts.items() if receipt.due_at < due_at}
    facts = state_facts(timeline, planned, receipts=missed, now=now)
    about = USER if timeline.kind is SubjectKind.MEMBER else None
    yield Specimen(name=facts.notice, facts=facts, reader=ADMIN, about=about)
