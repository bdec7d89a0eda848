"""Keep what people say went wrong, until it is seen to.

Revision: 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "support_case",
        sa.Column("id", Key, nullable=False),
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key),
        sa.Column("complaint", Key, nullable=False),
        sa.Column("about", MomentInTime),
        sa.Column("opened_at", MomentInTime, nullable=False),
        sa.Column("answer_by", MomentInTime, nullable=False),
        sa.Column("answered_at", MomentInTime),
        sa.Column("repaired_at", MomentInTime),
        sa.Column("closed_at", MomentInTime),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_case")),
        sa.ForeignKeyConstraint(
            ["organization"], ["organization.id"], name=op.f("fk_support_case_organization")
        ),
    )
    op.create_index("ix_support_case_organization", "support_case", ["organization"])
    op.create_index(
        "ix_support_case_closed_at_answered_at_answer_by",
        "support_case",
        ["closed_at", "answered_at", "answer_by"],
    )
    op.create_table(
        "case_note",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("case", Key, nullable=False),
        sa.Column("at", MomentInTime, nullable=False),
        sa.Column("actor", Key, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_case_note")),
        sa.ForeignKeyConstraint(["case"], ["support_case.id"], name=op.f("fk_case_note_case")),
    )
    op.create_index("ix_case_note_case", "case_note", ["case"])
