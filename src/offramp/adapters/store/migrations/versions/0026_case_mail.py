"""Keep which letter a note of a case came by, and which notes are still to be mailed.

Revision: 0026, after 0025.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add the columns; what was said before is not mailed."""
    op.add_column("case_note", sa.Column("letter", Key))
    op.add_column("case_note", sa.Column("mail_at", MomentInTime))
    attempts = sa.Column("mail_attempts", sa.Integer, nullable=False, server_default="0")
    op.add_column("case_note", attempts)
    op.create_index(op.f("ix_case_note_letter"), "case_note", ["letter"], unique=True)
    op.create_index(op.f("ix_case_note_mail_at"), "case_note", ["mail_at"])
