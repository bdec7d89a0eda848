"""`offramp serve` as a process: it listens, answers, keeps quiet, and ends when it is told to."""

import signal
import socket
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest

from offramp.web.address import open_listener, url_of
from tests.acceptance.installation import ACCESS_KEY, Installation, served

STOPS_WITHIN_SECONDS = 5
SECRET_PATH = "/links/nobody-may-read-this"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_answers_until_it_is_told_to_stop(installation, number):
    with served(installation) as server:
        answer = server.ask("GET", "/readyz", key=None)
        code, printed, told = server.stop(number)

    assert answer.json() == {"is_ready": True, "has_datamap": True}
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


def test_an_empty_folder_becomes_an_installation_that_serves_works_and_soon_stops(tmp_path):
    empty = Installation(tmp_path)
    with (
        served(empty, "--data", "everything") as server,
        ThreadPoolExecutor() as program,
    ):
        health = server.ask("GET", "/healthz", key=None).json()
        metrics = server.ask("GET", "/metrics").text
        page = server.ask("GET", server.first_sign_in.removeprefix(server.url), key=None)
        waiting = program.submit(
            server.ask, "POST", "/v1/access-snapshots/changes", json={"organizations": {}}
        )
        time.sleep(0.5)  # so that it is on its way, and has ten seconds to wait
        began = time.monotonic()
        code, printed, told = server.stop()
        took = time.monotonic() - began

    assert health["silent_seconds"] < 10
    assert "offramp_sweep_seconds_count" in metrics
    assert "Choose a password" in page.text
    assert (code, printed, told) == (0, "", "")
    assert waiting.result().json() == {"organizations": []}
    assert took < STOPS_WITHIN_SECONDS
    assert sorted(file.name for file in tmp_path.glob("everything/*.toml")) == ["offramp.toml"]


def test_an_installation_of_its_own_has_a_portal_where_it_listens(tmp_path):
    with open_listener("127.0.0.1:0") as taken:
        url = url_of(taken)
        place = url.removeprefix("http://")
        finished = Installation(tmp_path).run("serve", "--data", "everything", "--listen", place)

    settings = tomllib.loads((tmp_path / "everything" / "offramp.toml").read_text("utf-8"))
    assert "cannot be listened on" in finished.err
    assert (settings["portal"], settings["public_address"]) == (True, url)
    assert settings["serve_at"] == place


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("Dear Anna")

    finished = Installation(tmp_path).run("serve", "--data", ".", "--listen", "0")

    assert finished.code == 3
    assert "holds other things" in finished.err
    assert [file.name for file in tmp_path.iterdir()] == ["letters.txt"]
