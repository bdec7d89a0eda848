"""The platform's tables, once, for SQLite and PostgreSQL.

A company owns everything but the catalog (courses, lessons), which all companies share.
Invoices outlive their company for ten years, as tax law asks: they keep a reference in words.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

ROLES = ("member", "admin", "owner")
GRANTS = ("billing", "reports", "catalog")
POOL_KINDS = ("named", "trial")

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class ExactNumber(sa.TypeDecorator[Decimal]):
    """A number of which no digit may be lost; SQLite has no such type and keeps it as text."""

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Choose text on SQLite, NUMERIC elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.String(40))
        return dialect.type_descriptor(self.impl_instance)

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> object:
        """Write the digits as they are."""
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: object | None, dialect: sa.Dialect) -> Decimal | None:
        """Read the digits as they were."""
        return None if value is None else Decimal(str(value))


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _reference(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(target), nullable=nullable, index=True)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


companies = sa.Table(
    "companies",
    metadata,
    _id(),
    sa.Column("slug", sa.String(63), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("billing_email", sa.String(254), nullable=False),
    sa.Column("vat_no", sa.String(20)),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("time_zone", sa.String(64), nullable=False),
    sa.Column("settings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
    _moment("created_at"),
)

licence_pools = sa.Table(
    "licence_pools",
    metadata,
    _id(),
    _reference("company_id", "companies.id"),
    sa.Column("product", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date, nullable=False),
    _one_of("kind", POOL_KINDS),
    sa.CheckConstraint("seats > 0", name="seats_positive"),
    sa.CheckConstraint("starts_on <= ends_on", name="term_forward"),
)

teams = sa.Table(
    "teams",
    metadata,
    _id(),
    _reference("company_id", "companies.id"),
    sa.Column("name", sa.String(120), nullable=False),
    # A team is led by a user and a user belongs to a team: the constraint comes after both tables.
    sa.Column(
        "lead_user_id",
        sa.Integer,
        sa.ForeignKey("users.id", use_alter=True, name="fk_teams_lead_user_id"),
        index=True,
    ),
    sa.UniqueConstraint("company_id", "name"),
)

users = sa.Table(
    "users",
    metadata,
    _id(),
    _reference("company_id", "companies.id"),
    _reference("team_id", "teams.id", nullable=True),
    # Unique within a company only: a consultant may work for two.
    sa.Column("email", sa.String(254), nullable=False, index=True),
    sa.Column("first_name", sa.String(80), nullable=False),
    sa.Column("last_name", sa.String(80), nullable=False),
    sa.Column("phone", sa.String(40)),
    sa.Column("birth_date", sa.Date),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("locale", sa.String(20)),
    sa.Column("time_zone", sa.String(64)),
    _moment("last_login_at", nullable=True),
    sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("leaves_on", sa.Date),
    sa.UniqueConstraint("company_id", "email"),
)

memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("company_id", sa.Integer, sa.ForeignKey("companies.id"), primary_key=True),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), primary_key=True, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    _moment("joined_at"),
    _one_of("role", ROLES),
)

membership_grants = sa.Table(
    "membership_grants",
    metadata,
    _id(),
    sa.Column("company_id", sa.Integer, nullable=False),
    sa.Column("user_id", sa.Integer, nullable=False),
    sa.Column("grant_name", sa.String(20), nullable=False),
    _moment("granted_at"),
    sa.ForeignKeyConstraint(
        ["company_id", "user_id"], ["memberships.company_id", "memberships.user_id"]
    ),
    sa.UniqueConstraint("company_id", "user_id", "grant_name"),
    _one_of("grant_name", GRANTS),
)

seats = sa.Table(
    "seats",
    metadata,
    _id(),
    sa.Column("pool_id", sa.Integer, sa.ForeignKey("licence_pools.id"), nullable=False),
    _reference("user_id", "users.id"),
    _moment("assigned_at"),
    sa.UniqueConstraint("pool_id", "user_id"),
)

courses = sa.Table(
    "courses",
    metadata,
    _id(),
    sa.Column("code", sa.String(40), nullable=False, unique=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("product", sa.String(80), nullable=False),
)

lessons = sa.Table(
    "lessons",
    metadata,
    _id(),
    sa.Column("course_id", sa.Integer, sa.ForeignKey("courses.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.UniqueConstraint("course_id", "position"),
)

enrolments = sa.Table(
    "enrolments",
    metadata,
    _id(),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
    _reference("course_id", "courses.id"),
    # Empty for a course taken before the company bought seats.
    _reference("pool_id", "licence_pools.id", nullable=True),
    _moment("enrolled_at"),
    sa.UniqueConstraint("user_id", "course_id"),
)

lesson_progress = sa.Table(
    "lesson_progress",
    metadata,
    _id(),
    sa.Column("enrolment_id", sa.Integer, sa.ForeignKey("enrolments.id"), nullable=False),
    _reference("lesson_id", "lessons.id"),
    _moment("started_at"),
    _moment("completed_at", nullable=True),
    sa.Column("seconds_spent", sa.BigInteger, nullable=False),
    sa.Column("score", ExactNumber(6, 3)),
    sa.UniqueConstraint("enrolment_id", "lesson_id"),
)

certificates = sa.Table(
    "certificates",
    metadata,
    _id(),
    _reference("enrolment_id", "enrolments.id"),
    sa.Column("serial", sa.String(40), nullable=False, unique=True),
    sa.Column("holder_name", sa.String(200), nullable=False),
    _moment("issued_at"),
)

achievements = sa.Table(
    "achievements",
    metadata,
    _id(),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("badge", sa.String(40), nullable=False),
    sa.Column("title", sa.String(120), nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    _moment("earned_at"),
    sa.UniqueConstraint("user_id", "badge"),
)

comments = sa.Table(
    "comments",
    metadata,
    _id(),
    _reference("user_id", "users.id"),
    _reference("lesson_id", "lessons.id"),
    # A reply stays within the company of the comment that it answers.
    _reference("parent_id", "comments.id", nullable=True),
    sa.Column("body", sa.Text, nullable=False),
    _moment("created_at"),
)

files = sa.Table(
    "files",
    metadata,
    _id(),
    _reference("company_id", "companies.id"),
    _reference("owner_id", "users.id", nullable=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("path", sa.String(400), nullable=False, unique=True),
    sa.Column("mime", sa.String(100), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("content", sa.LargeBinary),
    _moment("uploaded_at"),
)

invoices = sa.Table(
    "invoices",
    metadata,
    _id(),
    _reference("company_id", "companies.id", nullable=True),
    sa.Column("company_reference", sa.String(200), nullable=False),
    sa.Column("number", sa.String(30), nullable=False, unique=True),
    sa.Column("issued_on", sa.Date, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount", ExactNumber(16, 2), nullable=False),
    sa.Column("euro_rate", ExactNumber(24, 18), nullable=False),
    sa.Column("contact_name", sa.String(200)),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    _id(),
    _reference("company_id", "companies.id"),
    _reference("actor_id", "users.id", nullable=True),
    sa.Column("action", sa.String(60), nullable=False),
    sa.Column("ip", sa.String(45)),
    sa.Column("payload", sa.JSON(none_as_null=True)),
    _moment("at"),
)

sign_in_sessions = sa.Table(
    "sign_in_sessions",
    metadata,
    _id(),
    sa.Column(
        "user_id",
        sa.Integer,
        sa.ForeignKey("users.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    _moment("created_at"),
)
