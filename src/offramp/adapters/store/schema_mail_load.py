"""The indexes by which the mail that is still to be sent is counted; all other mail is in neither.

Source: ``ports.MailLoad``.
"""

from sqlalchemy import Index, text

from offramp.adapters.store import schema

_UNDER_WAY = text("status IN ('queued', 'failed', 'sending')")
_LOST = text("status IN ('refused', 'bounced')")

under_way = Index(
    "ix_delivery_under_way",
    schema.delivery.c.status,
    sqlite_where=_UNDER_WAY,
    postgresql_where=_UNDER_WAY,
)
lost = Index(
    "ix_delivery_note_lost",
    schema.delivery_note.c.at,
    sqlite_where=_LOST,
    postgresql_where=_LOST,
)
