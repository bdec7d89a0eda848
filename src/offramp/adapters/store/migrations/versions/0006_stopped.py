"""Find the few off-boardings that were stopped among all that ever were.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Index the off-boardings that were stopped."""
    stopped = sa.text("status = 'stopped'")
    op.create_index(
        "ix_offboarding_stopped",
        "offboarding",
        ["status"],
        sqlite_where=stopped,
        postgresql_where=stopped,
    )
