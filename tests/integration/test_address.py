"""What a connection to a server of ours is like."""

import socket

import pytest

from offramp.web.address import address_of, open_listener


def test_the_body_of_an_answer_does_not_wait_until_its_head_has_arrived():
    with (
        open_listener("0") as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9464", "http://127.0.0.1:9464"),
        ("vendor.example:80", "http://vendor.example:80"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("0", None),
    ],
)
def test_where_a_listener_will_be_asked_is_known_unless_its_port_is_any(text, address):
    assert address_of(text) == address
