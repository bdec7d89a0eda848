"""What a page of the product is given to show, as one JSON document.

It holds the words, for pages that show them as they are, and the facts that they were made from,
for pages that have words of their own. It names nobody.

Source: docs/banner.md; mission B7, B10.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from whenever import Date, Instant

from offramp.core.banner import Banner, Showing
from offramp.core.policy import Capability
from offramp.ports import BannerWords


class _Part(BaseModel, frozen=True, extra="forbid"):
    pass


class BannerLink(_Part):
    """Where the reader may turn."""

    label: str
    href: Annotated[str, Field(description="An address of the web, or of mail as a link.")]


class BannerDocument(_Part):
    """One banner, in the language of its reader."""

    stage: Annotated[str, Field(description="The stage in force, by its name in the policy.")]
    stage_title: Annotated[str, Field(description="The same for people.")]
    audience: Annotated[
        Literal["administrator", "member"],
        Field(description="Whom it speaks to: one who administers the organization, or not."),
    ]
    subject: Annotated[
        Literal["organization", "member"],
        Field(description="Who leaves: the whole organization, or the reader alone."),
    ]
    ends_at: Annotated[
        str | None, Field(description="The instant at which the stage ends, in UTC.")
    ]
    ends_on: Annotated[
        str | None, Field(description="Its last day, by the organization's calendar.")
    ]
    days_left: Annotated[int | None, Field(description="The days it still holds, with today.")]
    zone: Annotated[str, Field(description="The organization's time zone.")]
    may: Annotated[tuple[Capability, ...], Field(description="What the reader may do now.")]
    may_then: Annotated[
        tuple[Capability, ...] | None,
        Field(description="What the reader may do once the stage is over, if it has an end."),
    ]
    may_renew: Annotated[bool, Field(description="Whether the reader may bring everything back.")]
    erases_at: Annotated[
        str | None, Field(description="From when on the data is deleted, as things stand.")
    ]
    language: Annotated[str, Field(description="Of the words below, as HTML names it.")]
    direction: Literal["ltr", "rtl"]
    heading: str
    text: Annotated[str, Field(description="What is so; may be empty, like the next two.")]
    until: Annotated[str, Field(description="Until when, by the reader's own calendar.")]
    advice: Annotated[str, Field(description="What the reader can do.")]
    note: Annotated[str, Field(description="The time zone, for a reader outside of it.")]
    links: tuple[BannerLink, ...]


class BannerAnswer(_Part):
    """A banner, or none, and until when this answer holds as things stand."""

    banner: BannerDocument | None
    changes_at: Annotated[
        str | None, Field(description="When to ask again, in UTC; a renewal may come before.")
    ]


def answer_of(showing: Showing, words: BannerWords | None) -> BannerAnswer:
    """Give what is shown as a document; there are words where there is a banner."""
    banner = None
    if showing.banner is not None:
        assert words is not None, "a banner without words says nothing"
        banner = _document(showing.banner, words)
    return BannerAnswer(banner=banner, changes_at=_text(showing.changes_at))


def _document(banner: Banner, words: BannerWords) -> BannerDocument:
    facts = banner.facts
    return BannerDocument(
        stage=facts.stage,
        stage_title=words.stage,
        audience="administrator" if banner.is_for_administrator else "member",
        subject="member" if facts.is_one_member else "organization",
        ends_at=_text(facts.stage_ends_at),
        ends_on=_text(facts.stage_ends_on),
        days_left=facts.days_left,
        zone=facts.zone,
        may=_in_order(banner.allowed),
        may_then=None if banner.allowed_next is None else _in_order(banner.allowed_next),
        may_renew=banner.may_renew,
        erases_at=_text(facts.erases_at),
        language=words.language,
        direction="rtl" if words.direction == "rtl" else "ltr",
        heading=words.heading,
        text=words.text,
        until=words.until,
        advice=words.advice,
        note=words.note,
        links=tuple(BannerLink(label=link.label, href=link.address) for link in words.links),
    )


def _in_order(capabilities: frozenset[Capability]) -> tuple[Capability, ...]:
    return tuple(each for each in Capability if each in capabilities)


def _text(value: Date | Instant | None) -> str | None:
    return None if value is None else value.format_iso()
