"""What a template may speak of: a closed list, with the meaning of each word.

Everything that a template is given is named here, and nothing else; `check.py` refuses a template
that names anything else when it is loaded. docs/messages.md shows this list to vendors.

Source: policy language N1 (facts are computed); mission B10.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WORDS: Mapping[str, str] = {
    "facts.notice": "The name of the notice.",
    "facts.issue": "Which hand-over this is; above 1 the same was sent before.",
    "facts.product": "The product that ends, where only one does.",
    "facts.is_one_member": "Whether one member alone leaves, and not the organization.",
    "facts.stage": "The stage in force, by its name in the policy.",
    "facts.stage_title": "The same for people; `| translated` looks it up in the catalogs.",
    "facts.stage_ends_on": "The last day of that stage.",
    "facts.stage_ends_at": "The instant at which it ends.",
    "facts.days_left": "The days on which it still holds, today included.",
    "facts.access_ends_on": "The last day of full access.",
    "facts.access_ends_at": "The instant at which full access ends.",
    "facts.exports_on": "The day on which the data is handed over, while that is to come.",
    "facts.erases_on": "The day of the deletion, or the first on which it may happen.",
    "facts.erases_no_later_than": "The last day on which it may happen.",
    "facts.is_window": "Whether it may happen on one of several days.",
    "facts.zone": "The time zone of all these days: the reader's.",
    "facts.agreement": "The link to the service agreement.",
    "facts.information": "The link to further information.",
    "facts.support": "The link to support, or its mail address as a link.",
    "member.name": "The reader's name; may be empty.",
    "member.email": "The reader's address.",
    "about.name": "Where one member alone leaves and somebody else is told: the member's name.",
    "about.id": "That member's id.",
    "organization.id": "The organization's id.",
    "organization.name": "The organization's name; its id where it has none.",
    "place": "What access is to: the product and the organization, as a reader would call it.",
    "zone": "The reader's time zone where it is not the organization's.",
    "attachments": "The files that come with the message.",
    "attachments.name": "The name of one of them.",
    "attachments.size_bytes": "Its size; `| size` writes it.",
    "download": "The file that is too large to come along, and that the message leads to; or none.",
    "download.address": "The link to it: its reader's own, and secret.",
    "download.name": "Its name.",
    "download.size_bytes": "Its size; `| size` writes it.",
    "download.until_on": "The last day on which the reader can be sure of it.",
    "entrance": "Where the reader signs in to the portal; none in every other message.",
    "entrance.address": "The link to it: it works once.",
    "entrance.minutes": "For so many minutes.",
    "answer": "What support says to the reader; none in every other message.",
    "brand.name": "The vendor's name; may be empty.",
    "brand.logo_address": "Where the HTML finds the logo.",
    "brand.portal": "Where the reader sees and fetches what is theirs; none without the portal.",
    "brand.color": "The vendor's color.",
    "brand.on_color": "Black or white, whichever is read better on it.",
    "brand.dark_color": "The vendor's color in the dark.",
    "brand.on_dark_color": "Black or white, whichever is read better on that.",
    "frame": "The template to extend: subject line, text, HTML, or the frame of a banner.",
    "language": "The language of the message, as HTML names it.",
    "direction": "`ltr` or `rtl`.",
    "start": "The side on which a line begins: `left` or `right`.",
    "end": "The other side.",
}

BANNER_WORDS: Mapping[str, str] = {
    "banner.is_for_administrator": "Whether the reader administers the organization.",
    "banner.allowed": "What the reader may do now: `sign-in`, `read`, `create`, and so on.",
    "banner.lost": "What of it the reader could do before leaving began, and cannot now.",
    "banner.allowed_next": "What the reader may do once the stage is over, if it has an end.",
    "banner.opened_until": "The instant until which support has opened everything, if it has.",
    "banner.may_renew": "Whether the reader may bring everything back.",
    "banner.returns_by": "Who may: `admin`, `owner`, `support`.",
    "banner.returns_whole": "Whether everything comes back as it was.",
    "banner.may_request": "Whether the reader is given a download on request.",
}
"""What a banner may speak of beside all that."""

PHRASE_WORDS: Mapping[str, str] = {
    "title": "What was earned.",
    "name": "Whose achievements they are.",
    "holder": "The name that it was earned under.",
    "day": "When it was earned: a day, or what the vendor wrote.",
    "issued_on": "The day on which the paper was issued.",
    "organization": "The organization's name.",
    "vendor": "The vendor's name.",
    "file": "The name of the signed file inside of the paper.",
}
"""All that the phrases on diplomas may speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member, as far as a message needs one."""

    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """An organization, as far as a message needs one."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An attachment, as far as a message speaks of it."""

    name: str
    size_bytes: int
