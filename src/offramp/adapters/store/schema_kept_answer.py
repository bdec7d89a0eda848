"""The table of answers that are kept for a day.

Source: ``ports.KeptAnswers``; docs/http.md, "Asking twice".
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from offramp.adapters.store import schema
from offramp.adapters.store.column_type import Key, MomentInTime

kept_answer = Table(
    "kept_answer",
    schema.metadata,
    Column("request", Key, nullable=False),
    Column("fingerprint", Key, nullable=False),
    Column("begun_at", MomentInTime, nullable=False),
    Column("expires_at", MomentInTime, nullable=False),
    Column("status", Integer),
    Column("answer", LargeBinary),  # sealed
    PrimaryKeyConstraint("request"),
    Index(None, "expires_at"),
)
