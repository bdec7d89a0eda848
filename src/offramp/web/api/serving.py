"""Serve an application until the process is asked to stop; what is in hand is answered first.

Nothing is logged per request: an address may be a secret.

Source: docs/http.md.
"""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType

import uvicorn
from fastapi import FastAPI

from offramp.web.address import open_listener, url_of

STOP_SECONDS = 30  # for answers in hand
KEEP_SECONDS = 5  # a connection between two requests
HEAD_BYTES_MAX = 32 * 1024  # of a request, before its body


def serve(app: FastAPI, listener: socket.socket, *, stopping: Callable[[], None]) -> None:
    """Answer what comes to a listener, until an interrupt or a termination.

    Args:
        stopping: hears at once of either, while what is in hand is still being answered.
    """
    _Server(_config(app), stopping=stopping).run(sockets=[listener])


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Answer on a thread for as long as the block runs, and give the address to ask."""
    server = uvicorn.Server(_config(app))
    with open_listener("0") as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield url_of(listener)
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """Tells somebody besides when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, *, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Hear a signal."""
        self._stopping()
        super().handle_exit(sig, frame)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        log_level=logging.CRITICAL,  # its errors come with messages; ours are reported without
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=KEEP_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
    )
