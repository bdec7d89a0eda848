"""A PostgreSQL with the extensions of its distribution, which the one from pip does not carry."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin")
NEEDED = "pg_trgm.control"
SETTINGS = (
    *("-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off"),
    *("-c", "full_page_writes=off", "-c", "shared_buffers=64MB"),
)


def programs():
    """Find the newest programs that have the extensions; as root they are installed if missing."""
    found = _found()
    if found is None and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "postgresql", "postgresql-contrib"]):
            subprocess.run(["apt-get", *command], check=True, env=environment, timeout=300)
        found = _found()
    assert found is not None, "install PostgreSQL with its contrib package"
    return found


def _found():
    able = []
    for place in PLACES:
        for folder in Path("/").glob(place.lstrip("/")):
            shown = (
                subprocess.run(
                    [folder / "pg_config", "--sharedir"],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if (folder / "pg_config").exists()
                else None
            )
            shared = Path(shown.stdout.strip()) if shown else _shared_of(folder)
            if (shared / "extension" / NEEDED).exists() and (folder / "initdb").exists():
                able.append(folder)
    return max(able, default=None)


def _shared_of(folder):
    return Path("/usr/share/postgresql") / folder.parent.name


@contextmanager
def running():
    """Run a server on a socket of its own, and give its folder."""
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    as_owner = {"user": owner.pw_uid, "group": owner.pw_gid} if os.geteuid() == 0 else {}
    binaries = programs()
    with tempfile.TemporaryDirectory(prefix="offramp-foreign-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        shutil.chown(folder, owner.pw_uid, owner.pw_gid)
        quiet = {"check": True, "capture_output": True, "cwd": folder, **as_owner}
        data = str(folder / "data")
        options = ["-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8"]
        subprocess.run([binaries / "initdb", "-D", data, *options], **quiet)
        control = [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        started = ["-o", " ".join((*SETTINGS, "-k", made)).replace("addresses=", "addresses=''")]
        subprocess.run([*control, *started, "start"], **quiet)
        try:
            yield made
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


def execute(host, statement, *, database="postgres"):
    with psycopg.connect(
        host=host, user="postgres", dbname=database, autocommit=True
    ) as connection:
        connection.execute(statement)
