"""Whoever wants something.

Source: docs/sdk.md.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A member of an organization; the product is named where each has its own clock."""

    organization: str
    member: str
    product: str | None = None
