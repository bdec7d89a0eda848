"""Filling a store by the set: many organizations that leave at once, or one with many people.

Rows are what the engine itself would have written, under ids of the same length.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from benchmarks.engine.ground import BEFORE, DUE_AT
from offramp.adapters.store import schema
from offramp.core.dates import parse_boundary
from offramp.core.model import Cause, Subject
from offramp.core.policy import Policy
from offramp.core.term import Source
from offramp.core.transitions import OffboardingStatus
from offramp.ports import Offboarding
from offramp.testing.builders import ENDS, make_policy

POLICY: Policy = make_policy()  # access ends with the license, and nothing else happens
_NAME = "organization-"
ORGANIZATION = f"{_NAME}1"
_ID_HEAD, _ID_FIRST = "019" + "0" * 21, 10_000_000  # together 32 digits


def fill_organizations(connection: sa.Connection, number: int) -> None:
    """Write so many organizations."""
    rows, counted = _series(number)
    name = _organization(counted)
    values = {
        "id": name,
        "name": name,
        "zone": sa.literal("UTC"),
        "locale": sa.literal("en"),
        "policy": sa.literal(POLICY.policy),
        "overrides": sa.literal({}, schema.organization.c.overrides.type),
    }
    _insert(connection, schema.organization, values, rows)


def fill_offboardings(connection: sa.Connection, number: int) -> None:
    """Let each of so many organizations leave, all of them due at the same instant."""
    rows, counted = _series(number)
    values: dict[str, sa.ColumnElement[Any]] = {
        "id": sa.literal(_ID_HEAD).concat(sa.cast(counted + _ID_FIRST, sa.Text)),
        "organization": _organization(counted),
        "member": sa.literal(""),
        "product": sa.literal(""),
        "policy": sa.literal(POLICY.policy),
        "policy_version": sa.literal(POLICY.version),
        "cause": sa.literal(Cause.EXPIRED.value),
        "source": sa.literal(Source.POOL.value),
        "ends": sa.literal(ENDS),
        "episode": sa.literal(1),
        "status": sa.literal(OffboardingStatus.OPEN.value),
        "opened_at": sa.literal(BEFORE, schema.offboarding.c.opened_at.type),
        "next_due_at": sa.literal(DUE_AT, schema.offboarding.c.next_due_at.type),
        "attempt": sa.literal(0),
    }
    _insert(connection, schema.offboarding, values, rows)


def fill_members(connection: sa.Connection, number: int) -> None:
    """Give one organization so many members."""
    rows, counted = _series(number)
    person = sa.literal("person-").concat(sa.cast(counted, sa.Text))
    values = {
        "organization": sa.literal(ORGANIZATION),
        "id": person,
        "email": person.concat("@organization-1.example"),
        "name": person,
        "locale": sa.literal("en"),
        "zone": sa.literal("UTC"),
    }
    _insert(connection, schema.member, values, rows)


def unopened_offboardings(number: int) -> list[Offboarding]:
    """Make the same off-boardings as values, for the store to open."""
    return [
        Offboarding(
            id=f"{_ID_HEAD}{_ID_FIRST + each}",
            subject=Subject(organization=f"{_NAME}{each}"),
            policy=POLICY.policy,
            policy_version=POLICY.version,
            cause=Cause.EXPIRED,
            source=Source.POOL,
            ends=parse_boundary(ENDS),
            episode=1,
            status=OffboardingStatus.OPEN,
            opened_at=BEFORE,
            next_due_at=DUE_AT,
        )
        for each in range(1, number + 1)
    ]


def _organization(counted: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    return sa.literal(_NAME).concat(sa.cast(counted, sa.Text))


def _insert(
    connection: sa.Connection,
    table: sa.Table,
    values: Mapping[str, sa.ColumnElement[Any]],
    rows: sa.CTE,
) -> None:
    chosen = sa.select(*values.values()).select_from(rows)
    connection.execute(table.insert().from_select([*values], chosen))


def _series(number: int) -> tuple[sa.CTE, sa.ColumnElement[int]]:
    """Count from one to a number, in the words that both databases know."""
    rows = sa.select(sa.literal(1).label("number")).cte("series", recursive=True)
    rows = rows.union_all(sa.select(rows.c.number + 1).where(rows.c.number < number))
    return rows, rows.c.number
