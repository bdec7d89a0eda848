"""Find people by their address, and keep what they ask for until somebody looks at it.

Revision: 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table, and the index by address."""
    op.create_table(
        "request",
        sa.Column("address", Key, nullable=False),
        sa.Column("asked_at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_request")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # So that lower() means the same in every language of a server. SQLite knows no other way.
        op.alter_column("member", "email", type_=Key, existing_nullable=False)
    op.create_index("ix_member_address", "member", [sa.text("lower(email)")])
