"""The command as a process of its own, without the second that its imports take.

A process that has imported the command, and read the files that most runs read, forks once for
every run. What it forks is `python -m offramp` from there on: with its own arguments, folder,
environment, streams and exit. Two such processes take turns, since each has its own hash seed:
what two runs must say in the same words they say with different seeds, as two cold starts would.

`Installation.start` still starts the command cold, and `test_forked.py` compares the two.
"""

import atexit
import gc
import itertools
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile

from offramp.documents.yaml import load_yaml
from tests.commands import every_command

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 60
NUMBER_BYTES = 4
IMPORTED_WHEN_NEEDED = ("offramp.adapters.store.upgrade",)
READ_OFTEN = (
    *(ROOT / "src" / "offramp" / "presets").glob("*.yaml"),
    ROOT / "examples" / "training_platform" / "datamap.yaml",
)


def run(*arguments, folder, environment, given="", seconds_max=SECONDS_MAX):
    """Run the command to its end, with a text on its standard input.

    Raises:
        TimeoutExpired: it did not come to its end in time, and was killed.
    """
    request = {"arguments": arguments, "folder": str(folder), "environment": environment}
    with ExitStack() as stack:
        streams = [stack.enter_context(TemporaryFile("w+", encoding="utf-8")) for _ in range(3)]
        stdin, stdout, stderr = streams
        stdin.write(given)
        stdin.seek(0)
        numbers = [stream.fileno() for stream in streams]
        code = next(_parents()).run(request, numbers, seconds_max=seconds_max)
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(arguments, code, stdout.read(), stderr.read())


@cache
def _parents():
    return itertools.cycle([Parent(), Parent()])


class Parent:
    """A process that has imported the command, as the tests see it."""

    def __init__(self):
        self._line, its_line = socket.socketpair()
        with its_line:
            number = its_line.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(number)],
                cwd=ROOT,
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        atexit.register(self._close)

    def run(self, request, streams, *, seconds_max):
        """Have a child run what is asked for; give its exit code."""
        told = json.dumps(request).encode()
        socket.send_fds(self._line, [_bytes(len(told))], streams)
        self._line.sendall(told)
        child = _hear_number(self._line)
        self._line.settimeout(seconds_max)
        try:
            return _hear_number(self._line)
        except TimeoutError as error:
            os.kill(child, signal.SIGKILL)
            self._line.settimeout(None)
            _hear_number(self._line)
            raise subprocess.TimeoutExpired(request["arguments"], seconds_max) from error
        finally:
            self._line.settimeout(None)

    def _close(self):
        self._line.close()
        self._process.wait()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One run, as the parent hears of it."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    streams: list[int]

    def begin(self):
        """Turn this process into the command."""
        for number, stream in enumerate(self.streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv[1:] = self.arguments
        given = self.environment.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:1] = [self.folder, *(path for path in given if path and path not in sys.path)]
        runpy.run_module("offramp", run_name="__main__", alter_sys=True)


def fork_for_each(line):
    """Wait for what is asked, and give it in a child of its own; end when nobody asks any more."""
    while (asked := _hear(line)) is not None:
        child = os.fork()
        if child == 0:
            line.close()
            return asked
        for stream in asked.streams:
            os.close(stream)
        line.sendall(_bytes(child))
        _, status = os.waitpid(child, 0)
        line.sendall(_bytes(os.waitstatus_to_exitcode(status)))
    sys.exit()


def _hear(line):
    length, streams, _, _ = socket.recv_fds(line, NUMBER_BYTES, maxfds=3)
    if not length:
        return None
    told = line.recv(int.from_bytes(length), socket.MSG_WAITALL)
    return Asked(streams=streams, **json.loads(told))


def _hear_number(line):
    told = line.recv(NUMBER_BYTES, socket.MSG_WAITALL)
    assert told, "the process that forks the command is gone"
    return int.from_bytes(told, signed=True)


def _bytes(number):
    return number.to_bytes(NUMBER_BYTES, signed=True)


if __name__ == "__main__":
    every_command()  # is imported by being listed
    for module in IMPORTED_WHEN_NEEDED:
        import_module(module)
    for file in READ_OFTEN:
        load_yaml(file)
    gc.freeze()  # a child that collects would copy every page of what was imported
    fork_for_each(socket.socket(fileno=int(sys.argv[1]))).begin()
