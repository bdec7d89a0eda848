"""Count who is leaving by each version of a policy, however many there are.

Revision: 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Create the index."""
    goes_on = sa.text("status IN ('open', 'stopped')")
    op.create_index(
        "ix_offboarding_policy",
        "offboarding",
        ["policy", "policy_version", "status"],
        sqlite_where=goes_on,
        postgresql_where=goes_on,
    )
