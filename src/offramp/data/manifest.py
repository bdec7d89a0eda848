"""What was handed over: for every table the columns, the number of rows, and their digest.

The proof of an export lives here. It holds names, counts and digests, and nothing of the rows.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from whenever import Instant


class TableDigest(BaseModel):
    """How many rows a table gave, and SHA-256 over their lines in the order of their keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    sha256: str


class TableEntry(TableDigest):
    """One table of an export: where it stands in the document, and what was proved of it."""

    name: str
    columns: Mapping[str, str]

    def digest(self) -> TableDigest:
        """Return only what is compared with the live table."""
        return TableDigest(rows=self.rows, sha256=self.sha256)


class Manifest(BaseModel):
    """What one export contains."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    header: Mapping[str, Any]
    organization: str
    member: str | None
    product: str | None
    taken_at: Instant
    tables: Mapping[str, TableEntry]
    content_only: bool = False
    categories: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Say whether this is everything that its scope covered, not a part that was asked for."""
        return not self.content_only and not self.categories

    def digests(self) -> dict[str, TableDigest]:
        """Return what `handover.export.digest` has to find again just before deletion."""
        return {table: entry.digest() for table, entry in self.tables.items()}
