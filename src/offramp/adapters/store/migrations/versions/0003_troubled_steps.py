"""Find the few steps that are in trouble among the many that are done.

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Index the steps that are in trouble."""
    troubled = sa.text("status IN ('failed', 'held', 'abandoned')")
    op.create_index(
        "ix_step_troubled",
        "step",
        ["status"],
        sqlite_where=troubled,
        postgresql_where=troubled,
    )
