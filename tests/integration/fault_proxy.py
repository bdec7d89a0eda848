"""A wire that breaks where a test wants it to: before a mail server, or before a database."""

import socket
from contextlib import suppress
from threading import Thread

NEVER = 1 << 40
LAST_LINE = b".\r\n"


class FaultProxy:
    """Passes bytes between a client and a server on this machine until a fault is due.

    Attributes:
        up_bytes_max: cut the connection after so many bytes from the client.
        down_bytes_max: cut the connection after so many bytes from the server.
        last_words: how the client ends a message whose answer is of interest.
        is_losing_question: cut before the server hears the next message that ends so.
        is_hanging: take connections and pass nothing on.
        is_losing_answer: cut when the server answers the end of the next message.
        connections: how many were taken.
    """

    def __init__(self, server):
        self._server = server
        self.up_bytes_max, self.up_bytes = NEVER, 0
        self.down_bytes_max, self.down_bytes = NEVER, 0
        self.last_words = LAST_LINE
        self.is_hanging = self.is_losing_question = self.is_losing_answer = False
        self._has_ended = False
        self.connections = 0
        self._sockets = []

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [Thread(target=self._serve)]
        self._threads[0].start()
        return self

    def __exit__(self, *error):
        self._close(self._listener, *self._sockets)
        for thread in self._threads:
            thread.join(timeout=5)

    def _serve(self):
        with suppress(OSError):
            while True:
                self._pass(self._listener.accept()[0])

    def _pass(self, client):
        self.connections += 1
        self._sockets.append(client)
        if self.is_hanging:
            return
        try:
            server = self._reach()
        except OSError:
            return self._close(client)
        self._sockets.append(server)
        for pump in (self._up, self._down):
            self._threads.append(Thread(target=pump, args=(client, server)))
            self._threads[-1].start()

    def _reach(self):
        """Connect to the server: by the path of its socket, or by its host and port."""
        if isinstance(self._server, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            return server
        return socket.create_connection((self._server.host, self._server.port))

    def _up(self, client, server):
        with suppress(OSError):
            while chunk := client.recv(65536)[: self.up_bytes_max - self.up_bytes]:
                self.up_bytes += len(chunk)
                self._has_ended = chunk.endswith(self.last_words)
                if self._has_ended and self.is_losing_question:
                    self.is_losing_question = False
                    break
                server.sendall(chunk)
                if self.up_bytes == self.up_bytes_max:
                    break
        self._close(client, server)

    def _down(self, client, server):
        with suppress(OSError):
            while chunk := server.recv(65536)[: self.down_bytes_max - self.down_bytes]:
                self.down_bytes += len(chunk)
                if self.is_losing_answer and self._has_ended:
                    self.is_losing_answer = False
                    break
                client.sendall(chunk)
        self._close(client, server)

    def _close(self, *sockets):
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
