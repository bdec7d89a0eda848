"""Keep the history of each delivery, and find a delivery by its message.

Revision: 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table of notes, and the columns beside it."""
    op.create_table(
        "delivery_note",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("offboarding", Key, nullable=False),
        sa.Column("step", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
        sa.Column("channel", Key, nullable=False),
        sa.Column("at", MomentInTime, nullable=False),
        sa.Column("status", Key, nullable=False),
        sa.Column("reason", sa.Text),
        sa.ForeignKeyConstraint(
            ["offboarding"],
            ["offboarding.id"],
            name=op.f("fk_delivery_note_offboarding_offboarding"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_delivery_note")),
    )
    op.create_index(op.f("ix_delivery_note_offboarding"), "delivery_note", ["offboarding"])
    op.add_column("delivery", sa.Column("round", sa.Integer, nullable=False, server_default="1"))
    op.add_column("delivery", sa.Column("message", Key))
    op.create_index(op.f("ix_delivery_message"), "delivery", ["message"])
