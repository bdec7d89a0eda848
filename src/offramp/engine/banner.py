"""What a page of the product shows one member right now, decided by the core and put into words.

Source: mission B7, B10; docs/banner.md.
"""

from dataclasses import dataclass

from offramp.core.banner import Showing, show_banner
from offramp.core.policy import ANY
from offramp.engine.access import reader_of
from offramp.engine.context import Context
from offramp.engine.situation import require_member, require_organization
from offramp.ports import BannerWords


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one member sees; there are words where there is a banner."""

    showing: Showing
    words: BannerWords | None


def banner_of(
    context: Context,
    organization: str,
    member: str,
    *,
    surface: str = ANY,
    product: str | None = None,
    locale: str = "",
) -> Seen:
    """Say what a page shows a member right now; a locale is that of the page (B7).

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to show anything.
    """
    with context.store.transaction() as transaction:
        found = require_organization(transaction, organization)
        person = require_member(transaction, organization, member)
        reader = reader_of(transaction, found, person, surface=surface, product=product)
    showing = show_banner(reader, now=context.clock.now())
    if showing.banner is None:
        return Seen(showing=showing, words=None)
    words = context.composer.write_banner(
        showing.banner, member=person, organization=found, locale=locale
    )
    return Seen(showing=showing, words=words)
