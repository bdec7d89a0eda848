"""Serve an application until the process is asked to stop; what is in hand is answered first.

Nothing is logged per request: an address may be a secret.

Source: docs/http.md.
"""

import logging
import socket

import uvicorn
from fastapi import FastAPI

STOP_SECONDS = 30  # for answers in hand


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer what comes to a listener, until an interrupt or a termination."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level=logging.CRITICAL,  # its errors come with messages; ours are reported without
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
