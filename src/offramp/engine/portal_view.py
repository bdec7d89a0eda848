"""What a member sees of themselves, and of their organization where they answer for it.

Everything is worked out by the functions that mail, banners and access are worked out by. What may
be very much is cut off at a limit.

Source: mission A4, A7, B4, B5, B9; docs/portal.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from whenever import Instant

from offramp.core.banner import Banner, Reader, describe, may_request
from offramp.core.errors import Refused
from offramp.core.model import Member, SubjectKind
from offramp.core.plan import PlannedStep
from offramp.core.policy import Action
from offramp.core.seats import SeatCount
from offramp.core.transitions import OffboardingStatus
from offramp.data.handover.members import AchievementReader
from offramp.engine.archive import document_name
from offramp.engine.context import Context
from offramp.engine.entitlement import erasure_of, readers_of
from offramp.engine.handover import Request, is_still_whole
from offramp.engine.overview import Leaving, leaving_of
from offramp.engine.portal_entry import Guest
from offramp.engine.resending import SENT, NothingToResend, ask_for_own
from offramp.engine.situation import announced_timeline_of, planned_of, timeline_of
from offramp.ports import (
    Attachment,
    BannerWords,
    Delivery,
    Offboarding,
    OwnCopy,
    Transaction,
)

LETTERS_MAX = 50


class NothingEarned(Refused):
    """There are no achievements that could be handed over here."""


class LetterKind(StrEnum):
    """What a message brought."""

    ACHIEVEMENTS = "achievements"
    COMPANY_DATA = "company-data"
    OWN_DATA = "own-data"
    DELETED = "deleted"
    WELCOME_BACK = "welcome-back"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message to the reader, and what can be done with it.

    Attributes:
        about: the id of the one member whom it tells of, where that is somebody else.
        size_bytes: of the document that it brought, where that is still there.
        may_ask: whether it can be asked for once more.
    """

    delivery: Delivery
    kind: LetterKind
    about: str | None
    planned: PlannedStep
    size_bytes: int | None
    may_ask: bool

    @property
    def is_own(self) -> bool:
        """Whether all that it brought is the reader's own."""
        return self.about is None and self.kind is not LetterKind.COMPANY_DATA

    @property
    def step(self) -> str:
        """The step that sent it, whichever issue of it this is."""
        return self.planned.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """How the reader stands in one product, or in everything."""

    product: str | None
    banner: Banner
    words: BannerWords


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnView:
    """What a member sees of themselves.

    Attributes:
        is_gone: whether it is deleted for good.
        erases_at: when it is to be, as far as that is planned.
    """

    at: Instant
    standpoints: tuple[Standpoint, ...]
    letters: tuple[Letter, ...]
    copy: OwnCopy | None
    may_request: bool
    is_gone: bool
    erases_at: Instant | None

    @property
    def has_achievements(self) -> bool:
        """Whether they were sent what they earned, so that it can be handed over again."""
        return any(map(_brings_achievements, self.letters))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyCopy:
    """A copy of everything that the organization has, and who asked for it."""

    copy: OwnCopy
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyView:
    """What an administrator sees of the organization; the plan is of it as a whole.

    Attributes:
        may_renew: whether they may bring everything back, or nothing is lost yet.
        documents: that the policy let be sent to them.
        copies: of everything, as administrators asked for them.
        may_request: whether they are given one.
    """

    at: Instant
    seats: tuple[SeatCount, ...]
    leaving: tuple[Leaving, ...]
    may_renew: bool
    words: BannerWords | None
    documents: tuple[Letter, ...]
    copies: tuple[CompanyCopy, ...]
    may_request: bool
    is_gone: bool
    erases_at: Instant | None


def look_at_own(context: Context, guest: Guest) -> OwnView:
    """See what is a member's own."""
    now, organization, member = context.clock.now(), guest.organization, guest.member
    with context.store.reading() as transaction:
        readers = readers_of(transaction, organization, member)
        described = [(reader, describe(reader, now=now)) for reader in readers]
        letters = tuple(_letters(context, transaction, guest, now=now))
        copies = transaction.own_copies(organization.id, member=member.id)
        erases_at = erasure_of(transaction, organization, member, now=now)
    return OwnView(
        at=now,
        standpoints=tuple(
            Standpoint(
                product=reader.product,
                banner=banner,
                words=context.composer.write_banner(
                    banner, member=member, organization=organization
                ),
            )
            for reader, banner in described
            if banner is not None
        ),
        letters=letters,
        copy=next((each for each in copies if each.scope is SubjectKind.MEMBER), None),
        may_request=any(may_request(reader, SubjectKind.MEMBER, now=now) for reader in readers),
        is_gone=bool(readers) and all(_is_gone(reader, now=now) for reader in readers),
        erases_at=erases_at,
    )


def look_at_company(context: Context, guest: Guest) -> CompanyView:
    """See what an administrator looks after."""
    now, organization, member = context.clock.now(), guest.organization, guest.member
    assert guest.office is not None, "the page is for whoever answers for the organization"
    with context.store.reading() as transaction:
        readers = readers_of(transaction, organization, member)
        described = (describe(reader, now=now) for reader in readers)
        banner = next((each for each in described if each is not None), None)
        people = {each.id: each for each in transaction.members(organization.id)}
        copies = transaction.own_copies(organization.id, member=None)
        rows = transaction.whole_offboardings([organization.id])
        return CompanyView(
            at=now,
            seats=guest.office.count_seats(people.values()),
            leaving=tuple(leaving_of(context, transaction, row, now=now) for row in rows),
            may_renew=banner is not None and (banner.may_renew or not banner.lost),
            words=None
            if banner is None
            else context.composer.write_banner(banner, member=member, organization=organization),
            documents=tuple(
                letter
                for letter in _letters(context, transaction, guest, now=now)
                if letter.kind is LetterKind.COMPANY_DATA
            ),
            copies=tuple(
                CompanyCopy(copy=each, member=people[each.member])
                for each in copies
                if each.scope is SubjectKind.ORGANIZATION and each.member in people
            ),
            may_request=any(
                may_request(reader, SubjectKind.ORGANIZATION, now=now) for reader in readers
            ),
            is_gone=bool(readers) and all(_is_gone(reader, now=now) for reader in readers),
            erases_at=erasure_of(transaction, organization, member, now=now),
        )


def find_document(context: Context, guest: Guest, *, offboarding: str, step: str) -> str | None:
    """Name the file of a document that was sent to a member, as long as it is there.

    What is not theirs alone is for whoever still answers for the organization.
    """
    with context.store.reading() as transaction:
        for letter in _letters(context, transaction, guest, now=context.clock.now()):
            sent = letter.delivery
            is_it = (sent.offboarding, sent.step) == (offboarding, step)
            if is_it and letter.size_bytes and (letter.is_own or guest.answers):
                return document_name(offboarding, step)
    return None


def ask_for_letter(context: Context, guest: Guest, *, step: str) -> None:
    """Let a message be sent to a member again, at most once an hour.

    What is not theirs alone is for whoever still answers for the organization.

    Raises:
        NothingToResend: there is none, its use has passed, or it was asked for just now.
    """
    with context.store.reading() as transaction:
        letters = _letters(context, transaction, guest, now=context.clock.now())
        may_ask = any(each.step == step and (each.is_own or guest.answers) for each in letters)
    if not may_ask:
        raise NothingToResend(organization=guest.organization.id)
    ask_for_own(context, guest.organization.id, guest.member.id, step=step)


def achievements_of(context: Context, guest: Guest) -> tuple[Attachment, ...]:
    """Write once more what a member was sent for their achievements.

    Raises:
        NothingEarned: they were sent none, or it is deleted.
    """
    request = Request(organization=guest.organization.id, member=guest.member.id)
    with context.store.reading() as transaction:
        letters = _letters(context, transaction, guest, now=context.clock.now())
        sent = next((each for each in letters if _brings_achievements(each)), None)
    if sent is None or context.data is None or not is_still_whole(context, request):
        raise NothingEarned
    data, who = context.data, guest.member.id
    reader = AchievementReader(data.datamap, data.sources, guest.organization.id)
    files = context.composer.attach_achievements(
        reader.read([who]).get(who, ()),
        member=guest.member,
        organization=guest.organization,
        at=sent.planned.due_at,
    )
    if not files:
        raise NothingEarned
    return files


def _is_gone(reader: Reader, *, now: Instant) -> bool:
    return any(standing.span(now).after_step for standing in reader.standings)


def _brings_achievements(letter: Letter) -> bool:
    return letter.kind is LetterKind.ACHIEVEMENTS and letter.is_own


def _letters(
    context: Context, transaction: Transaction, guest: Guest, *, now: Instant
) -> Iterator[Letter]:
    """Give what was written to a member, the newest off-boarding first."""
    who, where = guest.member.id, guest.organization.id
    planned: dict[str, tuple[Offboarding, dict[str, PlannedStep]]] = {}
    for delivery in transaction.deliveries_to(where, member=who, limit=LETTERS_MAX):
        if delivery.offboarding not in planned:
            row = transaction.offboarding(delivery.offboarding)
            assert row is not None, "what was delivered has an off-boarding"
            rows = {each.key: each for each in transaction.steps(row.id)}
            # Of one that ended because the subject stays, also what was sent before that.
            both = (announced_timeline_of(transaction, row), timeline_of(transaction, row))
            steps = (each for timeline in both for each in planned_of(timeline, rows))
            planned[row.id] = row, {each.key: each for each in steps}
        row, known = planned[delivery.offboarding]
        step = known.get(delivery.step.partition("/")[0])
        if step is not None:
            yield _letter(context, row, step, delivery, who=who, now=now)


def _letter(
    context: Context,
    row: Offboarding,
    planned: PlannedStep,
    delivery: Delivery,
    *,
    who: str,
    now: Instant,
) -> Letter:
    is_document = planned.action is Action.EXPORT
    name = document_name(row.id, delivery.step)
    is_open = row.status is OffboardingStatus.OPEN and delivery.status in SENT
    return Letter(
        delivery=delivery,
        kind=_kind_of(planned, row),
        about=row.subject.member if row.subject.member != who else None,
        planned=planned,
        size_bytes=context.vault.size(name) if is_document else None,
        may_ask=is_open and not planned.is_destructive and not planned.is_useless(now=now),
    )


def _kind_of(planned: PlannedStep, row: Offboarding) -> LetterKind:
    if planned.is_destructive:
        return LetterKind.DELETED
    if planned.is_of_return:
        return LetterKind.WELCOME_BACK
    if planned.action is Action.EXPORT:
        return LetterKind.OWN_DATA if row.subject.member else LetterKind.COMPANY_DATA
    is_earned = planned.step is not None and planned.step.attach is not None
    return LetterKind.ACHIEVEMENTS if is_earned else LetterKind.NOTICE
