"""Count the changes to what decides who may do what, and find the organizations of a member.

Revision: 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the table, where no row means no change, and the index by the ids of members."""
    op.create_table(
        "access_revision",
        sa.Column("organization", Key, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("organization", name=op.f("pk_access_revision")),
    )
    op.create_index("ix_member_id", "member", ["id", "organization"])
