"""Know the keys that programs show.

Revision: 0021, after 0020.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import BoundaryText, Key, MomentInTime

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "api_key",
        sa.Column("name", Key, nullable=False),
        sa.Column("digest", Key, nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("role", Key, nullable=False),
        sa.Column("organization", Key),
        sa.Column("made_at", MomentInTime, nullable=False),
        sa.Column("expires_at", MomentInTime),
        sa.Column("used_on", BoundaryText),
        sa.Column("revoked_at", MomentInTime),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    op.create_index(op.f("ix_api_key_organization"), "api_key", ["organization"])
