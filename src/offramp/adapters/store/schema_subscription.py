"""The table of what a billing system says.

Source: ``ports.Subscriptions``; docs/billing.md.
"""

from sqlalchemy import JSON, Boolean, Column, Index, PrimaryKeyConstraint, Table

from offramp.adapters.store import schema
from offramp.adapters.store.column_type import Key, MomentInTime

subscription = Table(
    "subscription",
    schema.metadata,
    Column("id", Key, nullable=False),
    Column("organization", Key),
    Column("pool", Key),
    Column("is_assigned", Boolean, nullable=False),
    Column("event", Key),  # none: nothing was said of it yet
    Column("at", MomentInTime),
    Column("is_over", Boolean, nullable=False),
    Column("ends_at", MomentInTime),
    Column("paid_at", MomentInTime),
    Column("debts", JSON),  # none: nothing was said of any yet
    Column("problem", Key),
    PrimaryKeyConstraint("id"),
    Index(None, "organization", "pool"),
    Index(None, "problem"),
)
