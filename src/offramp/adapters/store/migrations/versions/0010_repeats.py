"""Count how often a message was handed over that may have been taken before.

Revision: 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the count; of what was sent before nobody knows it."""
    repeats = sa.Column("repeats", sa.Integer, nullable=False, server_default="0")
    op.add_column("delivery", repeats)
