"""Keep acts on many organizations and what became of each, and who published a policy and why.

Revision: 0027, after 0026.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import BoundaryText, Key, MomentInTime

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Create both tables and add the columns; of what was published before, nobody said why."""
    op.add_column("policy", sa.Column("published_by", Key))
    op.add_column("policy", sa.Column("reason", sa.Text))
    op.create_table(
        "bulk_act",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", Key, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", BoundaryText),
        sa.Column("days", sa.Integer),
        sa.Column("held_for", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("owner_id", Key, nullable=False),
        sa.Column("asked_at", MomentInTime, nullable=False),
        sa.Column("expires_at", MomentInTime, nullable=False),
        sa.Column("organizations", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("approver", sa.Text),
        sa.Column("approver_id", Key),
        sa.Column("approved_at", MomentInTime),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_act")),
    )
    op.create_index(op.f("ix_bulk_act_asked_at"), "bulk_act", ["asked_at"])
    op.create_table(
        "bulk_target",
        sa.Column("act", Key, nullable=False),
        sa.Column("organization", Key, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("status", Key, nullable=False),
        sa.Column("settled_at", MomentInTime),
        sa.PrimaryKeyConstraint("act", "organization", name=op.f("pk_bulk_target")),
        sa.ForeignKeyConstraint(["act"], ["bulk_act.id"], name=op.f("fk_bulk_target_bulk_act")),
    )
    op.create_index(op.f("ix_bulk_target_organization"), "bulk_target", ["organization"])
    waiting = sa.text("status = 'waiting'")
    op.create_index(
        "ix_bulk_target_waiting",
        "bulk_target",
        ["act", "organization"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
