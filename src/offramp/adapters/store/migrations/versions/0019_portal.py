"""Let people ask for a way into the portal, and know where they are signed in.

Revision: 0019, after 0018.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0019"
down_revision = "0018"

WAITING_MAX = 1000  # requests, of which the store has never kept more


def upgrade() -> None:
    """Tell requests apart by what is asked for, and create the two tables."""
    _recreate_requests()
    op.create_table(
        "portal_link",
        *_of_member(),
        sa.Column("made_at", MomentInTime, nullable=False),
        sa.Column("expires_at", MomentInTime, nullable=False),
        sa.Column("spent_at", MomentInTime),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_portal_link")),
    )
    op.create_table(
        "portal_session",
        *_of_member(),
        sa.Column("opened_at", MomentInTime, nullable=False),
        sa.Column("seen_at", MomentInTime, nullable=False),
        sa.Column("idle_ends_at", MomentInTime, nullable=False),
        sa.Column("ends_at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_portal_session")),
    )
    for name in ("portal_link", "portal_session"):
        index = op.f(f"ix_{name}_organization_member")
        op.create_index(index, name, ["organization", "member"])


def _of_member() -> list[sa.Column[object]]:
    return [
        sa.Column("digest", Key, nullable=False),
        sa.Column("proof", Key, nullable=False),
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
    ]


def _recreate_requests() -> None:
    """Make the table anew: its key changes, and it holds what is answered within seconds."""
    before = sa.table("request", sa.column("address"), sa.column("asked_at"))
    waiting = op.get_bind().execute(sa.select(before).limit(WAITING_MAX)).all()
    op.drop_table("request")
    after = op.create_table(
        "request",
        sa.Column("address", Key, nullable=False),
        sa.Column("kind", Key, nullable=False),
        sa.Column("asked_at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("address", "kind", name=op.f("pk_request")),
    )
    values = sa.table("request", *(sa.column(each.name) for each in after.c))
    op.bulk_insert(values, [{**row._mapping, "kind": "messages"} for row in waiting])
