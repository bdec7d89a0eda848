"""Create the first tables of the store.

Revision: 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import JSON, BoundaryText, Key, MomentInTime, OptionalKey

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables of the store."""
    _create_customers()
    _create_people()
    _create_operations()
    _create_offboardings()
    _create_steps()
    _create_progress()
    _create_proof()


def _create_customers() -> None:
    op.create_table(
        "organization",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("policy", Key, nullable=False),
        sa.Column("overrides", JSON, nullable=False),
        sa.Column("is_exempt", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("erased_at", MomentInTime),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )
    op.create_table(
        "pool",
        sa.Column("organization", Key, nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("product", Key, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("seats", sa.Integer, nullable=False),
        sa.Column("ends", BoundaryText),
        sa.PrimaryKeyConstraint("organization", "id", name=op.f("pk_pool")),
        sa.ForeignKeyConstraint(
            ["organization"], ["organization.id"], name=op.f("fk_pool_organization")
        ),
    )
    op.create_table(
        "policy",
        sa.Column("id", Key, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("published_at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_policy")),
    )


def _create_people() -> None:
    op.create_table(
        "member",
        sa.Column("organization", Key, nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("ends", BoundaryText),
        sa.Column("removed_at", MomentInTime),
        sa.PrimaryKeyConstraint("organization", "id", name=op.f("pk_member")),
        sa.ForeignKeyConstraint(
            ["organization"], ["organization.id"], name=op.f("fk_member_organization")
        ),
    )
    op.create_table(
        "member_role",
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
        sa.Column("role", Key, nullable=False),
        sa.PrimaryKeyConstraint("organization", "member", "role", name=op.f("pk_member_role")),
        sa.ForeignKeyConstraint(
            ["organization", "member"],
            ["member.organization", "member.id"],
            name=op.f("fk_member_role_member"),
        ),
    )
    op.create_table(
        "seat",
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
        sa.Column("pool", Key, nullable=False),
        sa.PrimaryKeyConstraint("organization", "member", "pool", name=op.f("pk_seat")),
        sa.ForeignKeyConstraint(
            ["organization", "member"],
            ["member.organization", "member.id"],
            name=op.f("fk_seat_member"),
        ),
    )


def _create_operations() -> None:
    op.create_table(
        "hold",
        sa.Column("id", Key, nullable=False),
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("placed_at", MomentInTime, nullable=False),
        sa.Column("ends_at", MomentInTime),
        sa.Column("category", sa.Text),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_organization"), "hold", ["organization"])
    op.create_table(
        "unlock",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("starts_at", MomentInTime, nullable=False),
        sa.Column("ends_at", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_unlock")),
    )
    op.create_index(op.f("ix_unlock_organization"), "unlock", ["organization"])
    op.create_table(
        "block",
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", OptionalKey, nullable=False),
        sa.PrimaryKeyConstraint("organization", "member", name=op.f("pk_block")),
    )
    op.create_table(
        "setting",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("is_paused", sa.Boolean, nullable=False),
        sa.Column("erasures_max", sa.Integer),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting")),
        sa.CheckConstraint("id = 1", name=op.f("ck_setting_one_row")),
    )


def _create_offboardings() -> None:
    op.create_table(
        "offboarding",
        sa.Column("id", Key, nullable=False),
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", OptionalKey, nullable=False),
        sa.Column("product", OptionalKey, nullable=False),
        sa.Column("policy", Key, nullable=False),
        sa.Column("policy_version", sa.Integer, nullable=False),
        sa.Column("cause", Key, nullable=False),
        sa.Column("source", Key, nullable=False),
        sa.Column("ends", BoundaryText, nullable=False),
        sa.Column("episode", sa.Integer, nullable=False),
        sa.Column("status", Key, nullable=False),
        sa.Column("opened_at", MomentInTime, nullable=False),
        sa.Column("next_due_at", MomentInTime),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease_until", MomentInTime),
        sa.Column("woken_at", MomentInTime),
        sa.Column("closed_at", MomentInTime),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offboarding")),
        sa.ForeignKeyConstraint(
            ["organization"], ["organization.id"], name=op.f("fk_offboarding_organization")
        ),
        sa.UniqueConstraint(
            "organization",
            "member",
            "product",
            "episode",
            name=op.f("uq_offboarding_organization_member_product_episode"),
        ),
    )
    op.create_index(op.f("ix_offboarding_next_due_at"), "offboarding", ["next_due_at"])
    current = sa.text("status IN ('open', 'stopped')")
    op.create_index(
        "uq_offboarding_current",
        "offboarding",
        ["organization", "member", "product"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )


def _create_steps() -> None:
    op.create_table(
        "step",
        sa.Column("offboarding", Key, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("status", Key, nullable=False),
        sa.Column("due_at", MomentInTime, nullable=False),
        sa.Column("issue", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", MomentInTime),
        sa.Column("started_at", MomentInTime),
        sa.Column("reason", sa.Text),
        sa.Column("is_destructive", sa.Boolean, nullable=False),
        sa.Column("receipt", JSON),
        sa.PrimaryKeyConstraint("offboarding", "key", name=op.f("pk_step")),
        sa.ForeignKeyConstraint(
            ["offboarding"], ["offboarding.id"], name=op.f("fk_step_offboarding")
        ),
    )
    op.create_index(op.f("ix_step_started_at"), "step", ["started_at"])
    op.create_table(
        "delivery",
        sa.Column("offboarding", Key, nullable=False),
        sa.Column("step", Key, nullable=False),
        sa.Column("member", Key, nullable=False),
        sa.Column("channel", Key, nullable=False),
        sa.Column("status", Key, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", MomentInTime),
        sa.Column("accepted_at", MomentInTime),
        sa.Column("reason", sa.Text),
        sa.Column("taken_by", sa.Integer),
        sa.PrimaryKeyConstraint(
            "offboarding", "step", "member", "channel", name=op.f("pk_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["offboarding"], ["offboarding.id"], name=op.f("fk_delivery_offboarding")
        ),
    )


def _create_progress() -> None:
    op.create_table(
        "erasure_cursor",
        sa.Column("offboarding", Key, nullable=False),
        sa.Column("table", Key, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("offboarding", "table", name=op.f("pk_erasure_cursor")),
        sa.ForeignKeyConstraint(
            ["offboarding"], ["offboarding.id"], name=op.f("fk_erasure_cursor_offboarding")
        ),
    )
    op.create_table(
        "inflight",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("offboarding", Key, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("deadline", MomentInTime, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_inflight")),
        sa.ForeignKeyConstraint(
            ["offboarding"], ["offboarding.id"], name=op.f("fk_inflight_offboarding")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_inflight_offboarding"), "inflight", ["offboarding"])


def _create_proof() -> None:
    op.create_table(
        "ledger",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("kind", Key, nullable=False),
        sa.Column("at", MomentInTime, nullable=False),
        sa.Column("offboarding", Key),
        sa.Column("episode", sa.Integer),
        sa.Column("step", Key),
        sa.Column("actor", Key, nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger")),
    )
    op.create_table(
        "outbox",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", Key, nullable=False),
        sa.Column("at", MomentInTime, nullable=False),
        sa.Column("organization", Key, nullable=False),
        sa.Column("member", Key),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("sent_at", MomentInTime),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
    )
    op.create_index(op.f("ix_outbox_organization"), "outbox", ["organization"])
