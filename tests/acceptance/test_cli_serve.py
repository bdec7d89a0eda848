"""`offramp serve` as a process: it listens, answers, keeps quiet, and ends when it is told to."""

import signal
import socket

import pytest

from tests.acceptance.installation import ACCESS_KEY, served

SECRET_PATH = "/links/nobody-may-read-this"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_answers_until_it_is_told_to_stop(installation, number):
    with served(installation) as server:
        answer = server.ask("GET", "/readyz", key=None)
        code, printed, told = server.stop(number)

    assert answer.json() == {"is_ready": True}
    assert "server" not in answer.headers
    assert (code, printed, told) == (0, "", "")


def test_what_was_asked_is_written_down_nowhere(installation):
    with served(installation) as server:
        answer = server.ask("GET", SECRET_PATH)
        _, printed, told = server.stop()

    assert answer.status_code == 404
    assert printed + told == ""


def test_the_interface_is_described_without_a_key(installation):
    with served(installation) as server:
        described = server.ask("GET", "/v1/openapi.json", key=None).json()

    assert described["openapi"].startswith("3.1")
    assert described["info"]["title"] == "Offramp"


def test_a_server_that_cannot_listen_says_so_and_ends(installation):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finished = installation.run("serve", "--listen", port)

    assert finished.code == 5
    assert f"{port} cannot be listened on: address already in use" in finished.err


def test_a_key_that_could_be_guessed_is_refused_and_not_shown(installation):
    installation.settings["OFFRAMP_ACCESS_KEYS"] = f"{ACCESS_KEY} letmein"

    finished = installation.run("serve", "--listen", "0")

    assert finished.code == 2
    assert "fewer than 32 characters" in finished.err
    assert "letmein" not in finished.err


def test_where_nothing_was_set_up_nothing_is_served(vendor):
    finished = vendor.run("serve", "--listen", "0")

    assert finished.code == 4
    assert "offramp init" in finished.err
