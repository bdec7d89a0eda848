"""Keep what people ask for of their own data, until it is over.

Revision: 0020, after 0019.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "own_copy",
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("digest", Key, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("asked_at", MomentInTime, nullable=False),
        sa.Column("due_at", MomentInTime),
        sa.Column("claim", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("written_at", MomentInTime),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("mailed_at", MomentInTime),
        sa.Column("expires_at", MomentInTime),
        sa.Column("downloads", sa.Integer, nullable=False),
        sa.Column("downloaded_at", MomentInTime),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("organization", "member", name=op.f("pk_own_copy")),
    )
    op.create_index(op.f("ix_own_copy_digest"), "own_copy", ["digest"])
    op.create_index(op.f("ix_own_copy_due_at"), "own_copy", ["due_at"])
