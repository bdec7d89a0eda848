#!/usr/bin/env python3
"""Everything a developer does here, with nothing installed first.

    python3 dev.py demo                     watch two organizations leave
    python3 dev.py test -k holds            run tests; what follows goes to pytest
    python3 dev.py lint types               several commands, one after the other

The first run makes `.venv` and installs the locked packages; later runs cost nothing. This file
needs Python's own library only, and is the one way in for people and for continuous integration.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMP = VENV / "installed.sha256"
LOCK = ROOT / "requirements" / "all.txt"
PROJECT = ROOT / "pyproject.toml"
# The interpreter behind this one, should somebody run us from inside the environment.
PYTHON = Path(sys.executable).resolve()

PYTHON_OLDEST = (3, 11)
ELSEWHERE = "mariadb or browser or foreign"  # marks of the tests that need more than pip can carry
MEMORY, ROOM_BYTES = Path("/dev/shm"), 8 * 2**30  # noqa: S108 (where tests work, if they can)
PARALLEL = ("-n", "3", "--dist", "worksteal")  # many a test waits; `-n 0` for a debugger

QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
QUIET["DEBIAN_FRONTEND"] = "noninteractive"
# uv trusts its own certificates and leaves byte-code unwritten unless told.
UV = {"UV_SYSTEM_CERTS": "1", "UV_COMPILE_BYTECODE": "1", "UV_LINK_MODE": "copy"}


class Failure(Exception):
    """What stops us, as a sentence for the person at the keyboard."""


def setup(*_: str) -> int:
    """Make .venv with exactly the locked packages, if it is not there already."""
    stamp = _stamp()
    if STAMP.exists() and STAMP.read_text() == stamp:
        return 0
    began = time.monotonic()
    print("Preparing .venv (once per change of the locked packages) …", flush=True)
    _make_environment()
    _install_packages()
    STAMP.write_text(stamp)
    print(f"Ready after {time.monotonic() - began:.0f} s.", flush=True)
    return 0


def demo(*arguments: str) -> int:
    """Watch two organizations leave, on real databases with real mail."""
    return _run("offramp", "demo", *arguments)


def test(*arguments: str) -> int:
    """Run every test that needs only what pip can carry."""
    return _run("pytest", *PARALLEL, "-m", f"not ({ELSEWHERE})", *arguments)


def integration(*arguments: str) -> int:
    """Run the tests on real databases and servers."""
    return _run("pytest", "tests/integration", *arguments)


def acceptance(*arguments: str) -> int:
    """Run the tests that name the rows of the mission."""
    return _run("pytest", "tests/acceptance", *arguments)


def docs(*arguments: str) -> int:
    """Run the tests of the documentation and of the house rules."""
    return _run("pytest", "tests/docs", *arguments)


def sim(*arguments: str) -> int:
    """Run the simulation; --seed N replays one story; --stories, --days, --organizations N."""
    settings, rest = {}, arguments
    for name in ("seed", "stories", "days", "organizations"):
        value, rest = _take_option(f"--{name}", rest)
        if value is not None:
            settings[name.upper()] = value
    return _run("pytest", *PARALLEL, "tests/simulation", *rest, settings=settings)


def bench(*arguments: str) -> int:
    """Measure: rows per second, memory, lock time; the schedule, the queue, who takes over."""
    if "data" in arguments[:1]:
        _bring("mariadb-server", program="mariadbd")
    return _run("python", "-m", "benchmarks", *arguments)


def lint(*arguments: str) -> int:
    """Check style, formatting, and that imports go down only."""
    return max(
        _run("ruff", "check", *arguments),
        _run("ruff", "format", "--check", *arguments),
        _run("lint-imports"),
    )


def types(*arguments: str) -> int:
    """Check the types, strictly."""
    return _run("mypy", *arguments)


def check(*arguments: str) -> int:
    """Do everything; `--rest` leaves out what `test` has already done."""
    _bring("mariadb-server", program="mariadbd")
    _bring("chromium", program="chromium")
    arguments = ("-m", ELSEWHERE) if "--rest" in arguments else arguments
    return max(lint(), types(), _run("pytest", *PARALLEL, *arguments))


def lock(*arguments: str) -> int:
    """Resolve the packages again into requirements/all.txt; `--upgrade` takes newer ones."""
    return _run(
        *("uv", "pip", "compile", "pyproject.toml", "--all-extras"),
        *("--group", "dev", "--group", "bench"),
        *("--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate"),
        *("--quiet", "--custom-compile-command", "python3 dev.py lock"),
        *("--output-file", str(LOCK.relative_to(ROOT)), *arguments),
        settings=UV,
    )


_ALL = (setup, demo, test, lint, types, integration, acceptance, docs, bench, sim, check, lock)
COMMANDS = {command.__name__: command for command in _ALL}


def main(arguments: list[str]) -> int:
    """Run the commands named first, in order; the last one gets what follows."""
    if not arguments or arguments[0] in ("help", "--help", "-h"):
        print(_help())
        return 0
    names = list(itertools.takewhile(COMMANDS.__contains__, arguments))
    if not names:
        raise Failure(f"There is no command {arguments[0]}.\n{_help()}")
    setup()
    *first, last = names
    return max([*(COMMANDS[name]() for name in first), COMMANDS[last](*arguments[len(names) :])])


def _help() -> str:
    commands = (f"    {name:<12} {command.__doc__}" for name, command in COMMANDS.items())
    return "\n".join([str(__doc__), *commands])


def _stamp() -> str:
    """Sum up what the environment is made from: interpreter, packages, and our own metadata."""
    made_from = hashlib.sha256(f"{PYTHON} {sys.version}".encode())
    made_from.update(LOCK.read_bytes())
    made_from.update(PROJECT.read_bytes())
    return made_from.hexdigest()


def _make_environment() -> None:
    """Make .venv without pip, which Debian's Python cannot put into it; keep one that fits."""
    STAMP.unlink(missing_ok=True)
    other = (BIN / "python").resolve() != PYTHON
    venv.create(VENV, clear=other, symlinks=True, with_pip=False)


def _install_packages() -> None:
    """Install the lock file and then ourselves, by uv where it runs and by pip where not."""
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--python", str(BIN / "python"), "install"]
    by_hash = ["--require-hashes", "-r"]
    ourselves = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(_locked("uv"))
        got_uv = _succeeds([*pip, *by_hash, str(only_uv)])
    uv = [str(BIN / "uv"), "pip"]
    into = ["--quiet", "--python", str(BIN / "python")]
    if got_uv and _succeeds([*uv, "sync", *into, *by_hash[:1], str(LOCK)]):
        installed = _succeeds([*uv, "install", *into, *ourselves])
    else:
        print("uv does not work here; installing by pip, which takes longer …", flush=True)
        installed = _succeeds([*pip, *by_hash, str(LOCK)]) and _succeeds([*pip, *ourselves])
    if not installed:
        raise Failure("The packages could not be installed; what pip said is above.")


def _locked(name: str) -> str:
    """Cut one package with its hashes out of the lock file."""
    lines = iter(LOCK.read_text().splitlines())
    block = [next(line for line in lines if line.startswith(f"{name}=="))]
    while block[-1].endswith("\\"):
        block.append(next(lines))
    return "\n".join(block) + "\n"


def _bring(package: str, *, program: str) -> None:
    """Install one of the system's packages, where it is missing and we are root on Debian."""
    apt_get, places = shutil.which("apt-get"), f"{os.defpath}:/usr/sbin:/usr/local/sbin"
    if shutil.which(program, path=places) or os.geteuid() != 0 or not apt_get:
        return
    print(f"Installing {package} by apt-get …", flush=True)
    _succeeds([apt_get, "-qq", "update"])
    _succeeds([apt_get, "-qq", "install", "-y", "--no-install-recommends", package])


def _take_option(name: str, arguments: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """Take `name value` out of the arguments."""
    if name not in arguments[:-1]:
        return None, arguments
    at = arguments.index(name)
    return arguments[at + 1], arguments[:at] + arguments[at + 2 :]


def _succeeds(command: list[str]) -> bool:
    """Run one step of the set-up."""
    return subprocess.run(command, env={**os.environ, **QUIET, **UV}, check=False).returncode == 0


def _run(program: str, *arguments: str, settings: dict[str, str] | None = None) -> int:
    """Run a program of the environment in the repository, and give its exit code."""
    command = [str(BIN / program), *arguments]
    environment = {**os.environ, **(settings or {})}
    # The tests start our program a thousand times; it has to be compiled only once.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if program == "pytest" and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES:
        environment.setdefault("TMPDIR", str(MEMORY))  # on a disk each commit would wait for it
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    try:
        if sys.version_info < PYTHON_OLDEST:
            raise Failure(f"Offramp needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        sys.exit(str(failure))
    except OSError as error:
        sys.exit(f"The environment {VENV} cannot be used: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
