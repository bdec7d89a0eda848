"""What a connection to a server of ours is like."""

import socket

from offramp.web.address import open_listener


def test_the_body_of_an_answer_does_not_wait_until_its_head_has_arrived():
    with (
        open_listener("0") as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
