"""One document over HTTPS, from a host that proves who it is."""

import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from offramp.adapters.document_https import BYTES_MAX, DocumentUnavailable, fetch_document


class Shelf(BaseHTTPRequestHandler):
    """Gives what is asked for by its path."""

    def do_GET(self):
        status, size = {"/good?x=1": (200, 3), "/moved": (302, 0), "/large": (200, BYTES_MAX + 1)}[
            self.path
        ]
        self.send_response(status)
        self.send_header("Location", "/good?x=1")
        self.end_headers()
        self.wfile.write(b"x" * size)

    def log_message(self, *words):
        """Keep quiet."""


@contextmanager
def shelf(certificate):
    server = HTTPServer(("127.0.0.1", 0), Shelf)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def port(certificate):
    with shelf(certificate) as port:
        yield port


@pytest.fixture
def tls(certificate):
    return ssl.create_default_context(cafile=certificate)


def test_a_document_is_what_lies_at_the_path_and_query(port, tls):
    assert fetch_document("localhost", "/good?x=1", port=port, tls=tls) == b"xxx"


@pytest.mark.parametrize(
    ("target", "said"), [("/moved", "302"), ("/large", f"it is larger than {BYTES_MAX} bytes")]
)
def test_a_redirect_is_not_followed_and_nothing_large_is_read(port, tls, target, said):
    with pytest.raises(DocumentUnavailable, match=said):
        fetch_document("localhost", target, port=port, tls=tls)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_that_is_somebody_else_is_not_believed(port, tls, host):
    trusting = tls if host == "127.0.0.1" else None

    with pytest.raises(DocumentUnavailable, match="SSLCertVerificationError"):
        fetch_document(host, "/good?x=1", port=port, tls=trusting)


def test_a_host_that_is_not_there_is_told(tls):
    with pytest.raises(DocumentUnavailable, match="ConnectionRefusedError"):
        fetch_document("localhost", "/", port=1, tls=tls)
