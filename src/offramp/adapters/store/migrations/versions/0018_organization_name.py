"""Find organizations by what their name begins with, and list them by it.

Revision: 0018, after 0017.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the index."""
    if op.get_bind().dialect.name == "postgresql":
        # So that the order is the same in every language of a server. SQLite knows no other.
        op.alter_column("organization", "name", type_=Key, existing_nullable=False)
    there = sa.text("erased_at IS NULL")
    op.create_index(
        "ix_organization_name",
        "organization",
        [sa.text("lower(name)"), "id"],
        sqlite_where=there,
        postgresql_where=there,
    )
