"""Keep who has declined optional messages, and by which message somebody may.

Revision: 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "optional_message",
        sa.Column("message", Key, nullable=False),
        sa.Column("offboarding", Key, nullable=False),
        sa.Column("step", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
        sa.ForeignKeyConstraint(
            ["offboarding"], ["offboarding.id"], name=op.f("fk_optional_message_offboarding")
        ),
        sa.PrimaryKeyConstraint("message", name=op.f("pk_optional_message")),
    )
    op.create_index(
        op.f("ix_optional_message_offboarding_member"),
        "optional_message",
        ["offboarding", "member"],
    )
    op.create_table(
        "declined",
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
        sa.Column("at", MomentInTime, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization"], ["organization.id"], name=op.f("fk_declined_organization")
        ),
        sa.PrimaryKeyConstraint("organization", "member", name=op.f("pk_declined")),
    )
