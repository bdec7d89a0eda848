"""Leave room beside each off-boarding, so that a claim is written next to it and into no index.

Revision: 0007, after 0006.
"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Fill the pages of PostgreSQL to seven tenths; SQLite writes in place anyway."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE offboarding SET (fillfactor = 70)")
