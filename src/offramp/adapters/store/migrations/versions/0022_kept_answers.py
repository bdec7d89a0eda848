"""Carry a request out once that comes twice, and find the history of single messages.

Revision: 0022, after 0021.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Create the table, and an index in place of a narrower one."""
    op.create_table(
        "kept_answer",
        sa.Column("request", Key, nullable=False),
        sa.Column("fingerprint", Key, nullable=False),
        sa.Column("begun_at", MomentInTime, nullable=False),
        sa.Column("expires_at", MomentInTime, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("answer", sa.LargeBinary),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_kept_answer")),
    )
    op.create_index(op.f("ix_kept_answer_expires_at"), "kept_answer", ["expires_at"])
    op.drop_index("ix_delivery_note_offboarding", "delivery_note")
    op.create_index(
        op.f("ix_delivery_note_offboarding_step_member"),
        "delivery_note",
        ["offboarding", "step", "member"],
    )
