"""A mail server in a process of its own, as unreliable as it is told to be.

It puts some recipients off, refuses some for good, and breaks off conversations: before it has
taken a message, after it has but before it says so, and afterwards. What it took and whom it
refused stands in a file before anybody hears of it, so that what arrived can be counted whatever
dies meanwhile; and what it took is on the disk by then, as every server owes it to a sender.

Source: RFC 5321, sections 4.2.1 (replies) and 6.1 (responsibility for a message).
"""

import asyncio
import json
import logging
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import shake_256
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "localhost"
STOP_SECONDS = 20.0
_TAKEN, _REFUSED = "taken", "refused"
_DRAW_BYTES = 6
_ID_HEADER = b"\r\nMessage-ID: <"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often what goes wrong: shares of all recipients, or of all messages.

    Attributes:
        put_off: recipients that are told to come back later (451).
        refused: recipients that are told not to come back (550).
        unheard: messages whose conversation breaks off before they are taken.
        unanswered: messages that are taken, and whose conversation breaks off before the answer.
        hung_up: messages that are taken and answered, and whose connection is cut after that.
    """

    put_off: float = 0.0
    refused: float = 0.0
    unheard: float = 0.0
    unanswered: float = 0.0
    hung_up: float = 0.0
    seed: int = 17


NO_FAULTS = Faults()


class PostOffice:
    """The process for the length of a block.

    Attributes:
        port: chosen by the system.
    """

    host = HOST

    def __init__(
        self, book: Path, *, faults: Faults = NO_FAULTS, certificate: Path | None = None
    ) -> None:
        """Prepare a server that writes into a book, and speaks TLS where it has a certificate."""
        self._book = book
        pem = "" if certificate is None else str(certificate)
        self._order = json.dumps({"book": str(book), "certificate": pem, "faults": asdict(faults)})
        self.port = 0

    def __enter__(self) -> Self:
        """Start to listen."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "offramp.testing.post_office", self._order],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None, "it was asked for"
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; it ends with its input."""
        self._process.communicate(timeout=STOP_SECONDS)

    def taken(self) -> Iterator[tuple[str, str]]:
        """Give the id and the recipient of every message that was taken, in order."""
        return ((name, address) for word, name, address in self._entries() if word == _TAKEN)

    def refused(self) -> frozenset[str]:
        """Give the recipients that were refused for good."""
        return frozenset(address for word, _, address in self._entries() if word == _REFUSED)

    def _entries(self) -> Iterator[list[str]]:
        with self._book.open() as book:
            for line in book:
                yield line.rstrip("\n").split("\t")


class _Clerk:
    """Answers for the server, and keeps its book."""

    def __init__(self, book: Path, *, faults: Faults) -> None:
        self._book = os.open(book, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._faults = faults
        self._draws = 0

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, host: str, replies: list[str]
    ) -> list[str]:
        session.host_name = host
        return [*replies[:1], "250-PIPELINING", *replies[1:]]

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        draw = self._draw()
        if draw < self._faults.put_off:
            return "451 try later"
        if draw < self._faults.put_off + self._faults.refused:
            self._write(_REFUSED, "", address)
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        faults, draw = self._faults, self._draw()
        if draw < faults.unheard:
            return _broken_off(server)
        content = envelope.original_content or b""
        name = content.partition(_ID_HEADER)[2].partition(b">")[0].decode()
        self._write(_TAKEN, name, envelope.rcpt_tos[0])
        await asyncio.get_running_loop().run_in_executor(None, os.fsync, self._book)
        if draw < faults.unheard + faults.unanswered:
            return _broken_off(server)
        if draw < faults.unheard + faults.unanswered + faults.hung_up:
            asyncio.get_running_loop().call_soon(_broken_off, server)
        return "250 OK"

    def _draw(self) -> float:
        """Draw a number below one: with the same seed always the same ones in a row."""
        self._draws += 1
        drawn = shake_256(f"{self._faults.seed}/{self._draws}".encode()).digest(_DRAW_BYTES)
        return int.from_bytes(drawn, "big") / (1 << 8 * _DRAW_BYTES)

    def _write(self, *words: str) -> None:
        os.write(self._book, ("\t".join(words) + "\n").encode())


def _broken_off(server: SMTP) -> str:
    assert isinstance(server.transport, asyncio.WriteTransport), "whoever answers is connected"
    server.transport.abort()
    return "421 never heard"


async def _serve(order: str) -> None:
    told = json.loads(order)
    clerk = _Clerk(Path(told["book"]), faults=Faults(**told["faults"]))
    tls = None
    if told["certificate"]:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(told["certificate"])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(clerk, hostname=HOST, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0, ssl=tls
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # a conversation that breaks off is what we are here for
    asyncio.run(_serve(sys.argv[1]))
