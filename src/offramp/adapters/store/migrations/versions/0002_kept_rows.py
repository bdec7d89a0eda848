"""Note what an erasure kept, why, and until when.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of kept rows."""
    op.create_table(
        "kept",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("offboarding", Key, nullable=False),
        sa.Column("table", Key, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
        sa.Column("counted_from", sa.Text),
        sa.Column("ends_at", MomentInTime),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_kept")),
        sa.ForeignKeyConstraint(
            ["offboarding"], ["offboarding.id"], name=op.f("fk_kept_offboarding")
        ),
    )
    op.create_index(op.f("ix_kept_offboarding_ends_at"), "kept", ["offboarding", "ends_at"])
