"""Count the changes to what decides who may do what, and keep who shut somebody out and why.

Revision: 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime, OptionalKey

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the tables, where no row means no change, and the index by the ids of members."""
    op.create_table(
        "access_revision",
        sa.Column("organization", Key, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("organization", name=op.f("pk_access_revision")),
    )
    op.create_table(
        "block_note",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", OptionalKey, nullable=False),
        sa.Column("is_blocked", sa.Boolean, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_block_note")),
    )
    op.create_index(op.f("ix_block_note_organization"), "block_note", ["organization"])
    op.create_index("ix_member_id", "member", ["id", "organization"])
