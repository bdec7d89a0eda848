"""Badges, uploaded files, finer rights, an audit log and sign-in sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    _create_rights_and_badges()
    _create_files()
    _create_traces()


def _create_rights_and_badges() -> None:
    op.create_table(
        "membership_grants",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("company_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("grant_name", sa.String(20), nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id", "user_id"], ["memberships.company_id", "memberships.user_id"]
        ),
        sa.UniqueConstraint("company_id", "user_id", "grant_name"),
        sa.CheckConstraint(
            "grant_name IN ('billing', 'reports', 'catalog')", name="grant_name_known"
        ),
    )
    op.create_table(
        "achievements",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("badge", sa.String(40), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("earned_at", MOMENT, nullable=False),
        sa.UniqueConstraint("user_id", "badge"),
    )


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "company_id", sa.Integer, sa.ForeignKey("companies.id"), nullable=False, index=True
        ),
        sa.Column("owner_id", sa.Integer, sa.ForeignKey("users.id"), index=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("path", sa.String(400), nullable=False, unique=True),
        sa.Column("mime", sa.String(100), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("uploaded_at", MOMENT, nullable=False),
    )


def _create_traces() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "company_id", sa.Integer, sa.ForeignKey("companies.id"), nullable=False, index=True
        ),
        sa.Column("actor_id", sa.Integer, sa.ForeignKey("users.id"), index=True),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("ip", sa.String(45)),
        sa.Column("payload", sa.JSON),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "sign_in_sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "user_id",
            sa.Integer,
            sa.ForeignKey("users.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
    )
