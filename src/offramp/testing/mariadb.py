"""A private MariaDB server for tests and trials, from the system's package.

Everything that is MariaDB's own about a throw-away server lives here. pip cannot carry its
programs; on Debian `apt-get install mariadb-server` brings them, and nothing of what that package
sets up is used: the server listens on a socket in its private folder, and keeps its files there.

Source: the MariaDB manual, "mariadb-install-db" and "mariadbd Options".
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import URL, make_url

from offramp.testing.server import Home, ServerUnavailable, execute, private_home

PLACES = f"{os.defpath}:/usr/sbin:/usr/local/sbin"  # a server's program is in no user's path

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        # A test that loses its machine loses its database too; durability would only cost time.
        "innodb-flush-log-at-trx-commit": "0",
        "innodb-doublewrite": "0",
        "innodb-flush-method": "nosync",
        "innodb-buffer-pool-size": "64M",
        "innodb-log-file-size": "32M",
        "innodb-lock-wait-timeout": "10",
        "max-connections": "60",
        "performance-schema": "OFF",
        "character-set-server": "utf8mb4",
        "collation-server": "utf8mb4_general_ci",
    }
)

_database_numbers = count(1)


@contextmanager
def running_mariadb(
    folder: Path | None = None,
    *,
    settings: Mapping[str, str] = SETTINGS,
    data: Path | None = None,
) -> Iterator[str]:
    """Run a MariaDB server for the length of the block.

    Args:
        folder: where the server's private folder is made; the system's temporary folder if
            not given. As root it must be one that other users may enter.
        settings: of the server, by name.
        data: the folder of its databases, which outlives the block: the server starts with what
            is there, or empty if it does not exist. A new one that goes with the block, if not
            given. As root its parent must be one that other users may enter.

    Yields:
        A SQLAlchemy URL of a maintenance database, to be given to `fresh_database`.

    Raises:
        ServerUnavailable: a program is missing, or the server did not come up.
    """
    with private_home(prefix="offramp-mariadb-", folder=folder) as home:
        place = data or home.data
        place.mkdir(exist_ok=True)
        home.take(place)
        if not any(place.iterdir()):
            home.run([_program("mariadb-install-db"), *_installation(home, place)])
        server = [_program("mariadbd"), *_options(home, place, settings)]
        with home.serving(server, socket=_socket(home), url=_url(home), stop_signal="TERM"):
            yield _url(home)


@contextmanager
def fresh_database(base_url: str) -> Iterator[str]:
    """Create a database for the length of the block, and drop it afterwards.

    Args:
        base_url: the URL `running_mariadb` gave.
    """
    name = f"fresh_{os.getpid()}_{next(_database_numbers)}"
    execute(base_url, f"CREATE DATABASE `{name}`")
    try:
        yield make_url(base_url).set(database=name).render_as_string(hide_password=False)
    finally:
        execute(base_url, f"DROP DATABASE `{name}`")


def _program(name: str) -> str:
    found = shutil.which(name, path=PLACES)
    if found is None:
        raise ServerUnavailable(
            reason=f"{name} is not installed", hint="apt-get install mariadb-server"
        )
    return found


def _installation(home: Home, place: Path) -> Sequence[str]:
    return (
        "--no-defaults",
        f"--datadir={place}",
        f"--tmpdir={home.folder}",
        "--auth-root-authentication-method=normal",  # only the owner may enter the socket's folder
        "--skip-test-db",
        "--skip-name-resolve",
    )


def _options(home: Home, place: Path, settings: Mapping[str, str]) -> Sequence[str]:
    return (
        "--no-defaults",
        f"--datadir={place}",
        f"--tmpdir={home.folder}",  # a server that starts removes what others left in theirs
        f"--socket={_socket(home)}",
        f"--pid-file={home.folder / 'server.pid'}",
        "--skip-networking",
        *(f"--{name}={value}" for name, value in settings.items()),
    )


def _url(home: Home) -> str:
    location = URL.create(
        "mysql+pymysql",
        username="root",
        host="localhost",
        database="mysql",
        query={"unix_socket": str(_socket(home))},
    )
    return location.render_as_string(hide_password=False)


def _socket(home: Home) -> Path:
    return home.folder / "server.sock"
