"""What is said between Offramp and a service that takes part, and how both sides sign it.

The messages live here, and nothing of how they travel. A signature is that of Standard Webhooks:
HMAC-SHA-256 over id, timestamp and body, with a secret that both sides have. An answer carries the
id of its request, so that it can answer nothing else.

Source: docs/participants.md; Standard Webhooks 1.0.0.
"""

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from standardwebhooks import Webhook

from offramp.data.scope import Scope

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
IDEMPOTENCY_KEY = "idempotency-key"

_DIGITS_MAX = 11  # of a timestamp in seconds
_WRITTEN_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}")  # at least 24 bytes

Operation: TypeAlias = Literal["plan", "export", "erase", "verify"]
Part: TypeAlias = Literal["organization", "member", "product"]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Count = Annotated[int, Field(ge=0, lt=2**53)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, strict=True)


class ParticipantRequest(_Message):
    """What a service is asked; `table` is there for `export` and `erase`, `limit` for `erase`."""

    operation: Operation
    organization: str
    member: str | None = None
    product: str | None = None
    table: TableName | None = None
    limit: int | None = None


class ParticipantAnswer(_Message):
    """`covers` repeats which parts of the subject were looked at: all that were asked, or none."""

    covers: list[Part]


class PlannedTable(_Message):
    """One table: how many rows of the subject it has, and what its columns hold."""

    rows: Count
    columns: dict[str, str] = {}


class PlanAnswer(ParticipantAnswer):
    """Every table that the service has, in the order in which they go."""

    operation: Literal["plan"]
    tables: dict[TableName, PlannedTable]


class VerifyAnswer(ParticipantAnswer):
    """Every table that the service has, and how many rows of the subject are left in it."""

    operation: Literal["verify"]
    tables: dict[TableName, Count]


class EraseAnswer(ParticipantAnswer):
    """How many rows were destroyed by this request, and how many are left in the table."""

    operation: Literal["erase"]
    table: TableName
    erased: Count
    left: Count


class ExportReceipt(ParticipantAnswer):
    """How many rows went before, and SHA-256 over their lines with their line feeds."""

    operation: Literal["export"]
    table: TableName
    rows: Count
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ExportEnd(_Message):
    """The last line of an export: the text of its receipt, signed like a body."""

    receipt: str
    timestamp: str
    signature: str


class UnknownSubject(_Message):
    """The answer, with status 404, of a service that has never heard of the subject."""

    error: Literal["unknown subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The secrets that both sides have: each signs, and while they change any is believed."""

    secrets: tuple[Webhook, ...]

    def headers(self, message_id: str, body: str, *, at: datetime) -> Mapping[str, str]:
        """Return the headers under which a body travels."""
        timestamp = str(int(at.timestamp()))
        return {
            ID: message_id,
            TIMESTAMP: timestamp,
            SIGNATURE: " ".join(
                self._sign(secret, message_id, timestamp, body) for secret in self.secrets
            ),
        }

    def fits(self, message_id: str, timestamp: str, signature: str, body: str) -> bool:
        """Say whether one of the secrets signed a body under an id."""
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _DIGITS_MAX):
            return False
        given = signature.split(" ")
        return any(
            hmac.compare_digest(
                self._sign(secret, message_id, timestamp, body).encode(), each.encode()
            )
            for secret in self.secrets
            for each in given
        )

    def _sign(self, secret: Webhook, message_id: str, timestamp: str, body: str) -> str:
        return secret.sign(message_id, datetime.fromtimestamp(int(timestamp), tz=UTC), body)


def read_secrets(text: str) -> Seal:
    """Read one secret, or several that are parted by blanks while they change.

    Raises:
        ValueError: one of them is none; it is not shown.
    """
    words = text.split()
    if not words or not all(map(_WRITTEN_SECRET.fullmatch, words)):
        raise ValueError("a secret is written whsec_ and at least 24 bytes in base64")
    return Seal(secrets=tuple(Webhook(word) for word in words))


def parts_of(scope: Scope) -> list[Part]:
    """Name the parts of a subject that a request names."""
    parts: list[Part] = ["organization"]
    if scope.member is not None:
        parts.append("member")
    if scope.product is not None:
        parts.append("product")
    return parts


def request_body(
    scope: Scope, operation: Operation, *, table: str | None = None, limit: int | None = None
) -> str:
    """Write down what is asked, without what is not."""
    request = ParticipantRequest(
        operation=operation,
        organization=scope.organization,
        member=scope.member,
        product=scope.product,
        table=table,
        limit=limit,
    )
    return json.dumps(request.model_dump(exclude_none=True), separators=(",", ":"))
