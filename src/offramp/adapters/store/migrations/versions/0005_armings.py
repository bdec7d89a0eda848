"""Note when deletions are to begin, what two people armed, and how late it was.

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table of armings, and the columns beside it."""
    op.create_table(
        "arming",
        sa.Column("id", Key, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked_at", MomentInTime, nullable=False),
        sa.Column("expires_at", MomentInTime, nullable=False),
        sa.Column("until", MomentInTime, nullable=False),
        sa.Column("organizations", sa.Integer, nullable=False),
        sa.Column("offboardings", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("approver", sa.Text),
        sa.Column("approved_at", MomentInTime),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arming")),
    )
    op.add_column("offboarding", sa.Column("erases_at", MomentInTime))
    op.add_column("offboarding", sa.Column("armed", Key))
    op.create_index(op.f("ix_offboarding_erases_at"), "offboarding", ["erases_at"])
    op.add_column("setting", sa.Column("seen_at", MomentInTime))
