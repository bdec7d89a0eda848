"""Keep the filters of organizations that operators have given a name.

Revision: 0025, after 0024.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "saved_view",
        sa.Column("operator", Key, nullable=False),
        sa.Column("name", Key, nullable=False),
        sa.Column("condition", Key, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("operator", "name", name=op.f("pk_saved_view")),
        sa.ForeignKeyConstraint(["operator"], ["operator.id"], name=op.f("fk_saved_view_operator")),
    )
