"""The tables of the store: facts, off-boardings, receipts and proof, for both databases at once.

Everything that is stored is listed here. Personal data of customers is only in ``member`` (email,
name, locale, zone), in ``organization`` (name) and, for seconds, in ``request`` (address); the rest
holds ids, dates, counts and digests, or a sentence that an operator wrote, and goes with its
organization too (L30). An ``arming`` is about many organizations and stays: who let them go is part
of the proof. Those who work with the console are in ``schema_operator``, and what the portal knows
of members in ``schema_portal``.

Source: docs/glossary.md; docs/architecture.md.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)

from offramp.adapters.store.column_type import (
    JSON,
    BoundariesByName,
    BoundaryText,
    Key,
    MomentInTime,
    OptionalKey,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _of_organization() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["organization"], ["organization.id"])


def _of_offboarding() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["offboarding"], ["offboarding.id"])


# --- facts ---------------------------------------------------------------------------------

organization = Table(
    "organization",
    metadata,
    Column("id", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("zone", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("policy", Key, nullable=False),
    Column("overrides", JSON, nullable=False),
    Column("is_exempt", Boolean, nullable=False, server_default=false()),
    Column("erased_at", MomentInTime),
    PrimaryKeyConstraint("id"),
)

Index(
    "ix_organization_name",
    func.lower(organization.c.name),
    organization.c.id,
    sqlite_where=text("erased_at IS NULL"),
    postgresql_where=text("erased_at IS NULL"),
)

pool = Table(
    "pool",
    metadata,
    Column("organization", Key, nullable=False),
    Column("id", Key, nullable=False),
    Column("product", Key, nullable=False),
    Column("kind", Text, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("ends", BoundaryText),
    PrimaryKeyConstraint("organization", "id"),
    _of_organization(),
)

member = Table(
    "member",
    metadata,
    Column("organization", Key, nullable=False),
    Column("id", Key, nullable=False),
    Column("email", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("ends", BoundaryText),
    Column("removed_at", MomentInTime),
    Column("product_ends", BoundariesByName),
    PrimaryKeyConstraint("organization", "id"),
    _of_organization(),
)

Index("ix_member_address", func.lower(member.c.email))
Index("ix_member_id", member.c.id, member.c.organization)

member_role = Table(
    "member_role",
    metadata,
    Column("organization", Key, nullable=False),
    Column("member", Key, nullable=False),
    Column("role", Key, nullable=False),
    PrimaryKeyConstraint("organization", "member", "role"),
    ForeignKeyConstraint(["organization", "member"], ["member.organization", "member.id"]),
)

seat = Table(
    "seat",
    metadata,
    Column("organization", Key, nullable=False),
    Column("member", Key, nullable=False),
    Column("pool", Key, nullable=False),  # may be told before its pool is
    PrimaryKeyConstraint("organization", "member", "pool"),
    ForeignKeyConstraint(["organization", "member"], ["member.organization", "member.id"]),
)

policy = Table(
    "policy",
    metadata,
    Column("id", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", JSON, nullable=False),
    Column("published_at", MomentInTime, nullable=False),
    Column("published_by", Key),  # as the ledger names them
    Column("reason", Text),
    PrimaryKeyConstraint("id", "version"),
)

# --- what operators decided ----------------------------------------------------------------

hold = Table(
    "hold",
    metadata,
    Column("id", Key, nullable=False),
    Column("organization", Key, nullable=False),
    Column("member", Key),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_at", MomentInTime, nullable=False),
    Column("ends_at", MomentInTime),
    Column("category", Text),
    PrimaryKeyConstraint("id"),
    Index(None, "organization"),
)

unlock = Table(
    "unlock",
    metadata,
    Column("number", Integer, nullable=False),
    Column("organization", Key, nullable=False),
    Column("member", Key),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_at", MomentInTime, nullable=False),
    Column("ends_at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("number"),
    Index(None, "organization"),
)

block = Table(
    "block",
    metadata,
    Column("organization", Key, nullable=False),
    Column("member", OptionalKey, nullable=False),
    PrimaryKeyConstraint("organization", "member"),
)

setting = Table(
    "setting",
    metadata,
    Column("id", Integer, nullable=False, autoincrement=False),
    Column("is_paused", Boolean, nullable=False),
    Column("erasures_max", Integer),
    Column("seen_at", MomentInTime),
    PrimaryKeyConstraint("id"),
    CheckConstraint("id = 1", name="one_row"),
)

arming = Table(
    "arming",
    metadata,
    Column("id", Key, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", MomentInTime, nullable=False),
    Column("expires_at", MomentInTime, nullable=False),
    Column("until", MomentInTime, nullable=False),
    Column("organizations", Integer, nullable=False),
    Column("offboardings", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("approver", Text),
    Column("approved_at", MomentInTime),
    PrimaryKeyConstraint("id"),
)

# --- off-boardings and their steps ---------------------------------------------------------

_goes_on = text("status IN ('open', 'stopped')")
_GOES_ON: dict[str, Any] = {"sqlite_where": _goes_on, "postgresql_where": _goes_on}

offboarding = Table(
    "offboarding",
    metadata,
    Column("id", Key, nullable=False),
    Column("organization", Key, nullable=False),
    Column("member", OptionalKey, nullable=False),
    Column("product", OptionalKey, nullable=False),
    Column("policy", Key, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("cause", Key, nullable=False),
    Column("source", Key, nullable=False),
    Column("ends", BoundaryText, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("status", Key, nullable=False),
    Column("opened_at", MomentInTime, nullable=False),
    Column("next_due_at", MomentInTime),
    Column("attempt", Integer, nullable=False),
    Column("lease_until", MomentInTime),
    Column("woken_at", MomentInTime),  # a date that was set while somebody held the claim
    Column("closed_at", MomentInTime),
    Column("erases_at", MomentInTime),
    Column("armed", Key),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("organization", "member", "product", "episode"),
    _of_organization(),
    Index(None, "next_due_at", "organization", "id"),
    Index(None, "erases_at"),
    Index("ix_offboarding_policy", "policy", "policy_version", "status", **_GOES_ON),
    Index(
        *("uq_offboarding_current", "organization", "member", "product"), unique=True, **_GOES_ON
    ),
    postgresql_with={"fillfactor": "70"},  # claims come and go, and stay out of the indexes
)

Index(
    "ix_offboarding_stopped",
    offboarding.c.status,
    sqlite_where=text("status = 'stopped'"),
    postgresql_where=text("status = 'stopped'"),
)

step = Table(
    "step",
    metadata,
    Column("offboarding", Key, nullable=False),
    Column("key", Key, nullable=False),
    Column("status", Key, nullable=False),
    Column("due_at", MomentInTime, nullable=False),
    Column("issue", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", MomentInTime),
    Column("started_at", MomentInTime),
    Column("reason", Text),
    Column("is_destructive", Boolean, nullable=False),
    Column("receipt", JSON),
    PrimaryKeyConstraint("offboarding", "key"),
    Index(None, "started_at"),
    _of_offboarding(),
)

Index(
    "ix_step_troubled",
    step.c.status,
    sqlite_where=text("status IN ('failed', 'held', 'abandoned')"),
    postgresql_where=text("status IN ('failed', 'held', 'abandoned')"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("offboarding", Key, nullable=False),
    Column("step", Key, nullable=False),
    Column("member", Key, nullable=False),
    Column("channel", Key, nullable=False),
    Column("status", Key, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", MomentInTime),
    Column("accepted_at", MomentInTime),
    Column("reason", Text),
    Column("taken_by", Integer),  # the off-boarding's attempt that handed it to the mailer
    Column("round", Integer, nullable=False, server_default="1"),
    Column("message", Key),
    Column("repeats", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("offboarding", "step", "member", "channel"),
    Index(None, "message"),
    _of_offboarding(),
)

delivery_note = Table(
    "delivery_note",
    metadata,
    Column("number", Integer, nullable=False),
    Column("offboarding", Key, nullable=False),
    Column("step", Key, nullable=False),
    Column("member", Key, nullable=False),
    Column("channel", Key, nullable=False),
    Column("at", MomentInTime, nullable=False),
    Column("status", Key, nullable=False),
    Column("reason", Text),
    PrimaryKeyConstraint("number"),
    Index(None, "offboarding", "step", "member"),
    _of_offboarding(),
)

link = Table(
    "link",
    metadata,
    Column("digest", Key, nullable=False),
    Column("offboarding", Key, nullable=False),
    Column("step", Key, nullable=False),
    Column("member", Key, nullable=False),
    Column("round", Integer, nullable=False),
    Column("file", Text, nullable=False),
    Column("mailed_at", MomentInTime, nullable=False),
    Column("expires_at", MomentInTime, nullable=False),
    Column("downloads", Integer, nullable=False),
    Column("downloaded_at", MomentInTime),
    Column("revoked_at", MomentInTime),
    PrimaryKeyConstraint("digest"),
    Index(None, "offboarding", "member"),
    _of_offboarding(),
)

optional_message = Table(
    "optional_message",
    metadata,
    Column("message", Key, nullable=False),
    Column("offboarding", Key, nullable=False),
    Column("step", Key, nullable=False),
    Column("member", Key, nullable=False),
    PrimaryKeyConstraint("message"),
    Index(None, "offboarding", "member"),
    _of_offboarding(),
)

declined = Table(
    "declined",
    metadata,
    Column("organization", Key, nullable=False),
    Column("member", Key, nullable=False),  # stays while the member comes and goes
    Column("at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("organization", "member"),
    _of_organization(),
)

request = Table(
    "request",
    metadata,
    Column("address", Key, nullable=False),  # of anybody, until a worker has looked whose it is
    Column("kind", Key, nullable=False),
    Column("asked_at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("address", "kind"),
)

erasure_cursor = Table(
    "erasure_cursor",
    metadata,
    Column("offboarding", Key, nullable=False),
    Column("table", Key, nullable=False),
    Column("rows", BigInteger, nullable=False),
    PrimaryKeyConstraint("offboarding", "table"),
    _of_offboarding(),
)

kept = Table(
    "kept",
    metadata,
    Column("number", Integer, nullable=False),
    Column("offboarding", Key, nullable=False),
    Column("table", Key, nullable=False),
    Column("basis", Text, nullable=False),
    Column("until", Text, nullable=False),
    Column("counted_from", Text),
    Column("ends_at", MomentInTime),
    Column("rows", BigInteger, nullable=False),
    Column("keys", LargeBinary, nullable=False),
    Column("reason", Text),
    PrimaryKeyConstraint("number"),
    Index(None, "offboarding", "ends_at"),
    _of_offboarding(),
)

inflight = Table(
    "inflight",
    metadata,
    Column("number", Integer, nullable=False),
    Column("offboarding", Key, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("deadline", MomentInTime, nullable=False),
    PrimaryKeyConstraint("number"),
    Index(None, "offboarding"),
    _of_offboarding(),
    # A number that came back would let a worker whose marker was swept away find another's.
    sqlite_autoincrement=True,
)

# --- proof and events ----------------------------------------------------------------------

ledger = Table(
    "ledger",
    metadata,
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("kind", Key, nullable=False),
    Column("at", MomentInTime, nullable=False),
    Column("offboarding", Key),
    Column("episode", Integer),
    Column("step", Key),
    Column("actor", Key, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous", Text, nullable=False),
    Column("seal", Text, nullable=False),
    PrimaryKeyConstraint("number"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("number", Integer, nullable=False),
    Column("id", Key, nullable=False),
    Column("kind", Key, nullable=False),
    Column("at", MomentInTime, nullable=False),
    Column("organization", OptionalKey, nullable=False),
    Column("member", Key),
    Column("detail", JSON, nullable=False),
    Column("sent_at", MomentInTime),  # handed over to the endpoints that want it
    PrimaryKeyConstraint("number"),
    UniqueConstraint("id"),
    Index(None, "organization"),
)

Index(
    "ix_outbox_new",
    outbox.c.at,
    outbox.c.number,
    sqlite_where=text("sent_at IS NULL"),
    postgresql_where=text("sent_at IS NULL"),
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("name", Key, nullable=False),
    Column("disabled_at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("name"),
)

parcel = Table(
    "parcel",
    metadata,
    Column("endpoint", Key, nullable=False),
    Column("event", Key, nullable=False),
    Column("status", Key, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", MomentInTime, nullable=False),
    Column("claim", Integer, nullable=False),
    Column("lease_until", MomentInTime),
    Column("reason", Text),
    Column("delivered_at", MomentInTime),
    PrimaryKeyConstraint("event", "endpoint"),
    ForeignKeyConstraint(["event"], ["outbox.id"]),
)

Index(
    "ix_parcel_waiting",
    parcel.c.endpoint,
    parcel.c.next_try_at,
    parcel.c.event,
    sqlite_where=text("status = 'waiting'"),
    postgresql_where=text("status = 'waiting'"),
)

Index(
    "ix_parcel_failed",
    parcel.c.endpoint,
    sqlite_where=text("status = 'failed'"),
    postgresql_where=text("status = 'failed'"),
)
