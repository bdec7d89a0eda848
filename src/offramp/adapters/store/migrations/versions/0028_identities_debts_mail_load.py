"""Keep who operators are elsewhere, which ways through there led here, and what is owed for a
subscription; count by an index the mail that is still to be sent, and that was lost.

Revision: 0028, after 0027.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the columns, which are empty, and create the table and the indexes."""
    op.add_column("operator", sa.Column("issuer", Key))
    op.add_column("operator", sa.Column("subject", Key))
    both = ["issuer", "subject"]
    op.create_index(op.f("ix_operator_issuer_subject"), "operator", both, unique=True)
    op.create_table(
        "sign_in_journey",
        sa.Column("digest", Key, nullable=False),
        sa.Column("at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_journey")),
    )
    op.add_column("subscription", sa.Column("paid_at", MomentInTime))
    op.add_column("subscription", sa.Column("debts", sa.JSON))
    _index("ix_delivery_under_way", "delivery", "status", ("queued", "failed", "sending"))
    _index("ix_delivery_note_lost", "delivery_note", "at", ("refused", "bounced"))


def _index(name: str, table: str, column: str, statuses: tuple[str, ...]) -> None:
    where = sa.text(f"status IN ({', '.join(map(repr, statuses))})")
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
