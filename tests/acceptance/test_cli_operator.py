"""`offramp operator` and the console behind `offramp serve`, on a real store with real hashes."""

from contextlib import ExitStack

import httpx2
import pytest

from tests.acceptance.installation import served

PASSWORD = "four ducks on a quiet pond"
SAM = "sam@vendor.example"


@pytest.fixture
def enter():
    """Open a link as a browser does, and send its form."""
    with ExitStack() as browsers:

        def opened(link, server, **fields):
            headers = {"Origin": server.url}
            browser = browsers.enter_context(httpx2.Client(base_url=server.url, headers=headers))
            path = f"/console/enter/{link.rpartition('/')[2]}"
            browser.get(path).raise_for_status()
            return browser, browser.post(path, data=fields)

        yield opened


def test_the_first_operator_gets_in_by_the_link_that_serve_prints_and_lets_others_in(
    installation, enter
):
    with served(installation) as server:
        link = server.first_sign_in
        ada = {"name": "Ada", "address": "ada@vendor.example", "password": PASSWORD}
        browser, answer = enter(link, server, **ada)
        today, found = browser.get("/console"), browser.get("/console/organizations")
        again = server.ask("GET", link.removeprefix(server.url), key=None)

        invited = installation.ask("operator", "add", SAM, "--name", "Sam", "--role", "support")
        sam, _ = enter(invited["link"], server, password=PASSWORD)
        before = sam.get("/console").status_code
        disabled = installation.ask("operator", "disable", SAM)
        after = sam.get("/console").status_code

    assert link.startswith(f"{server.url}/console/enter/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert (today.status_code, found.status_code, again.status_code) == (200, 200, 404)
    assert (before, disabled["sessions_ended"], after) == (200, 1, 303)
    with served(installation) as server:
        assert server.first_sign_in is None
    listed = installation.ask("operator", "list")["operators"]
    assert [(each["email"], each["role"], each["state"]) for each in listed] == [
        ("ada@vendor.example", "admin", "active"),
        (SAM, "support", "disabled"),
    ]
    assert PASSWORD.encode() not in installation.store.read_bytes()


def test_operators_are_added_listed_and_refused(installation):
    installation.settings["OFFRAMP_PUBLIC_ADDRESS"] = "https://leaving.vendor.example/off"
    nobody = installation.say("operator", "list")
    link = installation.say("operator", "add", SAM, "--name", "Sam", "--role", "admin")
    twice = installation.run("operator", "add", SAM.upper(), "--name", "S", "--role", "viewer")
    last = installation.run("operator", "disable", SAM)
    unknown = installation.run("operator", "link", "nobody@vendor.example")
    another = installation.say("operator", "link", SAM)
    installation.settings["OFFRAMP_OIDC_ONLY"] = "true"
    elsewhere = installation.say("operator", "link", SAM)

    assert "nobody works with the console yet" in nobody
    assert link.startswith("https://leaving.vendor.example/off/console/enter/")
    assert "works once, until 20" in link
    assert link.splitlines()[0] != another.splitlines()[0]
    assert elsewhere.strip() == "https://leaving.vendor.example/off/console"
    assert "invited" in installation.say("operator", "list")
    assert [(each.code, "address" in each.err) for each in (twice, unknown)] == [
        (3, True),
        (4, True),
    ]
    assert (last.code, "the last admin" in last.err) == (3, True)
