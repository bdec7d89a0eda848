"""`offramp demo --serve`: the console on the demo, with a clock that is moved there."""

import json
import signal
import subprocess
import sys

import httpx2
import pytest

PASSWORD = "four ducks on a quiet pond"
STOP_SECONDS_MAX = 30


@pytest.fixture
def demo(tmp_path):
    options = ("--serve", "--json", "--listen", "0", "--out", str(tmp_path / "out"))
    process = subprocess.Popen(
        [sys.executable, "-m", "offramp", "demo", *options], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_the_clock_of_the_demo_is_moved_in_its_console_and_what_is_due_is_done(demo, tmp_path):
    said = json.loads(demo.stdout.readline())
    address = said["address"]
    with httpx2.Client(
        base_url=address, headers={"Origin": address}, follow_redirects=True, timeout=60
    ) as browser:
        me = {"name": "Olga", "address": "olga@vendor.example", "password": PASSWORD}
        first = browser.post(said["first_sign_in"], data=me).text
        token = first.partition('name="token" value="')[2].partition('"')[0]

        moved = browser.post("/console/clock", data={"token": token, "to": "next"}).text

    assert "Fri 9 Aug 2024, 08:00" in first
    assert "Fri 16 Aug 2024, 08:00" in moved
    assert len(list(tmp_path.glob("out/license-pool/mail/*.eml"))) > 0
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(timeout=STOP_SECONDS_MAX) == 0


def test_a_policy_that_no_vendor_of_the_demo_has_is_refused():
    finished = subprocess.run(
        [sys.executable, "-m", "offramp", "demo", "--serve", "--policy", "none"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 2
    assert "license-pool, edit-only-grace" in finished.stderr
