"""Every banner of a policy as made-up people would see it, on the first day of its stage.

It is decided like a real one's; nothing is stored.

Source: mission B7; lesson L7.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from whenever import Date

from offramp.core.access import Standing, Voter
from offramp.core.banner import Reader, Showing, show_banner
from offramp.core.model import Member, SubjectKind
from offramp.core.plan import Timeline
from offramp.core.policy import Policy
from offramp.engine.specimen import ADMIN, ORGANIZATION, USER, receipt_of, timeline_of_kind
from offramp.ports import BannerWords, Composer


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerSpecimen:
    """One banner that somebody may see, and of whom it is."""

    title: str
    showing: Showing
    reader: Member


def banner_specimens(policy: Policy, *, ends: Date) -> tuple[BannerSpecimen, ...]:
    """List every banner of a policy for a subject whose term ends: to administrators, to users."""
    return tuple(
        each
        for kind in policy.applies_to
        for each in _of_timeline(timeline_of_kind(policy, kind, ends=ends))
    )


def write_banner_specimen(
    composer: Composer, specimen: BannerSpecimen, *, language: str
) -> BannerWords:
    """Write one of them in a language."""
    assert specimen.showing.banner is not None, "a specimen shows something"
    return composer.write_banner(
        specimen.showing.banner, member=specimen.reader, organization=ORGANIZATION, locale=language
    )


def _of_timeline(timeline: Timeline) -> Iterator[BannerSpecimen]:
    if timeline.kind is SubjectKind.MEMBER:
        voter, readers = Voter.MEMBER, {"one user who leaves": USER}
    else:
        voter, readers = Voter.ORGANIZATION, {"administrators": ADMIN, "users": USER}
    for span in timeline.spans:
        if not span.stage.banner or span.starts_at is None:
            continue
        now = span.starts_at
        done = {each.key: receipt_of(each) for each in timeline.steps if each.due_at <= now}
        standing = Standing(voter=voter, timeline=timeline, receipts=done)
        for whom, member in readers.items():
            showing = show_banner(Reader(roles=member.roles, standings=(standing,)), now=now)
            title = f"{span.stage.title or span.stage.id}, to {whom}"
            yield BannerSpecimen(title=title, showing=showing, reader=member)
