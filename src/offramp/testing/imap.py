"""A real mail server on loopback from which mail is read by IMAP.

Everything that keeps what comes back in tests lives here. It is a process of its own that somebody
else wrote, so that what is tested is what a vendor's server would have been asked.

Source: RFC 3501; the package pymap.
"""

import imaplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from offramp.testing.server import ServerUnavailable

HOST = "localhost"
USERNAME, PASSWORD = "returns", "öpen sesame"
INBOX = "INBOX"
START_SECONDS_MAX = 20.0
LOOK_SECONDS = 0.05
ANSWER_SECONDS_MAX = 10.0


class ImapCatcher:
    """A mailbox on a server that runs, seen through a connection of its own."""

    host = HOST

    def __init__(self, client: imaplib.IMAP4, *, port: int) -> None:
        """Look at a mailbox through a connection that is signed in."""
        self.port = port
        self._client = client

    def put(self, letter: bytes) -> None:
        """Let a letter arrive."""
        self._client.append(INBOX, "", "", letter)

    def letters(self, folder: str = INBOX) -> list[bytes]:
        """Give what is in a folder, in the order in which it came; reading changes nothing."""
        status, _ = self._client.select(f'"{folder}"', readonly=True)
        if status != "OK":
            return []
        _, (found,) = self._client.search(None, "ALL")
        return [self._letter(number) for number in found.decode().split()]

    def flags(self) -> list[frozenset[str]]:
        """Give the flags of every letter, without the one that says that it is new."""
        self._client.select(INBOX, readonly=True)
        _, answers = self._client.fetch("1:*", "(FLAGS)")
        found = [imaplib.ParseFlags(each) for each in answers if isinstance(each, bytes)]
        return [frozenset(f.decode() for f in flags) - {r"\Recent"} for flags in found]

    def delete(self, number: int) -> None:
        """Mark a letter as deleted, as a person's mail program does."""
        self._client.select(INBOX)
        self._client.store(str(number), "+FLAGS", r"(\Deleted)")

    def _letter(self, number: str) -> bytes:
        _, answers = self._client.fetch(number, "(BODY.PEEK[])")
        (content,) = [answer[1] for answer in answers if isinstance(answer, tuple)]
        return bytes(content)


@contextmanager
def running_imap(*, certificate: Path | None = None) -> Iterator[ImapCatcher]:
    """Run a server with one empty mailbox for the length of the block.

    Args:
        certificate: a file with its certificate and its key; without one it has no TLS.

    Raises:
        ServerUnavailable: the package is missing, or the server did not come up.
    """
    port = _free_port()
    tls = ["--no-tls"]
    if certificate is not None:
        tls = ["--cert", str(certificate), "--key", str(certificate)]
    mailbox = ["dict", "--demo-user", USERNAME, "--demo-password", PASSWORD]
    process = subprocess.Popen(
        [*_PROGRAM, "--host", HOST, "--port", str(port), *tls, *mailbox],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_until_it_listens(process, port)
        with imaplib.IMAP4(HOST, port, timeout=ANSWER_SECONDS_MAX) as client:
            client.authenticate("PLAIN", lambda _: f"\0{USERNAME}\0{PASSWORD}".encode())
            yield ImapCatcher(client, port=port)
    finally:
        process.kill()
        process.communicate()


# It would spend half a second on the password at each sign-in.
_QUICK = """
from pymap.config import IMAPConfig
from pymap.main import main
from pysasl.hashing import BuiltinHash
IMAPConfig._get_hash_context = classmethod(lambda cls, settings: BuiltinHash(rounds=1))
main()
"""
_PROGRAM: Sequence[str] = (sys.executable, "-c", _QUICK)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection((HOST, port)):
            return
        time.sleep(LOOK_SECONDS)
    said = process.stderr.read() if process.poll() is not None and process.stderr else b""
    reason = f"the mail server did not come up: {said.decode(errors='replace')}"
    raise ServerUnavailable(reason=reason, hint="pip install pymap")
