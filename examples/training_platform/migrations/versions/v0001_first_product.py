"""The first product: companies, pools, people, courses, certificates, comments, invoices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables, parents first."""
    _create_company_tables()
    _create_people_tables()
    _create_catalog_tables()
    _create_learning_tables()
    _create_invoices()


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _reference(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(target), nullable=nullable, index=True)


def _create_company_tables() -> None:
    op.create_table(
        "companies",
        _id(),
        sa.Column("slug", sa.String(63), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("billing_email", sa.String(254), nullable=False),
        sa.Column("vat_no", sa.String(20)),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column(
            "settings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "licence_pools",
        _id(),
        _reference("company_id", "companies.id"),
        sa.Column("product", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("seats", sa.Integer, nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.CheckConstraint("kind IN ('named', 'trial')", name="kind_known"),
        sa.CheckConstraint("seats > 0", name="seats_positive"),
        sa.CheckConstraint("starts_on <= ends_on", name="term_forward"),
    )


def _create_people_tables() -> None:
    op.create_table(
        "teams",
        _id(),
        _reference("company_id", "companies.id"),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("lead_user_id", sa.Integer, index=True),
        sa.UniqueConstraint("company_id", "name"),
    )
    op.create_table(
        "users",
        _id(),
        _reference("company_id", "companies.id"),
        _reference("team_id", "teams.id", nullable=True),
        sa.Column("email", sa.String(254), nullable=False, index=True),
        sa.Column("first_name", sa.String(80), nullable=False),
        sa.Column("last_name", sa.String(80), nullable=False),
        sa.Column("phone", sa.String(40)),
        sa.Column("birth_date", sa.Date),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("locale", sa.String(20)),
        sa.Column("last_login_at", MOMENT),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.UniqueConstraint("company_id", "email"),
    )
    with op.batch_alter_table("teams") as batch:
        batch.create_foreign_key("fk_teams_lead_user_id", "users", ["lead_user_id"], ["id"])
    op.create_table(
        "memberships",
        sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id"), primary_key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), primary_key=True, index=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('member', 'admin', 'owner')", name="role_known"),
    )
    op.create_table(
        "seats",
        _id(),
        sa.Column("pool_id", sa.Integer, sa.ForeignKey("licence_pools.id"), nullable=False),
        _reference("user_id", "users.id"),
        sa.Column("assigned_at", MOMENT, nullable=False),
        sa.UniqueConstraint("pool_id", "user_id"),
    )


def _create_catalog_tables() -> None:
    op.create_table(
        "courses",
        _id(),
        sa.Column("code", sa.String(40), nullable=False, unique=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("product", sa.String(80), nullable=False),
    )
    op.create_table(
        "lessons",
        _id(),
        sa.Column("course_id", sa.Integer, sa.ForeignKey("courses.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.UniqueConstraint("course_id", "position"),
    )


def _create_learning_tables() -> None:
    op.create_table(
        "enrolments",
        _id(),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
        _reference("course_id", "courses.id"),
        _reference("pool_id", "licence_pools.id", nullable=True),
        sa.Column("enrolled_at", MOMENT, nullable=False),
        sa.UniqueConstraint("user_id", "course_id"),
    )
    op.create_table(
        "lesson_progress",
        _id(),
        sa.Column("enrolment_id", sa.Integer, sa.ForeignKey("enrolments.id"), nullable=False),
        _reference("lesson_id", "lessons.id"),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("completed_at", MOMENT),
        sa.Column("seconds_spent", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Numeric(6, 3).with_variant(sa.String(40), "sqlite")),
        sa.UniqueConstraint("enrolment_id", "lesson_id"),
    )
    op.create_table(
        "certificates",
        _id(),
        _reference("enrolment_id", "enrolments.id"),
        sa.Column("serial", sa.String(40), nullable=False, unique=True),
        sa.Column("holder_name", sa.String(200), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
    )
    op.create_table(
        "comments",
        _id(),
        _reference("user_id", "users.id"),
        _reference("lesson_id", "lessons.id"),
        _reference("parent_id", "comments.id", nullable=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )


def _create_invoices() -> None:
    op.create_table(
        "invoices",
        _id(),
        _reference("company_id", "companies.id"),
        sa.Column("number", sa.String(30), nullable=False, unique=True),
        sa.Column("issued_on", sa.Date, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column(
            "amount", sa.Numeric(16, 2).with_variant(sa.String(40), "sqlite"), nullable=False
        ),
        sa.Column("contact_name", sa.String(200)),
    )
