"""What was written to whom, and what became of it: the answer to "it never came" (A4).

Source: mission A4 and "nobody can say why".
"""

from dataclasses import dataclass

from offramp.engine.context import Context
from offramp.engine.resending import LOST
from offramp.engine.situation import require_known
from offramp.ports import Delivery, DeliveryNote


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One message to one person, as it stands and as it came to stand so, oldest first."""

    delivery: Delivery
    notes: tuple[DeliveryNote, ...]


def history(
    context: Context,
    organization: str,
    *,
    member: str | None = None,
    step: str | None = None,
    is_lost: bool = False,
) -> tuple[Written, ...]:
    """List what was written to the people of an organization, or what of it was lost.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to ask about.
    """
    with context.store.transaction() as transaction:
        require_known(transaction, organization, member=member)
        found = []
        for row in transaction.offboardings(organization):
            notes: dict[tuple[str, str], list[DeliveryNote]] = {}
            for note in transaction.delivery_notes(row.id):
                notes.setdefault((note.step, note.member), []).append(note)
            found += [
                Written(delivery=each, notes=tuple(notes.get((each.step, each.member), ())))
                for each in transaction.deliveries(row.id)
                if member in (None, each.member)
                and step in (None, each.step)
                and (each.status in LOST or not is_lost)
            ]
        return tuple(found)
