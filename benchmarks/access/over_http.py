"""The same question asked over HTTP: of our server, and of endpoints that decide nothing.

Every server is a process of its own, has the settings of `offramp serve`, and is asked by the same
client over connections that stay open. The bare endpoints read and write the same documents, and
give one answer to everything: one in a thread, as whoever asks a store has to, and one at once.

Source: docs/performance-access.md.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from threading import Thread
from time import perf_counter

from fastapi import FastAPI

from benchmarks.access.ground import ASKED, ORGANIZATION, PRODUCT, member_id, open_world
from benchmarks.child import ROOT
from benchmarks.samples import Samples
from offramp.adapters.clock import SystemClock
from offramp.documents.authzen import Advice, AnswerDocument, QuestionDocument
from offramp.web.address import HOST, open_listener
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.api.authzen import PREFIX
from offramp.web.api.serving import serve

SIDES = ("ours", "bare", "bare at once")
CONNECTIONS = 4
WARM_UP = 200
PEOPLE = 100
_PATH = f"{PREFIX}/evaluation"
_KEY = "k" * 32
_ANY_PORT = "0"
_BYTES_MAX = 64 * 1024


def ask_servers(folder: Path, samples: Samples, *, rounds: int, requests: int) -> None:
    """Note for each round how long a question takes of each side, in microseconds."""
    with ExitStack() as running:
        ports = {side: running.enter_context(_server(side, folder)) for side in SIDES}
        for port in ports.values():
            _ask(port, requests=WARM_UP)
        for number in range(rounds):
            for side in SIDES[:: -1 if number % 2 else 1]:
                samples.note(f"HTTP {side}", _ask(ports[side], requests=requests))


@contextmanager
def _server(side: str, folder: Path) -> Iterator[int]:
    """Run a server for as long as the block runs, and give its port."""
    command = [sys.executable, "-m", __name__, side, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None, "it was asked for"
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _ask(port: int, *, requests: int) -> float:
    each = requests // CONNECTIONS
    threads = [Thread(target=_ask_in_turn, args=(port, each)) for _ in range(CONNECTIONS)]
    began = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (perf_counter() - began) / (each * CONNECTIONS) * 1e6


def _ask_in_turn(port: int, requests: int) -> None:
    with socket.create_connection((HOST, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in islice(cycle(_REQUESTS), requests):
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(_BYTES_MAX)
            assert b'{"decision":true,' in answer, "everybody may"


def _request(number: int) -> bytes:
    where = {"product": PRODUCT, "surface": "app"}
    body = json.dumps(
        {
            "subject": {"type": "user", "id": member_id(number)},
            "action": {"name": ASKED[number % len(ASKED)]},
            "resource": {"type": "organization", "id": ORGANIZATION, "properties": where},
        }
    )
    lines = (
        f"POST {_PATH} HTTP/1.1",
        f"Host: {HOST}",
        f"Authorization: Bearer {_KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", body)).encode()


_REQUESTS = tuple(_request(number) for number in range(0, PEOPLE, 2))


def _ours(folder: Path) -> FastAPI:
    context = replace(open_world(folder).context, clock=SystemClock())
    return create_app(context, access_keys=AccessKeys.parse(_KEY))


def _bare(*, is_at_once: bool) -> FastAPI:
    app = FastAPI()

    def answer() -> AnswerDocument:
        advice = Advice(stage="active", level="full", voter=ORGANIZATION, until=None)
        return AnswerDocument(decision=True, context=advice)

    if is_at_once:

        @app.post(_PATH)
        async def evaluation_at_once(question: QuestionDocument) -> AnswerDocument:
            return answer()

    else:

        @app.post(_PATH)
        def evaluation(question: QuestionDocument) -> AnswerDocument:
            return answer()

    return app


def main(side: str, folder: str) -> None:
    """Serve one side until it is asked to stop; its port is told first."""
    app = _ours(Path(folder)) if side == "ours" else _bare(is_at_once=side != "bare")
    with open_listener(_ANY_PORT) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        serve(app, listener, stopping=lambda: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
