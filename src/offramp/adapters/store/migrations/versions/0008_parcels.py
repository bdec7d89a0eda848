"""Bring the events of the outbox to the endpoints that want them.

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the parcels and the endpoints that are disabled, and find what is new."""
    op.create_table(
        "endpoint",
        sa.Column("name", Key, nullable=False),
        sa.Column("disabled_at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_endpoint")),
    )
    op.create_table(
        "parcel",
        sa.Column("endpoint", Key, nullable=False),
        sa.Column("event", Key, nullable=False),
        sa.Column("status", Key, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", MomentInTime, nullable=False),
        sa.Column("claim", sa.Integer, nullable=False),
        sa.Column("lease_until", MomentInTime),
        sa.Column("reason", sa.Text),
        sa.Column("delivered_at", MomentInTime),
        sa.PrimaryKeyConstraint("event", "endpoint", name=op.f("pk_parcel")),
        sa.ForeignKeyConstraint(["event"], ["outbox.id"], name=op.f("fk_parcel_outbox")),
    )
    _index("ix_parcel_waiting", "parcel", ["endpoint", "next_try_at", "event"], "waiting")
    _index("ix_parcel_failed", "parcel", ["endpoint"], "failed")
    new = sa.text("sent_at IS NULL")
    op.create_index(
        "ix_outbox_new", "outbox", ["at", "number"], sqlite_where=new, postgresql_where=new
    )


def _index(name: str, table: str, columns: list[str], status: str) -> None:
    those = sa.text(f"status = '{status}'")
    op.create_index(name, table, columns, sqlite_where=those, postgresql_where=those)
