"""A real mail server on loopback that keeps what it is sent and refuses whom it is told to.

Everything that receives our own mail in tests and in the demo lives here. It speaks SMTP over a
socket, so that what is tested is what a vendor's mail server would have been sent.

Source: RFC 5321 for the replies.
"""

import asyncio
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
ANSWER_SECONDS_MAX = 10.0

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class CaughtMail:
    """One accepted mail: its content, and the envelope it came in."""

    content: bytes
    sender: str
    recipients: tuple[str, ...]

    @cached_property
    def message(self) -> EmailMessage:
        """The content as it is read, which takes longer than all the rest of taking it."""
        return message_from_bytes(self.content, policy=policy.default)


class SmtpCatcher:
    """A mail server for the length of a block.

    Attributes:
        messages: what was accepted, in order.
        port: chosen by the system, and kept while the server is down.
    """

    host = HOST

    def __init__(self, *, folder: Path | None = None, is_pipelining: bool = True) -> None:
        """Prepare a server that also writes each mail as a numbered file into the folder.

        Args:
            is_pipelining: announce that several commands may come at once, as most servers do.
        """
        self.messages: list[CaughtMail] = []
        self.port = 0
        self._folder = folder
        self._extensions = ["250-PIPELINING"] if is_pipelining else []
        self._refusals: dict[str, int] = {}
        self._sessions: list[SMTP] = []

    def __enter__(self) -> Self:
        """Start to listen."""
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, if the block has not done so already."""
        if self._is_up:
            self.down()

    def refuse(self, address: str, code: int) -> None:
        """Answer a recipient with a code from now on: 4xx try later, 5xx never."""
        assert 400 <= code <= 599, "a refusal is a 4xx or 5xx reply"
        self._refusals[address.casefold()] = code

    def accept(self, address: str) -> None:
        """Take mail for a recipient again."""
        self._refusals.pop(address.casefold(), None)

    def up(self) -> None:
        """Listen, on the same port as before if there was one."""
        assert not self._is_up, "the server is up already"
        listener = socket.create_server((HOST, self.port))
        self.port = listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="smtp-catcher", daemon=True)
        self._thread.start()
        self._server = self._wait_for(self._listen(listener))

    def down(self) -> None:
        """Cut every connection and refuse new ones, as a server does that has died."""
        self._wait_for(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, host: str, replies: list[str]
    ) -> list[str]:
        """Say what the server can do; the first line only names it."""
        session.host_name = host
        return [*replies[:1], *self._extensions, *replies[1:]]

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        """Answer one recipient of a mail."""
        if code := self._refusals.get(address.casefold()):
            return f"{code} {'try later' if code < 500 else 'no such mailbox'}"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a mail before the sender is told that it was taken."""
        content = envelope.original_content or b""
        if self._folder is not None:
            _write_numbered(content, folder=self._folder)
        self.messages.append(
            CaughtMail(
                content=content,
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
            )
        )
        return "250 OK"

    @property
    def _is_up(self) -> bool:
        return hasattr(self, "_loop") and not self._loop.is_closed()

    def _wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=ANSWER_SECONDS_MAX)

    async def _listen(self, listener: socket.socket) -> asyncio.Server:
        return await self._loop.create_server(self._answer, sock=listener)

    def _answer(self) -> SMTP:
        # The host name is given because the default asks the network for it.
        session = SMTP(self, hostname="localhost", enable_SMTPUTF8=True, loop=self._loop)
        self._sessions.append(session)
        return session

    async def _hang_up(self) -> None:
        self._server.close()
        for session in self._sessions:
            if session.transport is not None:
                session.transport.close()
        self._sessions.clear()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()


def _write_numbered(content: bytes, *, folder: Path) -> None:
    """Number on from what the folder holds, so that a second run never hides a first mail."""
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob("*.eml"))) + 1
    (folder / f"{number:04}.eml").write_bytes(content)
