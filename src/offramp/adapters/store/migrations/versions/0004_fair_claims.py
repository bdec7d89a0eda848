"""Find who is due on a date without meeting everybody of one organization.

Revision: 0004, after 0003.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Put the organization into the index of the schedule."""
    op.drop_index("ix_offboarding_next_due_at", "offboarding")
    op.create_index(
        "ix_offboarding_next_due_at_organization_id",
        "offboarding",
        ["next_due_at", "organization", "id"],
    )
