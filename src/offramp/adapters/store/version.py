"""Whether the tables of a store are those that this program knows; asked without Alembic.

The migrations are numbered, and a revision is the number that its file begins with.

Source: ``upgrade``; Alembic, "The Migration Environment".
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from offramp.ports import StoreVersionDiffers

VERSIONS = Path(__file__).parent / "migrations" / "versions"
VERSIONED = table("alembic_version", column("version_num"))
VERSION = VERSIONED.c.version_num


def require_newest(connection: Connection) -> None:
    """Refuse to look at tables that another version of the program has made or changed.

    Raises:
        StoreVersionDiffers: they are not those that this version works with.
    """
    require_same(_version_in(connection))


def require_same(found: str | None) -> None:
    """Refuse the version of tables that are not those of this program.

    Raises:
        StoreVersionDiffers: they are not those that this version works with.
    """
    if found != newest():
        raise StoreVersionDiffers(
            found=found or "none", expected=newest(), hint="restart with the program that fits"
        )


def is_newest(connection: Connection) -> bool:
    """Whether the tables are there, and those that this version works with."""
    return inspect(connection).has_table(VERSIONED.name) and _version_in(connection) == newest()


def _version_in(connection: Connection) -> str | None:
    return connection.scalar(select(VERSION))


@cache
def newest() -> str:
    """Give the number of the last migration."""
    numbers = (file.name.partition("_")[0] for file in VERSIONS.glob("*.py"))
    return max(number for number in numbers if number.isdecimal())
