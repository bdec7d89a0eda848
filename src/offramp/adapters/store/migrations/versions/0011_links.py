"""Keep the links that messages lead to, with how often they were used.

Revision: 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table of links."""
    op.create_table(
        "link",
        sa.Column("digest", Key, nullable=False),
        sa.Column("offboarding", Key, nullable=False),
        sa.Column("step", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("mailed_at", MomentInTime, nullable=False),
        sa.Column("expires_at", MomentInTime, nullable=False),
        sa.Column("downloads", sa.Integer, nullable=False),
        sa.Column("downloaded_at", MomentInTime),
        sa.Column("revoked_at", MomentInTime),
        sa.ForeignKeyConstraint(
            ["offboarding"], ["offboarding.id"], name=op.f("fk_link_offboarding")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_link")),
    )
    op.create_index(op.f("ix_link_offboarding_member"), "link", ["offboarding", "member"])
