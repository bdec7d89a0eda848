"""How a member gets into the portal, stays in, and gets out: by a link in a mail, and nothing else.

Asking notes the address and looks for nobody, so that it takes the same time whoever asks. A worker
looks whose it is, and sends one link to the address that the roster has. It works once, and is
spent by a button, because programs look at the links in a mail before its reader does. What the
store has of a link or a session tells no address; whoever's address changes is signed out.

Source: docs/portal.md; docs/decisions/036-portal.md; OWASP ASVS 5.0, chapters 6 and 7.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from whenever import Instant

from offramp.core.errors import Missing, OfframpError, Unavailable, Uncertain
from offramp.core.link import Entrance
from offramp.core.model import Member, Organization
from offramp.core.notice import state_nothing
from offramp.engine.context import Context
from offramp.engine.office import Office, office_of_member
from offramp.engine.operators import new_secret
from offramp.engine.request import note_request
from offramp.engine.situation import require_policy
from offramp.ports import (
    MailerUnavailable,
    PortalLink,
    PortalSession,
    RequestKind,
    Transaction,
    fold_address,
)

PATH = "portal"  # below the public address
NOTICE = "sign-in"
LINK_MINUTES = 15
LINKS_MAX = 5  # for one person within an hour
COUNTED_MINUTES = 60
IDLE_MINUTES = 30
SESSION_HOURS = 8
SEEN_SECONDS = 60  # a session that was used so lately is not written to again
ANSWERED_MAX = 100  # in one round


class EntranceDead(Missing):
    """This link leads nowhere, or not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A member in one browser; the token proves that a form was written for that browser.

    Attributes:
        places: every organization and member that has the same address.
        office: what they look after, where they answer for the organization.
    """

    organization: Organization
    member: Member
    digest: str
    token: str
    places: tuple[tuple[Organization, Member], ...]
    office: Office | None

    @property
    def answers(self) -> bool:
        """Whether they answer for the organization, so that its affairs are shown to them."""
        return self.office is not None


def ask_for_entrance(context: Context, address: str) -> None:
    """Remember that somebody at an address wants to get in."""
    note_request(context, address, kind=RequestKind.SIGN_IN)


def send_entrances(context: Context) -> int:
    """Send a link to everybody who asked and is known, and forget that they did.

    Returns:
        How many addresses there were.

    Raises:
        MailerUnavailable: some are left for the next round.
    """
    with context.store.reading() as transaction:
        addresses = transaction.requests(kind=RequestKind.SIGN_IN, limit=ANSWERED_MAX)
    if not addresses:
        return 0
    now, left = context.clock.now(), 0
    with context.store.transaction() as transaction:
        transaction.tidy_portal(at=now, made_before=now.subtract(minutes=COUNTED_MINUTES))
    with context.mailer.session():
        for address in addresses:
            left += not _answer(context, address)
    if left:
        raise MailerUnavailable(reason="some links could not be sent")
    return len(addresses)


def look_at_entrance(context: Context, secret: str) -> None:
    """See whether a link opens anything; looking uses nothing up.

    Raises:
        EntranceDead: nothing.
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        link = transaction.portal_link(_digest(secret))
        if link is None or link.spent_at is not None:
            raise EntranceDead
        _require(transaction, link, secret, now=now)


def enter(context: Context, secret: str) -> str:
    """Use a link up: open a session for its member, and give the session's secret.

    Raises:
        EntranceDead: it leads nowhere, or somebody else was faster.
    """
    now, opened = context.clock.now(), new_secret(context)
    with context.store.transaction() as transaction:
        link = transaction.spend_portal_link(_digest(secret), at=now)
        if link is None:
            raise EntranceDead
        member = _require(transaction, link, secret, now=now)
        session = PortalSession(
            digest=_digest(opened),
            proof=_proof(opened, member.email),
            organization=link.organization,
            member=link.member,
            opened_at=now,
            seen_at=now,
            idle_ends_at=now.add(minutes=IDLE_MINUTES),
            ends_at=now.add(hours=SESSION_HOURS),
        )
        if not transaction.open_portal_session(session):
            raise EntranceDead
    return opened


def find_guest(context: Context, secret: str) -> Guest | None:
    """Say who is signed in by the secret of a session, and note that it was used."""
    now, digest = context.clock.now(), _digest(secret)
    with context.store.reading() as transaction:
        session = transaction.portal_session(digest)
        if session is None or not session.is_alive(now):
            return None
        organization = transaction.organization(session.organization)
        member = transaction.member(session.organization, session.member)
        if organization is None or member is None:
            return None
        if not hmac.compare_digest(session.proof, _proof(secret, member.email)):
            return None
        places = _places(transaction, member.email)
        office = office_of_member(transaction, organization, member, now=now)
    if now >= session.seen_at.add(seconds=SEEN_SECONDS):
        with context.store.transaction() as transaction:
            idle_ends_at = now.add(minutes=IDLE_MINUTES)
            transaction.see_portal_session(digest, at=now, idle_ends_at=idle_ends_at)
    token = hmac.digest(secret.encode(), b"form", "sha256").hex()
    return Guest(
        organization=organization,
        member=member,
        digest=digest,
        token=token,
        places=places,
        office=office,
    )


def go_to(context: Context, guest: Guest, organization: str, member: str) -> bool:
    """Look at another organization in which somebody has the same address; false where none is."""
    keys = {(where.id, person.id) for where, person in guest.places}
    if (organization, member) not in keys:
        return False
    with context.store.transaction() as transaction:
        return transaction.move_portal_session(
            guest.digest, organization=organization, member=member
        )


def leave(context: Context, guest: Guest) -> None:
    """Close the session."""
    with context.store.transaction() as transaction:
        transaction.end_portal_session(guest.digest)


def _answer(context: Context, address: str) -> bool:
    """Send a link to whoever is known at one address; false where it has to be tried again.

    Whoever dies here leaves the request to the next one, who sends another link.
    """
    is_over = True
    try:
        reader = _reader_at(context, address)
        if reader is not None:
            _send(context, *reader)
    except (Unavailable, Uncertain):
        is_over = False
    except OfframpError:
        pass  # it can never be sent, and nobody is told so
    if is_over:
        with context.store.transaction() as transaction:
            transaction.drop_request(address, kind=RequestKind.SIGN_IN)
    return is_over


def _reader_at(context: Context, address: str) -> tuple[Organization, Member] | None:
    """Choose whom to write to of those who have an address, unless it was often enough lately."""
    since = context.clock.now().subtract(minutes=COUNTED_MINUTES)
    with context.store.reading() as transaction:
        places = _places(transaction, address)
        made = sum(
            transaction.portal_links_made(where.id, member=person.id, since=since)
            for where, person in places
        )
        if made >= LINKS_MAX:
            return None
        reachable = (
            (where, person)
            for where, person in places
            if not transaction.is_unreachable(where.id, member=person.id)
        )
        return next(reachable, None)


def _send(context: Context, organization: Organization, member: Member) -> None:
    """Note a link, and mail it; one that was surely not sent does not count."""
    if context.public_address is None:
        return  # it would lead nowhere
    now, secret = context.clock.now(), new_secret(context)
    link = PortalLink(
        digest=_digest(secret),
        proof=_proof(secret, member.email),
        organization=organization.id,
        member=member.id,
        made_at=now,
        expires_at=now.add(minutes=LINK_MINUTES),
    )
    with context.store.transaction() as transaction:
        if not transaction.put_portal_link(link):
            return
        links = require_policy(transaction, organization.policy).links
    context.probe("entrance noted")
    message = context.composer.compose(
        state_nothing(NOTICE, zone=organization.zone, links=links, now=now),
        message_id=sha256(link.digest.encode()).hexdigest()[:32],
        member=member,
        organization=organization,
        entrance=Entrance(
            address=f"{context.public_address}/{PATH}/enter/{secret}", minutes=LINK_MINUTES
        ),
    )
    try:
        context.mailer.send(message, at=now)
    except Unavailable:
        with context.store.transaction() as transaction:
            transaction.drop_portal_link(link.digest)
        raise


def _places(transaction: Transaction, address: str) -> tuple[tuple[Organization, Member], ...]:
    """Give every organization and member that has an address, by their ids."""
    found = (
        (transaction.organization(organization), transaction.member(organization, member))
        for organization, member in transaction.readers_at(address)
    )
    return tuple((where, person) for where, person in found if where and person)


def _require(transaction: Transaction, link: PortalLink, secret: str, *, now: Instant) -> Member:
    """Find whom a link lets in, if it still does, and they still have the address it was sent to.

    Raises:
        EntranceDead: it does not.
    """
    member = transaction.member(link.organization, link.member)
    if member is None or now >= link.expires_at:
        raise EntranceDead
    if not hmac.compare_digest(link.proof, _proof(secret, member.email)):
        raise EntranceDead
    return member


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()


def _proof(secret: str, address: str) -> str:
    """Give what an address and a secret make together, and tells neither."""
    shown = fold_address(address).encode()
    return hmac.digest(secret.encode(errors="replace"), b"address\x00" + shown, "sha256").hex()
