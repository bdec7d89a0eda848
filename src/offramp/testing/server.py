"""What every private server for tests needs: a folder, an owner who is not root, and an end.

Everything that starts or stops a throw-away database program lives here. A server keeps its
files in a folder that only its owner may enter, leaves nothing after its block, and dies with the
process that started it, however that process ends.

Database servers refuse to run as root, so root hands them to the system's `nobody`.
"""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from offramp.core.errors import Unavailable

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02

# The shell waits for the end of its input, which the system closes when our process is gone.
GUARDIAN = """
"$@" & server=$!
read -r _
kill -"$STOP_SIGNAL" $server
wait $server
cd / && rm -rf -- "$FOLDER"
"""


class ServerUnavailable(Unavailable):
    """A server for tests cannot be started: {reason}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The private folder of one server, and the user it runs as."""

    folder: Path
    owner: pwd.struct_passwd

    def __post_init__(self) -> None:
        """Give the folder to its owner."""
        self.take(self.folder)

    @property
    def data(self) -> Path:
        """Where the server keeps its databases."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Where the server says what is wrong."""
        return self.folder / "server.log"

    def take(self, place: Path) -> None:
        """Make a folder, and everything in it, the owner's."""
        if os.geteuid() == 0:
            for taken in (place, *place.rglob("*")):
                os.chown(taken, self.owner.pw_uid, self.owner.pw_gid)

    def run(self, command: Sequence[str]) -> None:
        """Run a program to its end as the owner."""
        try:
            done = subprocess.run(
                command, **self._process(), capture_output=True, text=True, check=False
            )
        except PermissionError as error:
            reason = f"{self.owner.pw_name} may not enter {error.filename}"
            raise ServerUnavailable(reason=reason) from error
        if done.returncode:
            raise ServerUnavailable(reason=done.stderr.strip() or f"exit {done.returncode}")

    def may_run(self, program: Path) -> bool:
        """Ask the system itself whether the owner gets as far as running the program."""
        try:
            self.run([str(program), "--version"])
        except ServerUnavailable:
            return False
        return True

    @contextmanager
    def serving(
        self, command: Sequence[str], *, socket: Path, url: str, stop_signal: str
    ) -> Iterator[None]:
        """Keep the server running for the length of the block, which begins when it answers.

        Args:
            command: the program and its options; it stays in the foreground.
            socket: the file it listens on.
            url: where it answers, by that file.
            stop_signal: what ends it quickly and in order, without the leading SIG.
        """
        with (
            self.log.open("wb") as log,
            subprocess.Popen(
                ["/bin/sh", "-c", GUARDIAN, "guardian", *command],
                **self._process(stop_signal=stop_signal),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours; the server is told when we are done
            ) as guardian,
        ):
            try:
                self._wait_until_ready(url, socket=socket)
                yield
            finally:
                guardian.communicate(timeout=STOP_SECONDS_MAX)

    def _process(self, *, stop_signal: str = "TERM") -> dict[str, Any]:
        """Say how a program is started here: in the folder, as the owner, with nothing of ours."""
        environment = {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "FOLDER": str(self.folder),
            "STOP_SIGNAL": stop_signal,
        }
        place = {"cwd": self.folder, "env": environment}
        if os.geteuid() != 0:
            return place
        return place | {
            "user": self.owner.pw_uid,
            "group": self.owner.pw_gid,
            "extra_groups": (),
        }

    def _wait_until_ready(self, url: str, *, socket: Path) -> None:
        """Ask until there is an answer, and not before there is somebody who could give one."""
        deadline = monotonic() + START_SECONDS_MAX
        while not (socket.exists() and _answers(url)):
            if monotonic() > deadline:
                last_lines = self.log.read_text(errors="replace").splitlines()[-3:]
                raise ServerUnavailable(reason=" / ".join(last_lines))
            sleep(POLL_SECONDS)


@contextmanager
def private_home(*, prefix: str, folder: Path | None) -> Iterator[Home]:
    """Make a server's folder for the length of the block.

    Args:
        prefix: what its name begins with.
        folder: where it is made; the system's temporary folder if not given. As root it must be
            one that other users may enter.
    """
    with tempfile.TemporaryDirectory(
        prefix=prefix, dir=folder, ignore_cleanup_errors=True
    ) as private:
        yield Home(folder=Path(private), owner=_owner())


def execute(url: str, statement: str) -> None:
    """Run one statement outside of any transaction, on a connection of its own."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))


def _answers(url: str) -> bool:
    try:
        execute(url, "SELECT 1")
    except OperationalError:
        return False
    return True


def _owner() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
