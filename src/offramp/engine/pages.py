"""Everything that there may be very much of, a page at a time: people, off-boardings, messages.

A page begins past the last one of the page before, so that nothing is counted off and nothing is
left out by what comes or goes in between.

Source: docs/http.md; mission A4, A7.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from offramp.core.errors import Missing
from offramp.core.ledger import Entry
from offramp.core.model import Member
from offramp.engine.archive import proof_name
from offramp.engine.context import Context
from offramp.engine.correspondence import Written
from offramp.engine.overview import Leaving, leaving_of
from offramp.engine.situation import require_organization
from offramp.ports import Offboarding, OffboardingUnknown, Transaction

PAGE_ROWS_MAX = 200

_Row = TypeVar("_Row")


class CertificateMissing(Missing):
    """There is no certificate of the off-boarding {offboarding} (yet)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[_Row]):
    """Some rows, and whether there are more past the last one."""

    rows: tuple[_Row, ...]
    has_more: bool


def page_of(found: tuple[_Row, ...], limit: int) -> Page[_Row]:
    """Make a page of what was found, which is one more than it holds where there is more."""
    return Page(rows=found[:limit], has_more=len(found) > limit)


def list_members(context: Context, organization: str, *, after: str, limit: int) -> Page[Member]:
    """List the members of an organization by id.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    with context.store.reading() as transaction:
        require_organization(transaction, organization)
        return page_of(transaction.members_from(organization, after=after, limit=limit + 1), limit)


def list_offboardings(
    context: Context, organization: str, *, after: str | None, limit: int
) -> Page[Offboarding]:
    """List every episode of an organization and its members, those of the erased as well.

    Raises:
        OffboardingUnknown: ``after`` is none of them.
        OrganizationUnknown: nobody was ever known by this id.
    """
    with context.store.reading() as transaction:
        last = None if after is None else require_offboarding(transaction, organization, after)
        found = transaction.offboardings_from(organization, after=last, limit=limit + 1)
        if not found and last is None:
            require_organization(transaction, organization)
        return page_of(found, limit)


def look_at_offboarding(context: Context, organization: str, offboarding: str) -> Leaving:
    """See how one off-boarding stands, with every step.

    Raises:
        OffboardingUnknown, OrganizationErased: there is nothing to see (any more).
    """
    with context.store.reading() as transaction:
        row = require_offboarding(transaction, organization, offboarding)
        require_organization(transaction, organization)
        return leaving_of(context, transaction, row, now=context.clock.now())


def list_deliveries(
    context: Context,
    organization: str,
    offboarding: str,
    *,
    after: tuple[str, str],
    limit: int,
) -> Page[Written]:
    """List what one off-boarding wrote to whom, by step and member, with its history.

    Raises:
        OffboardingUnknown: it is none of the organization's.
    """
    with context.store.reading() as transaction:
        require_offboarding(transaction, organization, offboarding)
        found = transaction.deliveries_from(offboarding, after=after, limit=limit + 1)
        page = page_of(found, limit)
        notes = transaction.notes_on(page.rows)
    written = tuple(
        Written(
            delivery=each,
            notes=tuple(n for n in notes if (n.step, n.member) == (each.step, each.member)),
        )
        for each in page.rows
    )
    return Page(rows=written, has_more=page.has_more)


def list_entries(context: Context, *, after: int, limit: int) -> Page[Entry]:
    """List what the ledger says, in its order."""
    with context.store.reading() as transaction:
        return page_of(transaction.ledger(after=after, limit=limit + 1), limit)


def certificate_of(context: Context, organization: str, offboarding: str) -> bytes:
    """Give the certificate of a deletion, byte for byte as it was signed.

    Raises:
        OffboardingUnknown, CertificateMissing: there is none.
    """
    with context.store.reading() as transaction:
        require_offboarding(transaction, organization, offboarding)
    name = proof_name(offboarding, "certificate")
    if context.vault.size(name) is None:
        raise CertificateMissing(offboarding=offboarding)
    with context.vault.read(name) as source:
        return source.read()


def require_offboarding(
    transaction: Transaction, organization: str, offboarding: str
) -> Offboarding:
    """Find an off-boarding of an organization or of one of its members.

    Raises:
        OffboardingUnknown: there is none, or it is of another organization.
    """
    found = transaction.offboarding(offboarding)
    if found is None or found.subject.organization != organization:
        raise OffboardingUnknown(offboarding=offboarding)
    return found
