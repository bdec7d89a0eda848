"""The roster report: organizations, what they bought and who uses it, as three CSV files.

Run it with ``python -m examples.note_taking.roster --database URL --folder FOLDER``.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa

from examples.note_taking.database import open_engine
from examples.note_taking.schema import (
    organizations,
    product_access,
    products,
    subscriptions,
    users,
)

POLICY = "edit-only-grace"
ROLES = {"member": "member", "admin": "member;admin", "owner": "member;admin;owner;billing"}


def write_roster(engine: sa.Engine, folder: Path) -> None:
    """Write organizations.csv, pools.csv and members.csv into a folder, in UTF-8."""
    folder.mkdir(parents=True, exist_ok=True)
    with engine.connect() as connection:
        _write(
            folder / "organizations.csv",
            header=("organization", "name", "zone", "locale", "policy"),
            rows=((*row, POLICY) for row in connection.execute(_select_organizations())),
        )
        _write(
            folder / "pools.csv",
            header=("organization", "pool", "product", "kind", "seats", "ends_on"),
            rows=connection.execute(_select_pools()),
        )
        _write(
            folder / "members.csv",
            header=(
                *("organization", "member", "email", "name", "roles"),
                *("locale", "zone", "pools", "ends_on"),
            ),
            rows=_describe_members(connection),
        )


def _write(file: Path, *, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


def _select_organizations() -> sa.Select[tuple[str, str, str, str]]:
    columns = organizations.c
    listed = sa.select(columns.id, columns.name, columns.time_zone, columns.locale)
    return listed.order_by(columns.id)


def _select_pools() -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(
            subscriptions.c.organization_id,
            subscriptions.c.id,
            products.c.code,
            subscriptions.c.kind,
            subscriptions.c.seats,
            subscriptions.c.ends_on,
        )
        .join(products)
        .order_by(subscriptions.c.id)
    )


def _describe_members(connection: sa.Connection) -> Iterable[tuple[object, ...]]:
    """Yield one line per person, with the subscriptions they hold a seat in."""
    seats: dict[str, list[str]] = {}
    taken = product_access.c.subscription_id
    held = sa.select(product_access.c.user_id, taken).where(taken.is_not(None)).order_by(taken)
    for user_id, subscription_id in connection.execute(held):
        seats.setdefault(user_id, []).append(str(subscription_id))
    people = sa.select(users).order_by(users.c.organization_id, users.c.id)
    for person in connection.execute(people):
        yield (
            person.organization_id,
            person.id,
            person.email,
            person.display_name,
            ROLES[person.role],
            person.locale,
            person.time_zone,
            ";".join(seats.get(person.id, [])),
            person.removed_on,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the report of one database."""
    parser = argparse.ArgumentParser(description="Write the roster report as three CSV files.")
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument("--folder", required=True, type=Path)
    options = parser.parse_args(arguments)
    engine = open_engine(options.database)
    write_roster(engine, options.folder)
    engine.dispose()


if __name__ == "__main__":
    main()
