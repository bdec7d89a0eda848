"""Know what a billing system says of subscriptions.

Revision: 0023, after 0022.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "subscription",
        sa.Column("id", Key, nullable=False),
        sa.Column("organization", Key),
        sa.Column("pool", Key),
        sa.Column("is_assigned", sa.Boolean, nullable=False),
        sa.Column("event", Key),
        sa.Column("at", MomentInTime),
        sa.Column("is_over", sa.Boolean, nullable=False),
        sa.Column("ends_at", MomentInTime),
        sa.Column("problem", Key),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    op.create_index(op.f("ix_subscription_problem"), "subscription", ["problem"])
    op.create_index(
        op.f("ix_subscription_organization_pool"), "subscription", ["organization", "pool"]
    )
