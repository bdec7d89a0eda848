"""The platform's own report of who holds what until when, as three CSV files.

python -m examples.training_platform.roster --database URL --folder FOLDER
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa

from examples.training_platform.database import open_engine
from examples.training_platform.schema import (
    companies,
    licence_pools,
    membership_grants,
    memberships,
    seats,
    users,
)

ORGANIZATION_COLUMNS = ("organization", "name", "zone", "locale", "policy")
POOL_COLUMNS = ("organization", "pool", "product", "kind", "seats", "ends_on")
MEMBER_COLUMNS = (
    *("organization", "member", "email", "name", "roles"),
    *("locale", "zone", "pools", "ends_on"),
)
# The terms that the platform has published for what happens when the last pool ends.
PUBLISHED_TERMS = "license-pool"
ROLES_OF: Mapping[str, tuple[str, ...]] = {
    "member": ("member",),
    "admin": ("member", "admin"),
    "owner": ("member", "admin", "owner"),
}


def write_roster(source: sa.Engine | sa.Connection, folder: Path) -> None:
    """Write organizations.csv, pools.csv and members.csv into a folder, making it if needed."""
    if isinstance(source, sa.Engine):
        with source.connect() as connection:
            write_roster(connection, folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "organizations.csv", ORGANIZATION_COLUMNS, _organizations(source))
    _write(folder / "pools.csv", POOL_COLUMNS, _pools(source))
    _write(folder / "members.csv", MEMBER_COLUMNS, _members(source))


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the report that the command line asks for."""
    parser = argparse.ArgumentParser(description="Write the roster as three CSV files.")
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument("--folder", required=True, type=Path)
    asked = parser.parse_args(arguments)
    engine = open_engine(asked.database)
    try:
        write_roster(engine, asked.folder)
    finally:
        engine.dispose()


def _write(path: Path, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)


def _organizations(connection: sa.Connection) -> Iterable[Sequence[object]]:
    for row in connection.execute(sa.select(companies).order_by(companies.c.id)):
        yield (row.id, row.name, row.time_zone, row.settings["locale"], PUBLISHED_TERMS)


def _pools(connection: sa.Connection) -> Iterable[Sequence[object]]:
    for row in connection.execute(sa.select(licence_pools).order_by(licence_pools.c.id)):
        yield (row.company_id, row.id, row.product, row.kind, row.seats, row.ends_on)


def _members(connection: sa.Connection) -> Iterable[Sequence[object]]:
    pools = _gather(connection, seats.c.user_id, seats.c.pool_id)
    grants = _gather(connection, membership_grants.c.user_id, membership_grants.c.grant_name)
    rows = connection.execute(
        sa.select(
            users, memberships.c.role, companies.c.settings, companies.c.time_zone.label("zone")
        )
        .join(memberships, memberships.c.user_id == users.c.id)
        .join(companies, companies.c.id == users.c.company_id)
        .order_by(users.c.id)
    )
    for row in rows:
        billing = ("billing",) if "billing" in grants[row.id] else ()
        yield (
            row.company_id,
            row.id,
            row.email,
            f"{row.first_name} {row.last_name}",
            ";".join((*ROLES_OF[row.role], *billing)),
            row.locale or row.settings["locale"],
            row.time_zone or row.zone,
            ";".join(pools[row.id]),
            row.leaves_on or "",
        )


def _gather(
    connection: sa.Connection, user: sa.Column[int], value: sa.Column[int] | sa.Column[str]
) -> Mapping[int, Sequence[str]]:
    gathered: dict[int, list[str]] = defaultdict(list)
    for user_id, found in connection.execute(sa.select(user, value).order_by(user, value)):
        gathered[user_id].append(str(found))
    return gathered


if __name__ == "__main__":
    main()
