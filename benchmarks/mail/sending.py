"""A process that sends mail to everybody of one organization: as a step does, or prepared.

Prepared are the very bytes that the step would have sent: it is carried out first, with a mailer
that keeps them. Then the same client hands them over, on as many connections.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from whenever import Instant

from benchmarks.mail.installation import DUE, Installation
from benchmarks.meter import peak_bytes
from offramp.adapters.mail_format import Envelope, format_mail
from offramp.adapters.mailer_smtp import Security, SmtpMailer, SmtpServer
from offramp.bootstrap import sender_of
from offramp.engine.sweep import run_until_quiet
from offramp.ports import HeldBack, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one process has sent, and what it took."""

    mails: int
    seconds: float
    cpu_seconds: float  # of this process alone
    peak_bytes: int


class KeepingMailer:
    """Writes mail as it would be sent, and keeps it."""

    def __init__(self, installation: Installation) -> None:
        """Keep nothing yet."""
        self._sender = sender_of(installation.settings)
        self.kept: list[Envelope] = []

    def send(self, message: Message, *, at: Instant) -> None:
        """Keep one mail."""
        self.kept.append(format_mail(message, sender=self._sender, at=at))

    def session(self) -> AbstractContextManager[None]:
        """Keep nothing open."""
        return nullcontext()

    def held_back(self) -> HeldBack:
        """Say that nothing waits."""
        return HeldBack()

    def was_accepted(self, message_id: str) -> bool | None:
        """Say that nobody can tell."""
        return None


def main(order: str, folder: str, port: str) -> None:
    """Send as ``step`` or ``prepared``."""
    installation = Installation(folder=Path(folder), port=int(port))
    send = _as_step if order == "step" else _prepared
    sys.stdout.write(json.dumps(asdict(send(installation))))


def _as_step(installation: Installation) -> Sent:
    with installation.context(at=DUE) as context:

        def send() -> int:
            run_until_quiet(context)
            with context.store.transaction() as transaction:
                (row,) = transaction.offboardings()
                tally = transaction.tally_deliveries(row.id, step="achievements")
            assert tally.accepted == tally.deliveries, "nothing goes wrong here"
            return tally.accepted

        return _measured(send)


def _prepared(installation: Installation) -> Sent:
    settings, mailer = installation.settings, KeepingMailer(installation)
    with installation.context(at=DUE, mailer=mailer) as context:
        run_until_quiet(context)
    client = SmtpMailer(
        SmtpServer(host=settings.mail_host, port=settings.mail_port, security=Security.NONE),
        sender=sender_of(settings),
        connections_max=settings.mail_connections,
    )

    def send() -> int:
        with client.session(), ThreadPoolExecutor(settings.mail_connections) as pool:
            return sum(1 for _ in pool.map(client.hand_over, mailer.kept))

    return _measured(send)


def _measured(send: Callable[[], int]) -> Sent:
    began, used = time.monotonic(), time.process_time()
    mails = send()
    return Sent(
        mails=mails,
        seconds=time.monotonic() - began,
        cpu_seconds=time.process_time() - used,
        peak_bytes=peak_bytes(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
