"""Keep which copies are of a whole organization, and which notes of a case are for operators alone.

Revision: 0029, after 0028.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add both; the copies there are so far are of one member, and what was said was for them."""
    with op.batch_alter_table("own_copy") as table:
        table.add_column(sa.Column("scope", Key, nullable=False, server_default="member"))
        table.drop_constraint(op.f("pk_own_copy"), type_="primary")
        table.create_primary_key(op.f("pk_own_copy"), ["organization", "member", "scope"])
    private = sa.Column("is_private", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("case_note", private)
