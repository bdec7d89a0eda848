"""Shutting somebody out at once, whatever their stage, and letting them in again.

Who did so, when and why is kept, for whoever asks later why somebody could not get in.

Source: mission, "nobody can say why"; core/access.py, which lets a block have the last word.
"""

from collections.abc import Iterable

from whenever import Instant

from offramp.core.errors import Refused
from offramp.core.ledger import Event
from offramp.core.model import BlockNote
from offramp.engine.context import Context
from offramp.engine.situation import require_known

BLOCKED, UNBLOCKED = "access-blocked", "access-unblocked"


class BlockUnchanged(Refused):
    """There is nothing to change: {subject} {state}."""


def set_block(
    context: Context,
    organization: str,
    *,
    member: str | None,
    is_blocked: bool,
    owner: str,
    reason: str,
) -> BlockNote:
    """Shut an organization or one member of it out, or let them in again.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody.
        BlockUnchanged: they are shut out already, or are not.
    """
    note = BlockNote(
        organization=organization,
        member=member,
        is_blocked=is_blocked,
        owner=owner,
        reason=reason,
        at=context.clock.now(),
    )
    with context.store.transaction() as transaction:
        require_known(transaction, organization, member=member)
        if transaction.is_blocked(organization, member=member) is is_blocked:
            state = "is shut out already" if is_blocked else "is not shut out"
            raise BlockUnchanged(subject=member or organization, state=state)
        transaction.note_block(note)
        detail = {"is_whole_organization": member is None}
        kind = BLOCKED if is_blocked else UNBLOCKED
        transaction.append(
            [Event(kind=kind, at=note.at, actor=context.actor_or("operator"), detail=detail)]
        )
    return note


def was_blocked(notes: Iterable[BlockNote], member: str, *, at: Instant) -> bool | None:
    """Say whether a member was shut out at an instant; none where nobody wrote it down."""
    answers = {
        _stood([each for each in notes if each.member == who], at=at) for who in (None, member)
    }
    if True in answers:
        return True
    return None if None in answers else False


def _stood(notes: list[BlockNote], *, at: Instant) -> bool | None:
    """Read one subject's notes: what the last one says, or the opposite of the first to come."""
    before = [each for each in notes if each.at <= at]
    if before:
        return before[-1].is_blocked
    return not notes[0].is_blocked if notes else None
