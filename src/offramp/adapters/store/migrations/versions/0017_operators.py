"""Know the operators of the console, and where they are signed in.

Revision: 0017, after 0016.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import Key, MomentInTime

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "operator",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", Key, nullable=False),
        sa.Column("role", Key, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("added_at", MomentInTime, nullable=False),
        sa.Column("password", sa.Text),
        sa.Column("disabled_at", MomentInTime),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("address", name=op.f("uq_operator_address")),
    )
    _create_of_operator(
        "operator_session",
        sa.Column("operator", Key, nullable=False),
        sa.Column("opened_at", MomentInTime, nullable=False),
        sa.Column("seen_at", MomentInTime, nullable=False),
        sa.Column("idle_ends_at", MomentInTime, nullable=False),
        sa.Column("ends_at", MomentInTime, nullable=False),
    )
    _create_of_operator(
        "sign_in_link",
        sa.Column("operator", Key),
        sa.Column("made_at", MomentInTime, nullable=False),
        sa.Column("expires_at", MomentInTime, nullable=False),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("who", Key, nullable=False),
        sa.Column("at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sign_in_failure")),
    )


def _create_of_operator(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("digest", Key, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("digest", name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(["operator"], ["operator.id"], name=op.f(f"fk_{name}_operator")),
    )
    op.create_index(op.f(f"ix_{name}_operator"), name, ["operator"])
